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
use crate::precision::{Precision, TowerKind};
use crate::preprocess::{PreprocessError, Preprocessor};
use crate::prompt::{PromptError, PromptSet};
use crate::quantization::{Quantization, QuantizationError};
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
    /// The image tower with its weights stored in half precision.
    ImageGraphFp16,
    /// Weights that lie outside of it.
    ImageWeightsFp16,
    /// The image tower with 8-bit layers.
    ImageGraphInt8,
    /// Weights that lie outside of it.
    ImageWeightsInt8,
    /// The text tower with its weights stored in half precision.
    TextGraphFp16,
    /// Weights that lie outside of it.
    TextWeightsFp16,
    /// The text tower with 8-bit layers.
    TextGraphInt8,
    /// Weights that lie outside of it.
    TextWeightsInt8,
    /// How the towers in further precisions were made and what they cost: [`Quantization`].
    Quantization,
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
    pub const OPTIONAL: [Self; 13] = [
        Self::ImageWeights,
        Self::TextWeights,
        Self::Certificate,
        Self::Intake,
        Self::ImageGraphFp16,
        Self::ImageWeightsFp16,
        Self::ImageGraphInt8,
        Self::ImageWeightsInt8,
        Self::TextGraphFp16,
        Self::TextWeightsFp16,
        Self::TextGraphInt8,
        Self::TextWeightsInt8,
        Self::Quantization,
    ];

    /// Whether the file is part of the model itself. A certificate and intake checks tell about the model, and a tower in a further
    /// precision is made of it: with or without them it is the same model and has the same [`Bundle::id`].
    pub const fn is_of_model(self) -> bool {
        match self {
            Self::Model
            | Self::ImageGraph
            | Self::TextGraph
            | Self::Tokenizer
            | Self::Prompts
            | Self::PromptBank
            | Self::Golden
            | Self::Card
            | Self::ImageWeights
            | Self::TextWeights => true,
            Self::Certificate
            | Self::Intake
            | Self::ImageGraphFp16
            | Self::ImageWeightsFp16
            | Self::ImageGraphInt8
            | Self::ImageWeightsInt8
            | Self::TextGraphFp16
            | Self::TextWeightsFp16
            | Self::TextGraphInt8
            | Self::TextWeightsInt8
            | Self::Quantization => false,
        }
    }

    /// A tower's graph in a precision, and the file of weights that may lie beside it.
    pub const fn tower(tower: TowerKind, precision: Precision) -> [Self; 2] {
        match (tower, precision) {
            (TowerKind::Image, Precision::Fp32) => [Self::ImageGraph, Self::ImageWeights],
            (TowerKind::Image, Precision::Fp16) => [Self::ImageGraphFp16, Self::ImageWeightsFp16],
            (TowerKind::Image, Precision::Int8) => [Self::ImageGraphInt8, Self::ImageWeightsInt8],
            (TowerKind::Text, Precision::Fp32) => [Self::TextGraph, Self::TextWeights],
            (TowerKind::Text, Precision::Fp16) => [Self::TextGraphFp16, Self::TextWeightsFp16],
            (TowerKind::Text, Precision::Int8) => [Self::TextGraphInt8, Self::TextWeightsInt8],
        }
    }

    /// Files that are put beside a model that is in its place already.
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
            Self::ImageGraphFp16 => "image.fp16.onnx",
            Self::ImageWeightsFp16 => "image.fp16.onnx.data",
            Self::ImageGraphInt8 => "image.int8.onnx",
            Self::ImageWeightsInt8 => "image.int8.onnx.data",
            Self::TextGraphFp16 => "text.fp16.onnx",
            Self::TextWeightsFp16 => "text.fp16.onnx.data",
            Self::TextGraphInt8 => "text.int8.onnx",
            Self::TextWeightsInt8 => "text.int8.onnx.data",
            Self::Quantization => "quantization.json",
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
    /// The report of further precisions.
    #[error("{}", path.display())]
    Quantization {
        /// `quantization.json`.
        path: PathBuf,
        /// What is wrong with it.
        source: QuantizationError,
    },
    /// A tower in a further precision that the report does not know.
    #[error("{} is not in {}", path.display(), BundleFile::Quantization.file_name())]
    Unreported {
        /// The graph.
        path: PathBuf,
    },
    /// A file was made from other files than those beside it.
    #[error("{} was made from another {of}", path.display())]
    Stale {
        /// `prompt_bank.safetensors`, `golden.safetensors` or `quantization.json`.
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
    quantization: Quantization,
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
        let quantization = match files.binary_search(&BundleFile::Quantization) {
            Ok(_) => read_quantization(read(BundleFile::Quantization)?, &sums)?,
            Err(_) => Quantization::default(),
        };
        refuse_unreported(&directory, &files, &quantization)?;
        Ok(Self { directory, id, config, preprocessor, prompts, bank, golden, intake, quantization, files })
    }

    /// Where the bundle lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// SHA-256 of the lines of `SHA256SUMS` that are of the model, 64 hexadecimal digits. What tells about the model or is
    /// made of it does not change it: see [`BundleFile::is_of_model`].
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

    /// The towers it holds in further precisions.
    pub const fn quantization(&self) -> &Quantization {
        &self.quantization
    }

    /// Whether it holds a tower in a precision.
    pub fn has(&self, tower: TowerKind, precision: Precision) -> bool {
        let [graph, _] = BundleFile::tower(tower, precision);
        self.files.contains(&graph)
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

fn read_quantization(
    (path, bytes): (PathBuf, Vec<u8>),
    sums: &BTreeMap<String, String>,
) -> Result<Quantization, BundleError> {
    let report = Quantization::from_bytes(&bytes)
        .map_err(|source| BundleError::Quantization { path: path.clone(), source })?;
    for each in &report.towers {
        let [source, _] = BundleFile::tower(each.tower, Precision::Fp32);
        let [graph, _] = BundleFile::tower(each.tower, each.precision);
        for (file, recorded) in [(source, &each.source_sha256), (graph, &each.graph_sha256)] {
            if sums.get(file.file_name()) != Some(recorded) {
                return Err(BundleError::Stale { path, of: file.file_name() });
            }
        }
    }
    Ok(report)
}

/// A graph that no report tells about was made of who knows what.
fn refuse_unreported(
    directory: &Path,
    files: &[BundleFile],
    report: &Quantization,
) -> Result<(), BundleError> {
    for tower in TowerKind::ALL {
        for precision in [Precision::Fp16, Precision::Int8] {
            let [graph, _] = BundleFile::tower(tower, precision);
            if files.contains(&graph) && report.tower(tower, precision).is_none() {
                return Err(BundleError::Unreported { path: directory.join(graph.file_name()) });
            }
        }
    }
    Ok(())
}
