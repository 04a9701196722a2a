//! Directories of checkpoints, which training writes and export reads.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use medclip_files::Kind;

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

/// Longer than the start of a configuration by which it is known.
const LONGEST: u64 = 1 << 16;

fn is_marked(directory: &Path) -> bool {
    let is_file = |name: &str| fs::symlink_metadata(directory.join(name)).is_ok_and(|found| found.is_file());
    let mut bytes = Vec::new();
    let configuration = directory.join(MODEL);
    let read = || File::open(configuration)?.take(LONGEST).read_to_end(&mut bytes);
    // Killed or damaged while it was written by other means, one of the files may be missing.
    (is_file(MODEL) && read().is_ok() && is_configuration(&String::from_utf8_lossy(&bytes)))
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
