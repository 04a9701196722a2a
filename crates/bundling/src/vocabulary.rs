//! The vocabulary that lies beside weights.

use std::path::{Path, PathBuf};

/// Files that are looked for, the first before the second.
pub(crate) const VOCABULARIES: [&str; 2] = ["tokenizer.json", "vocab.txt"];

/// The vocabulary beside a file of weights.
pub(crate) fn beside(weights: &Path) -> Option<PathBuf> {
    VOCABULARIES.map(|name| weights.with_file_name(name)).into_iter().find(|path| path.is_file())
}
