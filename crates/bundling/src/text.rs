//! Texts that go into a bundle.

use std::io;
use std::path::{Path, PathBuf};

use medclip_core::ModelConfig;
use medclip_files::{MAX_TEXT_BYTES, read_typed, text};
use thiserror::Error;

/// A text file that cannot be read.
#[derive(Debug, Error)]
#[error("{}", path.display())]
pub struct ReadTextError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// The text of a file of prompts or of a model card, within a limit.
///
/// # Errors
/// [`ReadTextError`].
pub fn read_text(path: &Path) -> Result<String, ReadTextError> {
    let read = read_typed(path, MAX_TEXT_BYTES).and_then(text);
    read.map_err(|source| ReadTextError { path: path.to_owned(), source })
}

/// The card in `path`, or one of the model's name and description.
pub(crate) fn card(path: Option<&Path>, config: &ModelConfig) -> Result<String, ReadTextError> {
    path.map_or_else(
        || {
            let ModelConfig { name, description, .. } = config;
            Ok(format!("# {name}\n\n{description}\n\nResearch use only, not for diagnosis.\n"))
        },
        read_text,
    )
}
