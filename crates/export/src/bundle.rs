//! A checkpoint as a bundle: both graphs, the configuration, the tokenizer, and the prompts embedded once.

use std::error::Error;
use std::fmt;
use std::path::Path;

use medclip_core::bank::{BankError, PromptBank, Provenance};
use medclip_core::batch::Embeddings;
use medclip_core::bundle::{BundleError, BundleFile, BundleWriter};
use medclip_core::model::ModelConfig;
use medclip_core::prompt::{PromptError, PromptSet, sentences};
use medclip_core::tokenize::Tokenizer;
use thiserror::Error;

use crate::checkpoint::Checkpoint;
use crate::error::ExportError;
use crate::options::{GraphOptions, Storage};

/// What a bundle holds that a checkpoint does not. Both texts are kept to the byte.
#[derive(Debug, Clone, Copy)]
pub struct BundleContents<'a> {
    /// Zero-shot classes, as [`PromptSet::parse`] takes them.
    pub prompts: &'a str,
    /// Model card, in Markdown.
    pub card: &'a str,
}

/// How a bundle is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleOptions {
    /// The image graph; single precision by default.
    pub image: GraphOptions,
    /// The text graph; weights in half precision by default, as most of it is one large table.
    pub text: GraphOptions,
    /// Whether a bundle that is already there is replaced; not by default.
    pub replace: bool,
}

impl Default for BundleOptions {
    fn default() -> Self {
        Self {
            image: GraphOptions { storage: Storage::F32 },
            text: GraphOptions { storage: Storage::F16 },
            replace: false,
        }
    }
}

/// Sentences to embed with the text graph that goes into the bundle.
#[non_exhaustive]
pub struct PromptRequest<'a> {
    /// The ONNX file; [`crate::names`] lists its inputs and output.
    pub graph: &'a [u8],
    /// What `model.toml` will say.
    pub config: &'a ModelConfig,
    /// Makes the graph's inputs.
    pub tokenizer: &'a Tokenizer,
    /// What to embed: of each class the positive prompts, then the negative ones.
    pub sentences: &'a [&'a str],
}

impl fmt::Debug for PromptRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PromptRequest")
            .field("graph_len", &self.graph.len())
            .field("sentences", &self.sentences.len())
            .finish_non_exhaustive()
    }
}

/// Writes the bundle `directory`: whole, or not at all.
///
/// `embed` runs the engine of the caller's choice on the text graph and returns a unit-norm embedding for every
/// sentence, in order. It is handed sentences rather than tokens, so that it can batch them as it will when the
/// bundle is used; under reference pooling that decides the embeddings.
///
/// # Errors
/// [`WriteBundleError`] when a graph cannot be written, the prompts cannot be parsed, `embed` fails or returns
/// something other than one unit vector of the joint space per sentence, or the directory cannot be written.
pub fn write_bundle<E>(
    checkpoint: &Checkpoint,
    contents: BundleContents<'_>,
    options: &BundleOptions,
    directory: impl AsRef<Path>,
    embed: impl FnOnce(&PromptRequest<'_>) -> Result<Embeddings, E>,
) -> Result<(), WriteBundleError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    write_bundle_if(checkpoint, contents, options, directory, embed, |_| Ok(()))
}

/// [`write_bundle`], if `accept` has nothing against the bundle: it gets the path where the bundle is whole and can be
/// opened, but not yet in its place.
///
/// # Errors
/// Those of [`write_bundle`], and [`WriteBundleError::Refused`].
pub fn write_bundle_if<E>(
    checkpoint: &Checkpoint,
    contents: BundleContents<'_>,
    options: &BundleOptions,
    directory: impl AsRef<Path>,
    embed: impl FnOnce(&PromptRequest<'_>) -> Result<Embeddings, E>,
    accept: impl FnOnce(&Path) -> Result<(), Box<dyn Error + Send + Sync>>,
) -> Result<(), WriteBundleError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let config = checkpoint.config();
    let model = toml::to_string(config).map_err(WriteBundleError::Config)?;
    let classes = PromptSet::parse(contents.prompts)?.expand();
    let mut writer = BundleWriter::create(directory, options.replace)?;

    writer.add(BundleFile::Model, model.as_bytes())?;
    writer.add(BundleFile::Tokenizer, checkpoint.tokenizer_json())?;
    writer.add(BundleFile::Card, contents.card.as_bytes())?;
    writer.add(BundleFile::ImageGraph, &checkpoint.image_graph(&options.image)?)?;
    let text_graph = checkpoint.text_graph(&options.text)?;
    let provenance = Provenance {
        prompts_sha256: writer.add(BundleFile::Prompts, contents.prompts.as_bytes())?.to_owned(),
        text_graph_sha256: writer.add(BundleFile::TextGraph, &text_graph)?.to_owned(),
    };

    let sentences = sentences(&classes);
    let request = PromptRequest {
        graph: &text_graph,
        config,
        tokenizer: checkpoint.tokenizer(),
        sentences: &sentences,
    };
    let embeddings = embed(&request).map_err(|error| WriteBundleError::Embed(error.into()))?;
    let (actual, expected) = (embeddings.dim(), config.architecture.embedding_dim);
    if actual != expected {
        return Err(WriteBundleError::Dimension { actual, expected });
    }
    let bank = PromptBank::build(classes, embeddings)?.with_provenance(provenance);
    writer.add(BundleFile::PromptBank, &bank.to_bytes()?)?;
    writer.finish_if(|bundle| accept(bundle).map_err(WriteBundleError::Refused))
}

/// Why a bundle was not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteBundleError {
    /// A graph cannot be written.
    #[error(transparent)]
    Graph(#[from] ExportError),
    /// The prompts are no prompt file.
    #[error("the prompts cannot be used")]
    Prompts(#[from] PromptError),
    /// The configuration has no TOML form.
    #[error("cannot write model.toml")]
    Config(#[source] toml::ser::Error),
    /// The engine failed on the text graph.
    #[error("cannot embed the prompts")]
    Embed(#[source] Box<dyn Error + Send + Sync>),
    /// The engine returned vectors of another space.
    #[error("the prompts were embedded in {actual} dimensions, the joint space has {expected}")]
    Dimension {
        /// Width of what was returned.
        actual: usize,
        /// Width of the joint space.
        expected: usize,
    },
    /// The embeddings make no prompt bank.
    #[error("the prompts were not embedded")]
    Bank(#[from] BankError),
    /// The caller does not accept the bundle.
    #[error("the bundle is refused")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// The directory cannot be written.
    #[error("the bundle cannot be written")]
    Write(#[from] BundleError),
}
