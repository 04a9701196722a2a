//! A training checkpoint, opened to be exported.

use std::path::{Path, PathBuf};

use medclip_core::architecture::TextTower;
use medclip_core::checkpoint;
use medclip_core::model::{ModelConfig, ModelConfigError};
use medclip_core::tokenize::{TokenizeError, Tokenizer};
use medclip_files::read_regular;
use thiserror::Error;

use crate::error::ExportError;
use crate::graph::OnnxFile;
use crate::options::GraphOptions;
use crate::tower::{image_graph, parameters, text_graph};
use crate::weights::{Weights, WeightsError};

/// What a checkpoint directory holds, checked to fit together: `model.toml`, `weights.safetensors` and
/// `tokenizer.json`. The state of training beside them is left alone.
#[derive(Debug)]
pub struct Checkpoint {
    config: ModelConfig,
    weights: Weights,
    tokenizer: Tokenizer,
    tokenizer_json: Vec<u8>,
}

impl Checkpoint {
    /// Reads and checks a checkpoint directory.
    ///
    /// # Errors
    /// [`CheckpointError`] for a missing or malformed file, weights that are not exactly those of the
    /// architecture, and a tokenizer with more tokens or longer sequences than the text tower takes.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        let directory = directory.as_ref();
        let config = read_config(directory.join(checkpoint::MODEL))?;
        let weights = Weights::open(directory.join(checkpoint::WEIGHTS))?;
        Self::new(config, weights, || read(directory.join(checkpoint::TOKENIZER)))
    }

    /// A checkpoint of these parts, if they fit together.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub(crate) fn new(
        mut config: ModelConfig,
        weights: Weights,
        tokenizer: impl FnOnce() -> Result<Vec<u8>, CheckpointError>,
    ) -> Result<Self, CheckpointError> {
        weights.check("", &parameters(&config.architecture)?)?;
        config.logit_scale = weights.logit_scale()?.ln();
        let tokenizer_json = tokenizer()?;
        let tokenizer = Tokenizer::from_bytes(&tokenizer_json, config.tokenizer.clone())?;
        let TextTower::Bert(text) = &config.architecture.text;
        if tokenizer.vocab_size() > text.vocab_size {
            let (tokens, rows) = (tokenizer.vocab_size(), text.vocab_size);
            return Err(CheckpointError::Vocabulary { tokens, rows });
        }
        if config.tokenizer.max_length > text.max_position_embeddings {
            let (max_length, positions) = (config.tokenizer.max_length, text.max_position_embeddings);
            return Err(CheckpointError::Positions { max_length, positions });
        }
        Ok(Self { config, weights, tokenizer, tokenizer_json })
    }

    /// The configuration, its temperature taken from the weights.
    pub const fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The weights.
    pub const fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The tokenizer.
    pub const fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The tokenizer's file, as it was read.
    pub fn tokenizer_json(&self) -> &[u8] {
        &self.tokenizer_json
    }

    /// The image tower as [`image_graph`] writes it.
    ///
    /// # Errors
    /// As [`image_graph`].
    pub fn image_graph(&self, options: &GraphOptions) -> Result<OnnxFile, ExportError> {
        image_graph(&self.config.architecture, &self.config.preprocess, &self.weights, options)
    }

    /// The text tower as [`text_graph`] writes it.
    ///
    /// # Errors
    /// As [`text_graph`].
    pub fn text_graph(&self, options: &GraphOptions) -> Result<OnnxFile, ExportError> {
        text_graph(&self.config.architecture, &self.weights, options)
    }
}

/// Why a checkpoint cannot be exported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// `model.toml` cannot be used.
    #[error("{} is not a model configuration", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<ModelConfigError>,
    },
    /// Weights or sizes that make no graph.
    #[error(transparent)]
    Graph(#[from] ExportError),
    /// The tokenizer is not one.
    #[error("tokenizer.json cannot be used")]
    Tokenizer(#[from] TokenizeError),
    /// Token ids beyond the word embedding.
    #[error("the tokenizer has {tokens} tokens, the word embedding {rows} rows")]
    Vocabulary {
        /// Size of the vocabulary.
        tokens: usize,
        /// Rows of the word embedding.
        rows: usize,
    },
    /// Sequences beyond the position embedding.
    #[error("tokenizer.max_length is {max_length}, the position embedding has {positions} rows")]
    Positions {
        /// Longest sequence.
        max_length: usize,
        /// Rows of the position embedding.
        positions: usize,
    },
}

fn read_config(path: PathBuf) -> Result<ModelConfig, CheckpointError> {
    let bytes = read(path.clone())?;
    ModelConfig::parse(&String::from_utf8_lossy(&bytes))
        .map_err(|source| CheckpointError::Config { path, source: Box::new(source) })
}

/// Most bytes of a file that is not weights; a tokenizer is the largest.
const MAX_BYTES: u64 = 64 << 20;

fn read(path: PathBuf) -> Result<Vec<u8>, CheckpointError> {
    read_regular(&path, MAX_BYTES).map_err(|source| CheckpointError::Read { path, source })
}

impl From<WeightsError> for CheckpointError {
    fn from(error: WeightsError) -> Self {
        Self::Graph(error.into())
    }
}
