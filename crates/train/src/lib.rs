//! Training of MedCLIP with candle: from images and report sentences to a checkpoint that `medclip-export` reads.
//!
//! | module | holds |
//! |---|---|
//! | [`config`], [`setting`] | the training file, and settings replaced from outside |
//! | [`data`] | images, labels, sentences, batches |
//! | [`op`] | operations with backward passes candle lacks |
//! | [`params`] | named parameters |
//! | [`tower`], [`model`] | the two towers, and both as one model |
//! | [`loss`] | semantic matching and its baselines |
//! | [`optimizer`], [`schedule`], [`ema`] | how weights move |
//! | [`sentences`] | embeddings of a batch's sentences |
//! | [`evaluate`], [`progress`] | zero-shot AUROC while training, and the log it is read from |
//! | [`pretrained`] | ImageNet and MiniLM weights to start from |
//! | [`checkpoint`] | what is on disk, and exact resume |
//! | `restore` | a bundle back into a checkpoint; with feature `candle-onnx`, which needs protoc to build |
//! | [`trainer`] | the loop |
//! | [`tuning`] | fine-tuning and prompt tuning of a trained model on annotated findings |
//! | [`reference`](mod@reference) | a checkpoint's forward pass, to compare exports with |
//!
//! # Limits
//! The operations of [`op`] run on the CPU only. A run is bit-for-bit repeatable on one machine with one thread
//! count; matrix products may differ in the last bit between machines.

pub mod checkpoint;
pub mod config;
pub mod data;
pub mod ema;
pub mod error;
pub mod evaluate;
pub mod loss;
pub mod model;
pub mod op;
pub mod optimizer;
pub mod params;
pub mod pretrained;
pub mod progress;
pub mod reference;
#[cfg(feature = "candle-onnx")]
pub mod restore;
pub mod schedule;
pub mod sentences;
pub mod setting;
pub mod tower;
pub mod trainer;
pub mod tuning;

pub use config::TrainConfig;
pub use error::TrainError;
pub use loss::{LabelSimilarity, Objective};
pub use model::MedClip;
pub use setting::Setting;
pub use trainer::Trainer;
