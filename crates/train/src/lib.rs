//! Training of MedCLIP with candle: from images and report sentences to a checkpoint that `medclip-export` reads.
//!
//! | module | holds |
//! |---|---|
//! | [`config`], [`setting`] | the training file, and settings replaced from outside |
//! | [`data`] | images, labels, sentences, batches |
//! | [`op`], [`tape`] | operations with backward passes candle lacks, and gradients through whole towers |
//! | [`compute`], [`params`] | device and precision, and named parameters |
//! | [`tower`], [`model`] | the two towers, and both as one model |
//! | [`loss`] | semantic matching and its baselines |
//! | [`step`] | a batch to gradients, in one pass or by micro-batches |
//! | [`optimizer`], [`schedule`], [`ema`] | how weights move |
//! | [`early_stop`] | when a run ends before its last epoch |
//! | [`sentences`] | embeddings of a batch's sentences |
//! | [`evaluate`], [`progress`] | zero-shot AUROC while training, and what a run tells of it |
//! | [`log`], [`report`] | the log read back, and the page of charts and tables made of it |
//! | [`pretrained`] | ImageNet and MiniLM weights to start from |
//! | [`checkpoint`] | what is on disk, and exact resume |
//! | `restore` | a bundle back into a checkpoint; with feature `candle-onnx`, which needs protoc to build |
//! | [`trainer`] | the loop |
//! | [`tuning`] | fine-tuning and prompt tuning of a trained model on annotated findings |
//! | [`reference`](mod@reference) | a checkpoint's forward pass, to compare exports with |
//!
//! # Limits
//! On the CPU a run is bit-for-bit repeatable on one machine with one thread count; matrix products may differ in the last
//! bit between machines. On a GPU (feature `cuda`) it repeats to rounding. [`tuning`] runs on the CPU only.

pub mod checkpoint;
pub mod compute;
pub mod config;
pub mod data;
pub mod early_stop;
pub mod ema;
pub mod error;
pub mod evaluate;
pub mod log;
pub mod loss;
pub mod model;
pub mod op;
pub mod optimizer;
pub mod params;
pub mod pretrained;
pub mod progress;
pub mod reference;
pub mod report;
#[cfg(feature = "candle-onnx")]
pub mod restore;
pub mod schedule;
pub mod sentences;
pub mod setting;
pub mod step;
#[cfg(test)]
mod stopwatch;
pub mod tape;
pub mod tower;
pub mod trainer;
pub mod tuning;

pub use compute::{Compute, DeviceName, Precision};
pub use config::TrainConfig;
pub use error::TrainError;
pub use loss::{LabelSimilarity, Objective};
pub use model::MedClip;
pub use setting::Setting;
pub use tape::backward;
pub use trainer::Trainer;
