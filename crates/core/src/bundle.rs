//! A model on disk: one directory, opened and verified in one place, written whole or not at all.

mod beside;
mod sums;
mod writer;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::architecture::{LogitScale, TextTower};
use crate::bank::{BankError, PromptBank};
use crate::golden::{Golden, GoldenError};
use crate::head::{Head, HeadError};
use crate::model::{ModelConfig, ModelConfigError};
use crate::preprocess::{PreprocessError, Preprocessor};
use crate::prompt::{PromptError, PromptSet};
use crate::tokenize::{TokenizeError, Tokenizer};

pub use sums::{sha256, sha256_of_file};
pub use writer::BundleWriter;

/// A file of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BundleFile {
    /// What the model is: [`ModelConfig`].
    Model,
    /// The image tower in ONNX.
    ImageGraph,
    /// The text tower in ONNX.
    TextGraph,
    /// The tokenizer.
    Tokenizer,
    /// The zero-shot classes.
    Prompts,
    /// The classes' sentences, embedded.
    PromptBank,
    /// Inputs with the embeddings they had when the bundle was written: [`Golden`].
    Golden,
    /// The model card.
    Card,
    /// Weights of the image graph that lie outside of it; a bundle of small towers has none.
    ImageWeights,
    /// Weights of the text graph that lie outside of it; a bundle of small towers has none.
    TextWeights,
    /// What `medclip verify` found beside the weights the bundle was made of; not every bundle has it.
    Certificate,
    /// Learned intake checks of its embeddings, a [`Head`] whose classes are reason codes; not every bundle has it.
    Intake,
}

impl BundleFile {
    /// Every file that a bundle must have, but the sums themselves.
    pub const REQUIRED: [Self; 8] = [
        Self::Model,
        Self::ImageGraph,
        Self::TextGraph,
        Self::Tokenizer,
        Self::Prompts,
        Self::PromptBank,
        Self::Golden,
        Self::Card,
    ];

    /// Files that a bundle may have.
    pub const OPTIONAL: [Self; 4] = [Self::ImageWeights, Self::TextWeights, Self::Certificate, Self::Intake];

    /// Files that tell about the model and are not part of it: with or without them it has the same [`Bundle::id`].
    pub(crate) const BESIDE: [Self; 2] = [Self::Certificate, Self::Intake];

    /// The file called `name`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::REQUIRED.into_iter().chain(Self::OPTIONAL).find(|file| file.file_name() == name)
    }

    /// Name inside the bundle's directory.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Model => "model.toml",
            Self::ImageGraph => "image.onnx",
            Self::TextGraph => "text.onnx",
            Self::Tokenizer => "tokenizer.json",
            Self::Prompts => "prompts.toml",
            Self::PromptBank => "prompt_bank.safetensors",
            Self::Golden => "golden.safetensors",
            Self::Card => "README.md",
            Self::ImageWeights => "image.onnx.data",
            Self::TextWeights => "text.onnx.data",
            Self::Certificate => "parity.json",
            Self::Intake => "intake.safetensors",
        }
    }
}

/// Why a bundle was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
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
    #[error("{} is not a file of a bundle", path.display())]
    Unexpected {
        /// The file.
        path: PathBuf,
    },
    /// A file is not the one that was published.
    #[error("{} has changed: its SHA-256 is {actual}, SHA256SUMS says {expected}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The published sum.
        expected: String,
        /// Its sum now.
        actual: String,
    },
    /// `model.toml` makes no sense.
    #[error("{}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ModelConfigError,
    },
    /// The preprocessing that `model.toml` asks for.
    #[error("{}", path.display())]
    Preprocess {
        /// `model.toml`.
        path: PathBuf,
        /// What is wrong with it.
        source: PreprocessError,
    },
    /// The prompt file.
    #[error("{}", path.display())]
    Prompts {
        /// `prompts.toml`.
        path: PathBuf,
        /// What is wrong with it.
        source: PromptError,
    },
    /// The prompt bank.
    #[error("{}", path.display())]
    Bank {
        /// `prompt_bank.safetensors`.
        path: PathBuf,
        /// What is wrong with it.
        source: BankError,
    },
    /// The golden answers.
    #[error("{}", path.display())]
    Golden {
        /// `golden.safetensors`.
        path: PathBuf,
        /// What is wrong with them.
        source: GoldenError,
    },
    /// The learned intake checks.
    #[error("{}", path.display())]
    Intake {
        /// `intake.safetensors`.
        path: PathBuf,
        /// What is wrong with them.
        source: HeadError,
    },
    /// A file was made from other files than those beside it.
    #[error("{} was made from another {of}", path.display())]
    Stale {
        /// `prompt_bank.safetensors` or `golden.safetensors`.
        path: PathBuf,
        /// The file that differs.
        of: &'static str,
    },
    /// Something is already where the bundle should go.
    #[error("{} already exists", path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
}

/// A verified model directory.
#[derive(Debug, Clone)]
pub struct Bundle {
    directory: PathBuf,
    id: String,
    config: ModelConfig,
    preprocessor: Preprocessor,
    prompts: PromptSet,
    bank: PromptBank,
    golden: Golden,
    intake: Option<Head>,
    files: Vec<BundleFile>,
}

impl Bundle {
    /// Opens the bundle in `directory` and verifies every file against `SHA256SUMS`.
    ///
    /// # Errors
    /// [`BundleError`] naming the file that is missing, changed, unexpected in the sums, or malformed.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, BundleError> {
        let directory = directory.as_ref().to_owned();
        let (id, sums) = sums::verify(&directory)?;
        let read = |file: BundleFile| {
            let path = directory.join(file.file_name());
            let bytes = fs::read(&path).map_err(|source| BundleError::Io { path: path.clone(), source })?;
            Ok::<_, BundleError>((path, bytes))
        };
        let (path, bytes) = read(BundleFile::Model)?;
        let config = ModelConfig::parse(&String::from_utf8_lossy(&bytes))
            .map_err(|source| BundleError::Model { path: path.clone(), source })?;
        let preprocessor = Preprocessor::new(config.preprocess.clone())
            .map_err(|source| BundleError::Preprocess { path, source })?;
        let (path, bytes) = read(BundleFile::Prompts)?;
        let prompts = PromptSet::parse(&String::from_utf8_lossy(&bytes))
            .map_err(|source| BundleError::Prompts { path, source })?;
        let (path, bytes) = read(BundleFile::PromptBank)?;
        let bank = PromptBank::from_bytes(&bytes)
            .map_err(|source| BundleError::Bank { path: path.clone(), source })?;
        let provenance = bank.provenance();
        for (file, recorded) in [
            (BundleFile::Prompts, &provenance.prompts_sha256),
            (BundleFile::TextGraph, &provenance.text_graph_sha256),
        ] {
            if sums.get(file.file_name()) != Some(recorded) {
                return Err(BundleError::Stale { path, of: file.file_name() });
            }
        }
        if bank.classes() != prompts.expand() {
            return Err(BundleError::Stale { path, of: BundleFile::Prompts.file_name() });
        }
        if bank.dim() != config.architecture.embedding_dim {
            return Err(BundleError::Stale { path, of: "architecture" });
        }
        let golden = read_golden(read(BundleFile::Golden)?, &config, &sums)?;
        let mut files: Vec<BundleFile> = sums.keys().filter_map(|name| BundleFile::named(name)).collect();
        files.sort_unstable();
        let intake = if files.contains(&BundleFile::Intake) {
            Some(read_intake(read(BundleFile::Intake)?, &id, config.architecture.embedding_dim)?)
        } else {
            None
        };
        Ok(Self { directory, id, config, preprocessor, prompts, bank, golden, intake, files })
    }

    /// Where the bundle lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// SHA-256 of `SHA256SUMS` without the lines of the certificate and the intake checks, 64 hexadecimal digits: names the
    /// model's whole content, which they tell about and do not change.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What `model.toml` says.
    pub const fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Image to pixels, as this model was trained.
    pub const fn preprocessor(&self) -> &Preprocessor {
        &self.preprocessor
    }

    /// Reads the tokenizer.
    ///
    /// # Errors
    /// [`TokenizeError`] when the file cannot be used, or has ids that the text tower has no embedding for.
    pub fn tokenizer(&self) -> Result<Tokenizer, TokenizeError> {
        let path = self.path(BundleFile::Tokenizer);
        let tokenizer = Tokenizer::open(&path, self.config.tokenizer.clone())?;
        let TextTower::Bert(bert) = &self.config.architecture.text;
        match tokenizer.vocab_size() {
            size if size > bert.vocab_size => {
                let source = TokenizeError::Vocabulary { tokenizer: size, tower: bert.vocab_size };
                Err(TokenizeError::File { path, source: Box::new(source) })
            }
            _ => Ok(tokenizer),
        }
    }

    /// The zero-shot classes.
    pub const fn prompts(&self) -> &PromptSet {
        &self.prompts
    }

    /// The classes' sentences, embedded.
    pub const fn bank(&self) -> &PromptBank {
        &self.bank
    }

    /// Inputs with the embeddings they had when the bundle was written.
    pub const fn golden(&self) -> &Golden {
        &self.golden
    }

    /// Learned intake checks of its embeddings, where it has some.
    pub const fn intake(&self) -> Option<&Head> {
        self.intake.as_ref()
    }

    /// The temperature.
    pub fn logit_scale(&self) -> LogitScale {
        LogitScale::new(self.config.logit_scale)
    }

    /// The files it has, in the order of [`BundleFile`].
    pub fn files(&self) -> &[BundleFile] {
        &self.files
    }

    /// Where a file of the bundle lies.
    pub fn path(&self, file: BundleFile) -> PathBuf {
        self.directory.join(file.file_name())
    }
}

fn read_intake((path, bytes): (PathBuf, Vec<u8>), id: &str, dim: usize) -> Result<Head, BundleError> {
    let head = Head::from_bytes(&bytes).and_then(|head| head.check(id, dim).map(|()| head));
    head.map_err(|source| BundleError::Intake { path, source })
}

fn read_golden(
    (path, bytes): (PathBuf, Vec<u8>),
    config: &ModelConfig,
    sums: &BTreeMap<String, String>,
) -> Result<Golden, BundleError> {
    let golden =
        Golden::from_bytes(&bytes).map_err(|source| BundleError::Golden { path: path.clone(), source })?;
    let provenance = golden.provenance();
    for (file, recorded) in [
        (BundleFile::ImageGraph, &provenance.image_graph_sha256),
        (BundleFile::TextGraph, &provenance.text_graph_sha256),
    ] {
        if sums.get(file.file_name()) != Some(recorded) {
            return Err(BundleError::Stale { path, of: file.file_name() });
        }
    }
    let dim = config.architecture.embedding_dim;
    if [golden.image_embeddings().dim(), golden.text_embeddings().dim()] != [dim; 2] {
        return Err(BundleError::Stale { path, of: "architecture" });
    }
    Ok(golden)
}
