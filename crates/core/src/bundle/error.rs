//! Why a bundle is refused.

use std::path::PathBuf;

use thiserror::Error;

use super::BundleFile;
use crate::bank::BankError;
use crate::golden::GoldenError;
use crate::head::HeadError;
use crate::model::ModelConfigError;
use crate::preprocess::PreprocessError;
use crate::prompt::PromptError;
use crate::quantization::QuantizationError;

/// Why a bundle was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// A file could not be read or written.
    #[error("{} cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file of sums is malformed, or lists other files than a bundle has.
    #[error("{}: {reason}", path.display())]
    Sums {
        /// `SHA256SUMS`.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file or directory that no bundle has.
    #[error("{} is not a file of a bundle; move it elsewhere", path.display())]
    Unexpected {
        /// The file.
        path: PathBuf,
    },
    /// A file is not the one that was published.
    #[error(
        "{} has changed: its SHA-256 is {actual}, SHA256SUMS says {expected}; fetch the bundle again", path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// The published sum.
        expected: String,
        /// Its sum now.
        actual: String,
    },
    /// A file whose line ends were changed on the way.
    #[error(
        "{} has changed: its lines end in CR LF, as Git may rewrite them; check it out again with `-text` in .gitattributes, \
         or copy the bundle as binary files", path.display()
    )]
    LineEnds {
        /// The file.
        path: PathBuf,
    },
    /// What Git LFS leaves in place of a file that was not fetched.
    #[error("{} is a Git LFS pointer, not the file itself; fetch it with `git lfs pull`", path.display())]
    GitLfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// `model.toml` makes no sense.
    #[error("{} cannot be used", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ModelConfigError,
    },
    /// The preprocessing that `model.toml` asks for.
    #[error("{} cannot be used", path.display())]
    Preprocess {
        /// `model.toml`.
        path: PathBuf,
        /// What is wrong with it.
        source: PreprocessError,
    },
    /// The prompt file.
    #[error("{} cannot be used", path.display())]
    Prompts {
        /// `prompts.toml`.
        path: PathBuf,
        /// What is wrong with it.
        source: PromptError,
    },
    /// The prompt bank.
    #[error("{} cannot be used", path.display())]
    Bank {
        /// `prompt_bank.safetensors`.
        path: PathBuf,
        /// What is wrong with it.
        source: BankError,
    },
    /// The golden answers.
    #[error("{} cannot be used", path.display())]
    Golden {
        /// `golden.safetensors`.
        path: PathBuf,
        /// What is wrong with them.
        source: GoldenError,
    },
    /// The learned intake checks.
    #[error("{} cannot be used", path.display())]
    Intake {
        /// `intake.safetensors`.
        path: PathBuf,
        /// What is wrong with them.
        source: HeadError,
    },
    /// The report of further precisions.
    #[error("{} cannot be used", path.display())]
    Quantization {
        /// `quantization.json`.
        path: PathBuf,
        /// What is wrong with it.
        source: QuantizationError,
    },
    /// A tower in a further precision that the report does not know.
    #[error(
        "{} is not in {}, so nothing tells how it was made; remove it, or quantize the bundle again",
        path.display(), BundleFile::Quantization.file_name()
    )]
    Unreported {
        /// The graph.
        path: PathBuf,
    },
    /// A file was made from other files than those beside it.
    #[error("{} was made from another {of}; fetch or write the bundle again, as a whole", path.display())]
    Stale {
        /// `prompt_bank.safetensors`, `golden.safetensors` or `quantization.json`.
        path: PathBuf,
        /// The file that differs.
        of: &'static str,
    },
    /// A copy without its text tower, where sentences have to be embedded.
    #[error(
        "{} holds no text tower ({} and {} were left out), so it embeds no sentences",
        directory.display(), BundleFile::TEXT_GRAPH.file_name(), BundleFile::Tokenizer.file_name()
    )]
    NoTextTower {
        /// The bundle's directory.
        directory: PathBuf,
    },
    /// Something is already where the bundle should go.
    #[error("{} already exists; replace it, or name another place", path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
}
