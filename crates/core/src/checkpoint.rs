//! Directories of checkpoints, which training writes and export reads.

use std::fs;
use std::path::Path;

use medclip_files::Kind;

use medclip_files::{MAX_TEXT_BYTES, start_of};

/// The configuration, [`ModelConfig`](crate::model::ModelConfig).
pub const MODEL: &str = "model.toml";
/// The weights, under the names of [`architecture`](crate::architecture).
pub const WEIGHTS: &str = "weights.safetensors";
/// The tokenizer.
pub const TOKENIZER: &str = "tokenizer.json";
/// The weights being trained, where an average of them is exported.
pub const PARAMETERS: &str = "parameters.safetensors";
/// Moments of the optimizer.
pub const OPTIMIZER: &str = "optimizer.safetensors";
/// Where the run stands.
pub const STATE: &str = "state.json";
/// The evaluation that made a checkpoint the best one.
pub const METRICS: &str = "metrics.json";

/// Checkpoints. No other directory is replaced by one.
pub static CHECKPOINT: Kind = Kind { name: "a checkpoint", is_marked, holds };

fn is_marked(directory: &Path) -> bool {
    let is_file = |name: &str| fs::symlink_metadata(directory.join(name)).is_ok_and(|found| found.is_file());
    // Killed or damaged while it was written by other means, one of the files may be missing.
    start_of(&directory.join(MODEL), MAX_TEXT_BYTES).is_ok_and(|text| is_configuration(&text))
        || (is_file(WEIGHTS) && (is_file(STATE) || is_file(TOKENIZER)))
}

fn holds(path: &str) -> bool {
    [MODEL, WEIGHTS, TOKENIZER, PARAMETERS, OPTIMIZER, STATE, METRICS].contains(&path)
}

/// Whether a text is a model's configuration, or was one before it was damaged.
pub(crate) fn is_configuration(text: &str) -> bool {
    let has = |start: &str| text.lines().any(|line| line.trim_start().starts_with(start));
    has("format") && has("[architecture")
}
