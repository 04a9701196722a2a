//! Networks that learn, on candle: operations with backward passes, towers of MedCLIP, and how their weights move.
//!
//! | what | holds |
//! |---|---|
//! | [`op`], [`Tape`] | operations with backward passes candle lacks, and gradients through whole towers |
//! | [`Compute`], [`ParameterStore`] | device and precision, and named parameters |
//! | [`tower`], [`MedClip`] | the two towers, and both as one model |
//! | [`AdamW`], [`Schedule`], [`Ema`] | how weights move |
//!
//! It sees tensors and tokens, no films and no files: those are of `medclip-train`, which uses it.
//!
//! ```
//! use candle_core::{Device, Tensor, Var};
//! use medclip_nn::{Tape, backward, op};
//!
//! let table = Var::zeros((4, 3), candle_core::DType::F32, &Device::Cpu)?;
//! let mut tape = Tape::new();
//! let rows = op::embedding(&mut tape, &table, vec![2, 0])?;
//! let loss = tape.finish(&rows)?.sum_all()?;
//! let gradients = backward(&loss)?;
//! let expected = [[1.0_f32; 3], [0.0; 3], [1.0; 3], [0.0; 3]];
//! assert_eq!(gradients.get(&table).unwrap().to_vec2::<f32>()?, expected);
//! # Ok::<(), candle_core::Error>(())
//! ```
//!
//! # Limits
//! On the CPU the same inputs give the same bits on one machine with one number of threads; matrix products may differ in the
//! last bit between machines. On a GPU (feature `cuda`) they repeat to rounding.

mod compute;
mod cpu;
mod ema;
mod model;
pub mod op;
mod optimizer;
mod params;
mod schedule;
#[cfg(test)]
mod stopwatch;
mod tape;
pub mod tower;

pub use compute::{Compute, ComputePrecision, DeviceError, DeviceName};
pub use ema::Ema;
pub use model::{MedClip, to_embeddings};
pub use optimizer::{AdamW, AdamWConfig};
pub use params::{Init, ParameterStore};
pub use schedule::{Decay, Schedule};
pub use tape::{Tape, backward};
