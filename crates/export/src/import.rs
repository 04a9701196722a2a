//! Weights that PyTorch programs saved, to a checkpoint.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use medclip_core::LogitScale;
use medclip_core::architecture::{TextPooling, TextTower};
use medclip_core::bundle::{sha256, sha256_of_file};
use medclip_core::model::ModelConfig;
use medclip_core::preprocess::PreprocessConfig;
use medclip_core::score::PromptPooling;
use medclip_core::tokenize::{TokenizeError, TokenizerConfig, from_vocabulary};
use medclip_weights::names::medclip::{Unstated, architecture};
use medclip_weights::names::{Layout, Mapping, NamesError};
use medclip_weights::{TensorFile, TensorFileError};
use thiserror::Error;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::weights::Weights;

/// Where the paper and the published code differ, whose behaviour a model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Sentences are averaged over their own tokens, classes over their prompts.
    #[default]
    Paper,
    /// Sentences are averaged over the padding of their batch too, and the best prompt counts for its class: the numbers
    /// that the published code gives for published weights.
    Reference,
}

impl Mode {
    /// What `architecture.text.pooling` says.
    pub const fn text_pooling(self) -> TextPooling {
        match self {
            Self::Paper => TextPooling::Masked,
            Self::Reference => TextPooling::Reference,
        }
    }

    /// What `prompt_pooling` says.
    pub const fn prompt_pooling(self) -> PromptPooling {
        match self {
            Self::Paper => PromptPooling::Mean,
            Self::Reference => PromptPooling::Max,
        }
    }
}

/// What a model is besides its weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// Name of the model, as scores report it.
    pub name: String,
    /// One line on what it is and was trained on.
    pub description: String,
    /// Side of the image in pixels; the published models take 224.
    pub image_size: usize,
    /// Attention heads of the text tower; a 64th of the width where none is given.
    pub text_heads: Option<usize>,
    /// Whether text is lower-cased; a `tokenizer.json` that says so is followed in any case.
    pub lowercase: bool,
    /// Longest sentence in tokens.
    pub max_length: usize,
    /// Whose behaviour.
    pub mode: Mode,
}

/// Makes a checkpoint of the MedCLIP in `files`, which may hold a tower each, and of a `tokenizer.json` or `vocab.txt`.
///
/// Sizes come from the shapes of the tensors. Values stay in the files until a graph is written, one tensor at a time.
///
/// # Errors
/// [`ImportError`]: a file that cannot be read or is refused, a trunk without its projection, tensors beside those of
/// the architecture, missing or misshapen ones, and a vocabulary of another size than the word embedding.
pub fn import<P: AsRef<Path>>(
    files: &[P],
    tokenizer: impl AsRef<Path>,
    options: &ImportOptions,
) -> Result<Checkpoint, ImportError> {
    let weights = open(files)?;
    let shapes = weights.shapes().map(|(name, shape)| (name.to_owned(), shape.to_vec())).collect();
    let unstated = Unstated { text_heads: options.text_heads, text_pooling: options.mode.text_pooling() };
    let architecture = architecture(&shapes, unstated)?;
    let tokenizer = Vocabulary::read(tokenizer.as_ref(), options.lowercase)?;
    let config = ModelConfig {
        format: ModelConfig::FORMAT,
        name: options.name.clone(),
        description: options.description.clone(),
        logit_scale: LogitScale::INITIAL,
        prompt_pooling: options.mode.prompt_pooling(),
        preprocess: PreprocessConfig::medclip(options.image_size, architecture.image.channels()),
        tokenizer: TokenizerConfig { lowercase: tokenizer.lowercase, max_length: options.max_length },
        architecture,
    };
    let checkpoint = Checkpoint::new(config, weights, || Ok(tokenizer.json))?;
    let TextTower::Bert(text) = &checkpoint.config().architecture.text;
    let (tokens, rows) = (checkpoint.tokenizer().vocab_size(), text.vocab_size);
    // Fewer tokens fit, but are those of another vocabulary.
    if tokens != rows {
        return Err(CheckpointError::Vocabulary { tokens, rows }.into());
    }
    checkpoint.config().check().map_err(ImportError::Config)?;
    Ok(checkpoint)
}

/// Why weights were not imported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file of weights fails or is refused.
    #[error(transparent)]
    File(#[from] TensorFileError),
    /// Tensors of an unknown model, or that make no sizes.
    #[error(transparent)]
    Names(#[from] NamesError),
    /// A tower without its projection into the joint space.
    #[error(
        "{}: {}, without a projection into the joint space; to train from it, name it as {field} in a training file",
        path.display(), layout.description()
    )]
    TrunkOnly {
        /// The file.
        path: PathBuf,
        /// What it holds.
        layout: Layout,
        /// Field of a training file that takes it.
        field: &'static str,
    },
    /// One tensor in two files.
    #[error("{} and {} both hold {name}", first.display(), second.display())]
    Twice {
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// The tensor, by its name here.
        name: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Neither a vocabulary nor a tokenizer of BERT.
    #[error("{}: {source}", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: TokenizeError,
    },
    /// Parts that do not fit each other.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Options that make no model.
    #[error(transparent)]
    Config(medclip_core::model::ModelConfigError),
}

fn open<P: AsRef<Path>>(paths: &[P]) -> Result<Weights, ImportError> {
    let mut files = Vec::new();
    let mut owners: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut sums = Vec::new();
    for path in paths.iter().map(AsRef::as_ref) {
        let file = TensorFile::open(path)?;
        let mapping = Mapping::of(&file)?;
        if let Some(field) = mapping.layout().training_field() {
            return Err(ImportError::TrunkOnly { path: path.to_owned(), layout: mapping.layout(), field });
        }
        for name in mapping.names() {
            if let Some(first) = owners.insert(name.to_owned(), path.to_owned()) {
                let second = path.to_owned();
                return Err(ImportError::Twice { first, second, name: name.to_owned() });
            }
        }
        sums.push(
            sha256_of_file(path).map_err(|source| ImportError::Read { path: path.to_owned(), source })?,
        );
        files.push((mapping, file));
    }
    let sum = match sums.as_slice() {
        [sum] => sum.clone(),
        sums => sha256(sums.concat().as_bytes()),
    };
    Ok(Weights::from_files(files, sum))
}

/// A `tokenizer.json`, read or made.
struct Vocabulary {
    json: Vec<u8>,
    lowercase: bool,
}

impl Vocabulary {
    fn read(path: &Path, lowercase: bool) -> Result<Self, ImportError> {
        let bytes =
            std::fs::read(path).map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
        if let Ok(json) = serde_json::from_slice::<serde_json::Value>(&bytes) {
            let lowers = json.pointer("/normalizer/lowercase").and_then(serde_json::Value::as_bool);
            return Ok(Self { json: bytes, lowercase: lowercase || lowers == Some(true) });
        }
        let fail = |source| ImportError::Tokenizer { path: path.to_owned(), source };
        let text =
            String::from_utf8(bytes).map_err(|error| fail(TokenizeError::Malformed(error.to_string())))?;
        Ok(Self { json: from_vocabulary(&text, lowercase).map_err(fail)?, lowercase })
    }
}
