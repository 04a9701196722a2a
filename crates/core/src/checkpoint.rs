//! Names of the files in a checkpoint directory that training writes and export reads.

/// The configuration, [`ModelConfig`](crate::model::ModelConfig).
pub const MODEL: &str = "model.toml";
/// The weights, under the names of [`architecture`](crate::architecture).
pub const WEIGHTS: &str = "weights.safetensors";
/// The tokenizer.
pub const TOKENIZER: &str = "tokenizer.json";
