//! A model on disk: one directory, opened and verified in one place, written whole or not at all.

mod beside;
mod error;
mod file;
mod kind;
mod seen;
mod sums;
mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tracing::info_span;

use crate::architecture::{LogitScale, TextTower};
use crate::bank::PromptBank;
use crate::golden::Golden;
use crate::head::Head;
use crate::model::ModelConfig;
use crate::precision::{Precision, TowerKind};
use crate::preprocess::Preprocessor;
use crate::prompt::PromptSet;
use crate::quantization::Quantization;
use crate::tokenize::{TokenizeError, Tokenizer};

use seen::Seen;
use sums::Verified;

pub use error::BundleError;
pub use file::{BundleFile, TowerPart};
pub use kind::BUNDLE;
pub use writer::BundleWriter;

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
    seen: BTreeMap<BundleFile, Seen>,
}

impl Bundle {
    /// Opens the bundle in `directory` and verifies every file against `SHA256SUMS`.
    ///
    /// Each file is opened once: what is parsed is what was summed. Whoever opens a file by its [`path`](Self::path) afterwards
    /// asks [`Bundle::confirm`] that it still is the one that was summed.
    ///
    /// The files of the text tower may be left out, all of them together ([`BundleFile::is_of_text_tower`]): the sums name them,
    /// the identity stays, and [`Bundle::has_text_tower`] tells.
    ///
    /// # Errors
    /// [`BundleError`] naming the file that is missing, changed, unexpected in the sums, or malformed.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, BundleError> {
        let _span = info_span!("verify").entered();
        let directory = directory.as_ref();
        Self::of(directory.to_owned(), sums::verify(directory)?)
    }

    /// As [`Bundle::open`], of files in memory by name: for programs that hold a model in themselves, or fetch it.
    ///
    /// Its [`path`](Self::path)s lead nowhere: [`Bundle::memory`] has the contents. Graphs whose weights lie in a file beside them
    /// (those of 64 MiB and more) cannot be run from memory.
    ///
    /// # Errors
    /// As of [`Bundle::open`].
    pub fn from_bytes(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, BundleError> {
        let _span = info_span!("verify").entered();
        let verified = sums::verify_bytes(files.into_iter().collect())?;
        Self::of(PathBuf::from(sums::IN_MEMORY), verified)
    }

    fn of(directory: PathBuf, verified: Verified) -> Result<Self, BundleError> {
        let Verified { id, sums, files: mut seen } = verified;
        let mut read = |file: BundleFile| {
            let path = directory.join(file.file_name());
            // Taken out: a prompt bank need not be in memory twice.
            match seen.get_mut(&file).and_then(|seen| seen.bytes.take()) {
                Some(bytes) => Ok((path, bytes)),
                None => Err(BundleError::Io { path, source: std::io::ErrorKind::NotFound.into() }),
            }
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
            (BundleFile::TEXT_GRAPH, &provenance.text_graph_sha256),
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
        let has = |file: BundleFile| sums.contains_key(file.file_name());
        let intake = if has(BundleFile::Intake) {
            Some(read_intake(read(BundleFile::Intake)?, &id, config.architecture.embedding_dim)?)
        } else {
            None
        };
        let quantization = if has(BundleFile::Quantization) {
            read_quantization(read(BundleFile::Quantization)?, &sums)?
        } else {
            Quantization::default()
        };
        let files: Vec<BundleFile> = seen.keys().copied().collect();
        refuse_unreported(&directory, &files, &quantization)?;
        Ok(Self {
            directory,
            id,
            config,
            preprocessor,
            prompts,
            bank,
            golden,
            intake,
            quantization,
            files,
            seen,
        })
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

    /// The files that decide what a film's row says beside the model that [`Bundle::id`] identifies: intake checks, and the towers
    /// in a further `precision`. By name, with their SHA-256, and none for checks that are missing.
    pub fn deciding_sums(&self, precision: Precision) -> BTreeMap<&'static str, Option<&str>> {
        let towers = TowerKind::ALL.map(|tower| BundleFile::tower(tower, precision)).into_iter().flatten();
        let towers = towers.filter(|file| !file.is_of_model() && self.files.contains(file));
        towers
            .chain([BundleFile::Intake])
            .map(|file| (file.file_name(), self.seen.get(&file).map(Seen::sum)))
            .collect()
    }

    /// What `model.toml` says.
    pub const fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Image to pixels, as this model was trained.
    pub const fn preprocessor(&self) -> &Preprocessor {
        &self.preprocessor
    }

    /// Whether it can embed sentences. A copy whose text tower was left out cannot; the classes of its prompt bank are
    /// embedded already.
    pub fn has_text_tower(&self) -> bool {
        self.has(TowerKind::Text, Precision::Fp32)
    }

    /// Fails where sentences cannot be embedded.
    ///
    /// # Errors
    /// [`BundleError::NoTextTower`].
    pub fn require_text_tower(&self) -> Result<(), BundleError> {
        if self.has_text_tower() {
            return Ok(());
        }
        Err(BundleError::NoTextTower { directory: self.directory.clone() })
    }

    /// Reads the tokenizer, which is of the text tower ([`Bundle::require_text_tower`]).
    ///
    /// # Errors
    /// [`TokenizeError`] when the file cannot be used, or has ids that the text tower has no embedding for.
    pub fn tokenizer(&self) -> Result<Tokenizer, TokenizeError> {
        let path = self.path(BundleFile::Tokenizer);
        let in_file = |source| TokenizeError::File { path: path.clone(), source: Box::new(source) };
        let bytes = self.read(BundleFile::Tokenizer).map_err(|error| match error {
            BundleError::Io { path, source } => TokenizeError::Read { path, source },
            error => TokenizeError::Bundle(Box::new(error)),
        })?;
        let tokenizer = Tokenizer::from_bytes(&bytes, self.config.tokenizer.clone());
        let tokenizer = tokenizer.map_err(|error| match error {
            TokenizeError::NotBuilt => error,
            error => in_file(error),
        })?;
        let TextTower::Bert(bert) = &self.config.architecture.text;
        match tokenizer.vocab_size() {
            size if size > bert.vocab_size => {
                Err(in_file(TokenizeError::Vocabulary { tokenizer: size, tower: bert.vocab_size }))
            }
            _ => Ok(tokenizer),
        }
    }

    /// The contents of a file, which has to be the one that was verified.
    ///
    /// # Errors
    /// [`BundleError::Changed`] when it was exchanged since, [`BundleError::Io`] when it is not there or cannot be read.
    pub fn read(&self, file: BundleFile) -> Result<Vec<u8>, BundleError> {
        self.seen(file)?.reread(&self.path(file))
    }

    /// Fails unless a file still is the one that was verified, for whoever opened it by its path: an engine that has loaded it.
    ///
    /// # Errors
    /// [`BundleError::Changed`] when it was exchanged since, [`BundleError::Io`] when it is not there or cannot be read.
    pub fn confirm(&self, file: BundleFile) -> Result<(), BundleError> {
        self.seen(file)?.confirm(&self.path(file))
    }

    fn seen(&self, file: BundleFile) -> Result<&Seen, BundleError> {
        let missing =
            || BundleError::Io { path: self.path(file), source: std::io::ErrorKind::NotFound.into() };
        self.seen.get(&file).ok_or_else(missing)
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

    /// The files that are there, in the order of [`BundleFile`].
    pub fn files(&self) -> &[BundleFile] {
        &self.files
    }

    /// The contents of a file of a bundle in memory; none where the bundle lies in a directory.
    pub fn memory(&self, file: BundleFile) -> Option<&[u8]> {
        self.seen.get(&file)?.memory()
    }

    /// Where a file of the bundle lies.
    pub fn path(&self, file: BundleFile) -> PathBuf {
        self.directory.join(file.file_name())
    }
}

fn read_intake((path, bytes): (PathBuf, Vec<u8>), id: &str, dim: usize) -> Result<Head, BundleError> {
    let head = Head::from_verified_bytes(&bytes).and_then(|head| head.check(id, dim).map(|()| head));
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
        (BundleFile::IMAGE_GRAPH, &provenance.image_graph_sha256),
        (BundleFile::TEXT_GRAPH, &provenance.text_graph_sha256),
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
