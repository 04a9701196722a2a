//! The medclip contract: what train, export and runtime must agree on, down to every pixel and token.
//!
//! Nothing here knows candle, ONNX or an image format. The only I/O is of model
//! directories: [`Bundle::open`], [`BundleWriter`] and what they need.
//!
//! | module | holds |
//! |---|---|
//! | [`finding`] | the 14 CheXpert findings, certainty, label vectors |
//! | [`architecture`] | sizes of the two towers, pooling, the temperature |
//! | [`model`] | everything `model.toml` says |
//! | [`raster`] | an 8-bit gray image |
//! | [`preprocess`] | gray image → normalized pixels |
//! | [`tokenize`] | sentence → token ids |
//! | [`batch`] | what an encoder takes |
//! | [`budget`] | bytes of memory that all films of a run share |
//! | [`prompt`] | zero-shot classes as sentences, and their seeded draws |
//! | [`bank`] | those sentences, embedded once |
//! | [`head`] | linear classifiers fitted on a bundle's embeddings |
//! | [`score`] | embeddings → logits and probabilities |
//! | [`checkpoint`] | files of a checkpoint directory |
//! | [`graph`] | names in the ONNX graphs and their metadata |
//! | [`precision`] | in which precision a tower is stored and computed |
//! | [`quantization`] | how a bundle's further precisions were made, and what they cost |
//! | [`golden`] | inputs with the embeddings they had when a bundle was written |
//! | [`bundle`] | a model on disk, verified |
//! | [`terminal`] | foreign text on a terminal: no character that it obeys |
//!
//! ```
//! use medclip_core::{GrayImage, PreprocessConfig, Preprocessor};
//!
//! let preprocessor = Preprocessor::new(PreprocessConfig::medclip(224, 1))?;
//! let film = GrayImage::new(640, 480, vec![128; 640 * 480])?;
//! assert_eq!(preprocessor.batch(&[film])?.shape(), [1, 1, 224, 224]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits
//! Images are 8-bit gray, tokenizers are BERT's. Scores are log-odds between sentences, not calibrated probabilities of
//! disease; for research only.

pub mod architecture;
pub mod bank;
pub mod batch;
pub mod budget;
pub mod bundle;
pub mod causes;
pub mod checkpoint;
pub mod finding;
pub mod golden;
pub mod graph;
pub mod guard;
pub mod head;
pub mod map;
pub mod model;
pub mod name;
pub mod precision;
pub mod preprocess;
pub mod prompt;
pub mod quantization;
pub mod raster;
pub mod score;
pub mod stop;
mod stored;
mod syntax;
pub mod terminal;
pub mod tokenize;

pub use architecture::{
    Architecture, BertConfig, EfficientNetConfig, ImageTower, LogitScale, ResNetConfig, SwinConfig, TextTower,
};
pub use bank::PromptBank;
pub use batch::{Embeddings, ImageBatch, TokenBatch};
pub use bundle::{Bundle, BundleError, BundleFile, BundleWriter};
pub use finding::{Certainty, Finding, Labels, UnknownFinding};
pub use golden::Golden;
pub use head::{Head, HeadError};
pub use map::{ClassMap, LocationMaps};
pub use model::ModelConfig;
pub use precision::{Precision, TowerKind};
pub use preprocess::{PreprocessConfig, Preprocessor, Resample};
pub use prompt::PromptSet;
pub use quantization::Quantization;
pub use raster::GrayImage;
pub use score::{FindingScore, PromptPooling};
pub use tokenize::{Tokenizer, TokenizerConfig};
