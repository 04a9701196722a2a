//! Bundle and pixels to scores.
//!
//! ```no_run
//! use medclip_runtime::{GrayImage, Model};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Model::open("models/medclip-edge")?;
//! let image = GrayImage::new(512, 512, vec![0; 512 * 512])?; // decode a radiograph here
//! let batch = model.preprocessor().batch(&[image])?;
//! let embeddings = model.embed_images(&batch)?;
//! for finding in &model.classifier().scores(&embeddings)?[0] {
//!     println!("{:<28} {:.3}", finding.name, finding.probability);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`Model::open`] verifies every file of the bundle, loads the image tower, and leaves the text tower on disk: the
//! bundle's own classes are embedded already. Other classes come by [`Model::prompt_classifier`], which loads it, or by
//! [`Model::head_classifier`]. A [`Model`] is shared between threads by reference; [`ModelOptions`] says what runs the graphs and on how many threads.
//!
//! # Engines and features
//! | engine | feature | needs |
//! |---|---|---|
//! | `tract` | `tract` (default) | nothing |
//! | `rten` | `rten` | nothing |
//! | `ort-cpu` | `ort` | an ONNX Runtime library, 1.24 or newer, found when a model is opened |
//! | `cuda` | `cuda` | its GPU build, CUDA and cuDNN, an NVIDIA device |
//! | `tensorrt` | `tensorrt` | the same, and TensorRT |
//!
//! Feature `text` (default) adds the text tower. Without it the bundle's own classes and heads still score; sentences are an error
//! that names the feature.
//!
//! A build without any engine compiles, and refuses to open models. An engine that was asked for runs, or opening fails and says what is missing. [`ModelOptions::self_test`] makes each
//! tower reproduce the bundle's golden embeddings before it is used, [`Model::self_test`] says how well it does.
//!
//! A bundle may hold its towers in further precisions. [`ModelOptions::precision`] names one, and it runs or opening fails; left
//! at `auto` it is the one the engine runs fastest ([`EngineKind::gains_from`]), and [`Model::precision`] says which.
//!
//! # Limits
//! Scores are not calibrated probabilities of disease. Research use only, not for diagnosis.

mod classifier;
mod diagnosis;
mod encoder;
mod engine;
mod error;
mod graph;
mod installed;
mod kind;
mod machine;
mod model;
mod options;
mod outline;
mod self_test;

pub use classifier::Classifier;
pub use diagnosis::{Build, Diagnosis, EngineState, ModelState, OrtLibrary};
pub use encoder::{Probe, embed_pixels, embed_sentences};
#[cfg(feature = "ort")]
pub use engine::OnnxRuntime;
pub use engine::{ChoiceError, EngineChoice, GraphSource, Preferred};
pub use error::{EncodeError, LoadError};
pub use graph::{ContractError, Dimension, GraphInfo, Port};
pub use installed::{NoShippedModel, SHIPPED_MODEL, shipped_model};
pub use kind::{EngineKind, UnknownEngine};
pub use machine::{Machine, peak_memory_bytes};
pub use model::Model;
pub use options::{
    CudaOptions, EngineOptions, GraphOptimization, ModelOptions, OrtOptions, PrecisionChoice, Prepack,
    RtenOptions, TensorRtOptions,
};
pub use outline::{BundleOutline, ClassPrompts, FileSize, OutlineError, describe_fields};
pub use self_test::SelfTest;

pub use medclip_core::batch::{Embeddings, ImageBatch};
pub use medclip_core::bundle::{Bundle, BundleError, BundleFile};
pub use medclip_core::head::{Head, HeadError};
pub use medclip_core::map::{ClassMap, LocationMaps};
pub use medclip_core::precision::{Precision, TowerKind};
pub use medclip_core::preprocess::Preprocessor;
pub use medclip_core::prompt::PromptSet;
pub use medclip_core::{FindingScore, GrayImage, ModelConfig, Tokenizer};
