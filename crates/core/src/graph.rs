//! What the exporter writes into a bundle's graphs and the runtime looks for there.

use serde::Serialize;

use crate::architecture::{Architecture, ImageTower, TextTower};
use crate::preprocess::PreprocessConfig;

/// Normalized pixels, f32 `[batch, channels, height, width]`.
pub const PIXELS: &str = "pixel_values";
/// Unit-norm image embeddings, f32 `[batch, dim]`.
pub const IMAGE_EMBEDDINGS: &str = "image_embeds";
/// The image's locations in the joint space, f32 `[batch, rows, columns, dim]`: their mean is the embedding.
pub const IMAGE_MAP: &str = "image_map";
/// Token ids, i64 `[batch, sequence]`.
pub const TOKENS: &str = "input_ids";
/// 1 for a token, 0 for padding, i64 `[batch, sequence]`.
pub const MASK: &str = "attention_mask";
/// Unit-norm text embeddings, f32 `[batch, dim]`.
pub const TEXT_EMBEDDINGS: &str = "text_embeds";

/// Metadata key of the configuration a graph was written for, as JSON.
pub const CONFIG_KEY: &str = "medclip.config";
/// Metadata key of the SHA-256 of the weights file, in lower-case hexadecimal.
pub const WEIGHTS_KEY: &str = "medclip.weights_sha256";

/// What decides the function of the image graph, apart from its weights.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ImageGraphConfig<'a> {
    embedding_dim: usize,
    image: &'a ImageTower,
    preprocess: &'a PreprocessConfig,
}

impl<'a> ImageGraphConfig<'a> {
    /// The image side of a model.
    pub const fn new(architecture: &'a Architecture, preprocess: &'a PreprocessConfig) -> Self {
        Self { embedding_dim: architecture.embedding_dim, image: &architecture.image, preprocess }
    }
}

/// What decides the function of the text graph, apart from its weights.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct TextGraphConfig<'a> {
    embedding_dim: usize,
    text: &'a TextTower,
}

impl<'a> TextGraphConfig<'a> {
    /// The text side of a model.
    pub const fn new(architecture: &'a Architecture) -> Self {
        Self { embedding_dim: architecture.embedding_dim, text: &architecture.text }
    }
}
