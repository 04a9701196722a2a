//! Why a checkpoint did not become a bundle.

use std::error::Error;

use medclip_core::batch::EmbeddingsError;
use medclip_core::preprocess::PreprocessError;
use medclip_core::tokenize::TokenizeError;
use medclip_export::{CheckpointError, ExportError, WriteBundleError};
use medclip_files::AlreadyThere;
use medclip_files::StagingError;
use medclip_phantom::PhantomError;
use medclip_runtime::{BundleError, EncodeError, LoadError};
use medclip_train::TrainError;
use thiserror::Error;

use crate::quantize::QuantizeError;
use crate::text::ReadTextError;

/// Why a checkpoint did not become a bundle. Nothing was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportBundleError {
    /// There is something where the bundle is to be.
    #[error(transparent)]
    Target(#[from] AlreadyThere),
    /// The checkpoint cannot be read.
    #[error("cannot export the checkpoint")]
    Checkpoint(#[from] CheckpointError),
    /// The card cannot be read.
    #[error(transparent)]
    Text(#[from] ReadTextError),
    /// The bundle is refused or cannot be written.
    #[error(transparent)]
    Write(#[from] WriteBundleError),
    /// No room for the bundle before its towers have passed.
    #[error(transparent)]
    Stage(#[from] StagingError),
    /// The bundle in single precision cannot be read.
    #[error(transparent)]
    Reopen(#[from] BundleError),
    /// The caller has no films for the towers in further precisions.
    #[error(transparent)]
    Films(Box<dyn Error + Send + Sync>),
    /// The towers in further precisions are refused.
    #[error(transparent)]
    Quantize(#[from] QuantizeError),
}

/// Why a new bundle is not what was trained.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The checkpoint has no forward pass.
    #[error("cannot run the checkpoint")]
    Reference(#[source] TrainError),
    /// The bundle cannot be loaded.
    #[error("the bundle cannot be opened again")]
    Open(#[source] LoadError),
    /// The forward pass of training fails.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// No radiograph can be drawn.
    #[error(transparent)]
    Phantom(#[from] PhantomError),
    /// Images cannot be made the model's input.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// The model's tokenizer cannot be used.
    #[error(transparent)]
    Tokenize(#[from] TokenizeError),
    /// The text graph cannot be written in single precision.
    #[error(transparent)]
    Graph(#[from] ExportError),
    /// The image graph cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A graph cannot be run.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Embeddings have no shape.
    #[error(transparent)]
    Shape(#[from] EmbeddingsError),
    /// A tower differs.
    #[error(
        "{what}: differs from training's forward pass by {largest:.1e}, at most {tolerance:.0e} is allowed"
    )]
    Differs {
        /// The tower.
        what: &'static str,
        /// Largest difference of an entry of a unit vector.
        largest: f32,
        /// What is allowed.
        tolerance: f32,
    },
}
