//! What a graph says about itself.

use medclip_core::architecture::{Architecture, ImageTower, TextTower};
use medclip_core::preprocess::PreprocessConfig;
use serde::Serialize;

use crate::error::ExportError;
use crate::weights::Weights;

/// Key of the configuration of the tower, as JSON.
pub const CONFIG_KEY: &str = "medclip.config";
/// Key of the SHA-256 of the weights file, in lower-case hexadecimal.
pub const WEIGHTS_KEY: &str = "medclip.weights_sha256";

/// Documentation and key-value pairs of a model.
#[derive(Debug, Clone, Default)]
pub(crate) struct ModelInfo {
    pub(crate) doc: String,
    pub(crate) properties: Vec<(String, String)>,
}

/// What decides the function of the image graph, apart from its weights.
#[derive(Serialize)]
struct ImageConfig<'a> {
    embedding_dim: usize,
    image: &'a ImageTower,
    preprocess: &'a PreprocessConfig,
}

/// What decides the function of the text graph, apart from its weights.
#[derive(Serialize)]
struct TextConfig<'a> {
    embedding_dim: usize,
    text: &'a TextTower,
}

/// Metadata of an image graph.
pub(crate) fn image(
    architecture: &Architecture,
    preprocess: &PreprocessConfig,
    weights: &Weights,
) -> Result<ModelInfo, ExportError> {
    let config =
        ImageConfig { embedding_dim: architecture.embedding_dim, image: &architecture.image, preprocess };
    info(
        "medclip image tower: normalised pixels to a unit-norm embedding. Research use only.",
        &config,
        weights,
    )
}

/// Metadata of a text graph.
pub(crate) fn text(architecture: &Architecture, weights: &Weights) -> Result<ModelInfo, ExportError> {
    let config = TextConfig { embedding_dim: architecture.embedding_dim, text: &architecture.text };
    info("medclip text tower: token ids to a unit-norm embedding. Research use only.", &config, weights)
}

fn info(doc: &str, config: &impl Serialize, weights: &Weights) -> Result<ModelInfo, ExportError> {
    let config = serde_json::to_string(config).map_err(ExportError::Metadata)?;
    Ok(ModelInfo {
        doc: doc.to_owned(),
        properties: vec![
            (CONFIG_KEY.to_owned(), config),
            (WEIGHTS_KEY.to_owned(), weights.sha256().to_owned()),
        ],
    })
}
