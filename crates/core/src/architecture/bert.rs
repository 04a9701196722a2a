//! Sizes of a BERT, and how its states become one vector.

use serde::{Deserialize, Serialize};

/// Sizes of a BERT trunk; field names follow Hugging Face's `config.json`.
///
/// # Parameters
/// Under `text_model.model.`: `embeddings.{word,position,token_type}_embeddings.weight`,
/// `embeddings.LayerNorm.{weight,bias}`, and per layer K under `encoder.layer.K.`:
/// `attention.self.{query,key,value}.{weight,bias}`, `attention.output.dense.*`, `attention.output.LayerNorm.*`,
/// `intermediate.dense.*`, `output.dense.*`, `output.LayerNorm.*`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BertConfig {
    /// Rows of the word embedding.
    pub vocab_size: usize,
    /// Width.
    pub hidden_size: usize,
    /// Depth.
    pub num_hidden_layers: usize,
    /// Heads; divides the width.
    pub num_attention_heads: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// Longest sequence the position embedding allows.
    pub max_position_embeddings: usize,
    /// Rows of the segment embedding.
    pub type_vocab_size: usize,
    /// ε of every layer normalization.
    pub layer_norm_eps: f64,
    /// How token states become one vector.
    pub pooling: TextPooling,
    /// Whether the projection has a bias (`text_model.projection_head.bias`).
    #[serde(default)]
    pub projection_bias: bool,
}

/// How the hidden states of a sentence become one vector.
///
/// Both average the states after layers 1, 2 and the last over the chosen tokens (index 0 being the embeddings).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextPooling {
    /// Mean over the tokens the mask admits.
    Masked,
    /// Mean over all positions, padding included, as the published code does: an embedding then depends on the
    /// length its batch was padded to.
    Reference,
}

impl BertConfig {
    /// BioClinicalBERT: BERT-base with a cased vocabulary, 12 layers of width 768.
    pub const fn bio_clinical() -> Self {
        Self {
            vocab_size: 28_996,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            layer_norm_eps: 1e-12,
            pooling: TextPooling::Masked,
            projection_bias: false,
        }
    }

    /// all-MiniLM-L6-v2: 6 layers of width 384.
    pub const fn minilm_l6() -> Self {
        Self {
            vocab_size: 30_522,
            hidden_size: 384,
            num_hidden_layers: 6,
            num_attention_heads: 12,
            intermediate_size: 1536,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            layer_norm_eps: 1e-12,
            pooling: TextPooling::Masked,
            projection_bias: false,
        }
    }
}
