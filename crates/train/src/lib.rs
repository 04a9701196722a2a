//! Training of MedCLIP with candle: from images and report sentences to a checkpoint that `medclip-export` reads.
//!
//! Manifests and reports are read by [`medclip_data`]; towers and what moves their weights are in [`medclip_nn`].
//!
//! | module | holds |
//! |---|---|
//! | [`config`], [`setting`] | the training file, and settings replaced from outside |
//! | [`data`] | images, labels, sentences, batches |
//! | [`loss`] | semantic matching and its baselines |
//! | [`step`] | a batch to gradients, in one pass or by micro-batches |
//! | [`early_stop`] | when a run ends before its last epoch |
//! | [`sentences`] | embeddings of a batch's sentences |
//! | [`evaluate`] | zero-shot AUROC while training |
//! | [`log`], [`report`] | the log read back, and the page of charts and tables made of it |
//! | [`pretrained`] | ImageNet and MiniLM weights to start from |
//! | [`checkpoint`] | what is on disk, and exact resume |
//! | `restore` | a bundle back into a checkpoint; with feature `candle-onnx`, which needs protoc to build |
//! | [`Trainer`] | the loop, which tells an [`Observer`] how it goes and ends when it is asked to |
//! | [`tuning`] | fine-tuning and prompt tuning of a trained model on annotated findings |
//! | [`reference`](mod@reference) | a checkpoint's forward pass, to compare exports with |
//!
//! # Limits
//! On the CPU a run is bit-for-bit repeatable on one machine with one thread count; matrix products may differ in the last
//! bit between machines. On a GPU (feature `cuda`) it repeats to rounding. [`tuning`] runs on the CPU only.

pub mod checkpoint;
pub mod config;
pub mod data;
pub mod early_stop;
pub mod error;
pub mod evaluate;
pub mod log;
pub mod loss;
mod observer;
pub mod pretrained;
pub mod reference;
pub mod report;
#[cfg(feature = "candle-onnx")]
pub mod restore;
pub mod sentences;
pub mod setting;
pub mod step;
mod trainer;
pub mod tuning;

pub use config::TrainConfig;
pub use error::TrainError;
pub use loss::{LabelSimilarity, Objective};
// Fields of the configuration.
pub use medclip_nn::{AdamWConfig, ComputePrecision, Decay, DeviceName, Schedule};
pub use observer::{Observer, Progress};
pub use setting::Setting;
pub use trainer::{Ended, Trainer};
