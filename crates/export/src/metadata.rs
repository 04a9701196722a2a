//! What a graph says about itself.

use medclip_core::architecture::Architecture;
use medclip_core::graph::{CONFIG_KEY, ImageGraphConfig, TextGraphConfig, WEIGHTS_KEY};
use medclip_core::preprocess::PreprocessConfig;
use serde::Serialize;

use crate::error::ExportError;
use crate::weights::Weights;

/// Documentation and key-value pairs of a model.
#[derive(Debug, Clone, Default)]
pub(crate) struct ModelInfo {
    pub(crate) doc: String,
    pub(crate) properties: Vec<(String, String)>,
}

/// Metadata of an image graph.
pub(crate) fn image(
    architecture: &Architecture,
    preprocess: &PreprocessConfig,
    weights: &Weights,
) -> Result<ModelInfo, ExportError> {
    info(
        "medclip image tower: normalised pixels to a unit-norm embedding. Research use only.",
        &ImageGraphConfig::new(architecture, preprocess),
        weights,
    )
}

/// Metadata of a text graph.
pub(crate) fn text(architecture: &Architecture, weights: &Weights) -> Result<ModelInfo, ExportError> {
    info(
        "medclip text tower: token ids to a unit-norm embedding. Research use only.",
        &TextGraphConfig::new(architecture),
        weights,
    )
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
