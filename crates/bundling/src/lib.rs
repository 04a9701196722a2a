//! Bundles: making them, and proving that they are right. Internal; programs depend on `medclip`.
//!
//! | operation | does | feature |
//! |---|---|---|
//! | [`quantize()`] | adds towers in further precisions, as far as they keep to limits | `make` |
//!
//! ```no_run
//! use medclip_bundling::{LabeledFilm, QuantizeOptions, quantize};
//! use medclip_runtime::Bundle;
//!
//! let bundle = Bundle::open("models/medclip-edge")?;
//! let films = LabeledFilm::listed("films.csv".as_ref(), &bundle)?;
//! let made = quantize(&bundle, &films, "edge-int8".as_ref(), &QuantizeOptions::default(), &mut ())?;
//! println!("{:?}", made.quantization());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing here prints. Operations tell an [`Observer`] how they go, return values, and write a bundle whole or not at all.
//!
//! # Features
//! `make` (default) writes bundles; `train` compares them with candle's forward pass of the weights. Without either, bundles
//! are verified alone.

#[cfg(feature = "make")]
mod observer;
#[cfg(feature = "make")]
mod quantize;
#[cfg(feature = "make")]
mod target;

#[cfg(feature = "make")]
pub use observer::{Observer, Progress, Work};
#[cfg(feature = "make")]
pub use quantize::{LabeledFilm, QuantizeError, QuantizeOptions, TowerError, quantize};
#[cfg(feature = "make")]
pub use target::{TargetError, check_target};
