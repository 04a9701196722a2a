//! Weights that PyTorch programs saved, to a checkpoint.

mod files;
mod heads;
mod vocabulary;

use std::fmt;
use std::path::{Path, PathBuf};

use medclip_core::LogitScale;
use medclip_core::architecture::{TextPooling, TextTower};
use medclip_core::model::ModelConfig;
use medclip_core::preprocess::PreprocessConfig;
use medclip_core::score::PromptPooling;
use medclip_core::tokenize::{LetterCase, TokenizeError, TokenizerConfig};
use medclip_weights::names::medclip::{Unstated, architecture, text_sizes};
use medclip_weights::names::{Layout, NamesError};
use medclip_weights::{TensorFileError, WeightsNote};
use thiserror::Error;

use crate::checkpoint::{Checkpoint, CheckpointError};

pub use heads::stated_heads;
pub use vocabulary::says_lowercase;

/// Where the paper and the published code differ, whose behavior a model has.
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
    /// Both.
    pub const ALL: [Self; 2] = [Self::Paper, Self::Reference];

    /// `paper` or `reference`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Reference => "reference",
        }
    }

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
    /// Attention heads of the text tower. Where none is given, those that the `config.json` beside the weights states, or
    /// those that all published BERTs of its width have.
    pub text_heads: Option<usize>,
    /// Whether text is lower-cased. Where nothing is given, as a `tokenizer.json` says; of a vocabulary without capitals it
    /// then has to be.
    pub lowercase: Option<bool>,
    /// The part of the files that is taken, as
    /// [`TensorFileOptions::part`](medclip_weights::TensorFileOptions::part) has it.
    pub part: Option<String>,
    /// Longest sentence in tokens.
    pub max_length: usize,
    /// Whose behavior.
    pub mode: Mode,
}

/// A checkpoint of imported weights, and what was chosen on the way.
#[derive(Debug)]
#[non_exhaustive]
pub struct Imported {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// What the files left open, and what was made of it.
    pub notes: Vec<ImportNote>,
}

/// Something that the files left open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportNote {
    /// Which weights of a file were taken.
    Weights(WeightsNote),
    /// Attention heads of the text tower, which no tensor tells.
    Heads {
        /// How many.
        heads: usize,
        /// The `config.json` that states them; none where those of published towers of this width were taken.
        config: Option<PathBuf>,
    },
    /// Text is lower-cased for a vocabulary that has capitals, as `Bio_ClinicalBERT` does.
    CasedAndLowered,
}

impl fmt::Display for ImportNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weights(note) => note.fmt(f),
            Self::Heads { heads, config: Some(path) } => {
                write!(f, "the text tower has {heads} attention heads, as {} states", path.display())
            }
            Self::Heads { heads, config: None } => write!(
                f,
                "the text tower is taken to have {heads} attention heads, as every published BERT of its width; nothing \
                 beside the weights states them"
            ),
            Self::CasedAndLowered => f.write_str(
                "text is lower-cased although the vocabulary has capitals, as Bio_ClinicalBERT does; other models do not",
            ),
        }
    }
}

/// Makes a checkpoint of the MedCLIP in `files`, which may hold a tower each or be shards, and of a `tokenizer.json` or
/// `vocab.txt`.
///
/// Sizes come from the shapes of the tensors. Values stay in the files until a graph is written, one tensor at a time.
///
/// # Errors
/// [`ImportError`]: a file that cannot be read or is refused, a trunk without its projection, tensors beside those of
/// the architecture, missing or misshapen ones, heads that nothing states, and a vocabulary of another size than the word
/// embedding or without capitals for text that has some.
pub fn import<P: AsRef<Path>>(
    files: &[P],
    tokenizer: impl AsRef<Path>,
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    let files::Files { weights, notes } = files::open(files, options.part.as_deref())?;
    let mut notes: Vec<ImportNote> = notes.into_iter().map(ImportNote::Weights).collect();
    let shapes = weights.shapes().map(|(name, shape)| (name.to_owned(), shape.to_vec())).collect();
    let stated = text_sizes(&shapes).and_then(|(width, depth)| {
        let beside = files.iter().map(AsRef::as_ref).find_map(|path| stated_heads(path, width, depth));
        beside.filter(|_| options.text_heads.is_none())
    });
    let text_heads = options.text_heads.or(stated.as_ref().map(|(heads, _)| *heads));
    let unstated = Unstated { text_heads, text_pooling: options.mode.text_pooling() };
    let architecture = architecture(&shapes, unstated)?;
    let TextTower::Bert(text) = &architecture.text;
    if options.text_heads.is_none() {
        let (heads, config) = (text.num_attention_heads, stated.map(|(_, path)| path));
        notes.push(ImportNote::Heads { heads, config });
    }
    let vocabulary = vocabulary::Vocabulary::read(tokenizer.as_ref(), options.lowercase)?;
    let lowercase = vocabulary.lowercase;
    let config = ModelConfig {
        format: ModelConfig::FORMAT,
        name: options.name.clone(),
        description: options.description.clone(),
        logit_scale: LogitScale::INITIAL,
        prompt_pooling: options.mode.prompt_pooling(),
        preprocess: PreprocessConfig::medclip(options.image_size, architecture.image.channels()),
        tokenizer: TokenizerConfig { lowercase, max_length: options.max_length },
        architecture,
    };
    let checkpoint = Checkpoint::new(config, weights, || Ok(vocabulary.json))?;
    let TextTower::Bert(text) = &checkpoint.config().architecture.text;
    let (tokens, rows) = (checkpoint.tokenizer().vocab_size(), text.vocab_size);
    // Fewer tokens fit, but are those of another vocabulary.
    if tokens != rows {
        return Err(CheckpointError::Vocabulary { tokens, rows }.into());
    }
    match checkpoint.tokenizer().letter_case() {
        LetterCase::Uncased if !lowercase && options.lowercase.is_none() => {
            return Err(ImportError::Uncased { path: tokenizer.as_ref().to_owned() });
        }
        LetterCase::Cased if lowercase => notes.push(ImportNote::CasedAndLowered),
        _ => {}
    }
    checkpoint.config().check().map_err(ImportError::Config)?;
    Ok(Imported { checkpoint, notes })
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
    #[error("{} cannot be used as a tokenizer", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: TokenizeError,
    },
    /// A vocabulary without capitals for text that keeps them.
    #[error(
        "{} has no word with a capital, so every such word of a sentence would be unknown: lower-case text, or state that \
         it is to keep its capitals", path.display()
    )]
    Uncased {
        /// The vocabulary.
        path: PathBuf,
    },
    /// Parts that do not fit each other.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Options that make no model.
    #[error(transparent)]
    Config(medclip_core::model::ModelConfigError),
}
