//! Weights that PyTorch saved, as a bundle.

mod error;
mod tower;

use std::path::{Path, PathBuf};

use medclip_core::prompt::{PromptDoubts, sentences};
use medclip_core::stop::Stopped;
use medclip_core::{ModelConfig, PromptSet};
use medclip_export::{
    BundleContents, BundleOptions, Checkpoint, GraphOptions, ImportOptions, Imported, Mode, Storage, import,
    write_bundle_if,
};
use medclip_files::check_vacant;
use medclip_phantom::Phantom;
use medclip_runtime::Model;
use tracing::info_span;

use crate::engine::embed;
use crate::observer::{Observer, Progress};
use crate::text::{card, read_text};
use crate::vocabulary;
pub use error::{ImportBundleError, TryOutError};
pub use tower::{KnownTower, describe_image_tower, describe_text_tower};

/// Prompts for the findings of CheXpert, those of the models that ship.
const PROMPTS: &str = include_str!("../data/chest-xray.toml");

/// What weights alone do not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportBundleOptions {
    /// Files of the other tower, where they were saved apart, or further shards.
    pub also: Vec<PathBuf>,
    /// Part of the files to take, as [`ImportOptions::part`]; by default the model's weights as they are.
    pub part: Option<String>,
    /// The image tower that the weights must have; by default whichever it is.
    pub tower: Option<KnownTower>,
    /// `vocab.txt` or `tokenizer.json`; by default the one beside the weights.
    pub tokenizer: Option<PathBuf>,
    /// Whether sentences are lower-cased; by default as `tokenizer.json` says.
    pub lowercase: Option<bool>,
    /// Longest sentence in tokens; 77 by default.
    pub max_length: usize,
    /// Attention heads of the text tower; by default as [`ImportOptions::text_heads`].
    pub heads: Option<usize>,
    /// Side of the image in pixels; 224 by default.
    pub image_size: usize,
    /// Whose behavior; that of the paper by default.
    pub mode: Mode,
    /// File of zero-shot classes (TOML); by default the 14 findings of `CheXpert`.
    pub prompts: Option<PathBuf>,
    /// File of the model card (Markdown); by default name and description of the model.
    pub card: Option<PathBuf>,
    /// Name of the model; by default that of the bundle's directory.
    pub name: Option<String>,
    /// Whether a bundle that is already there is replaced; not by default.
    pub replace: bool,
}

impl Default for ImportBundleOptions {
    fn default() -> Self {
        Self {
            also: Vec::new(),
            part: None,
            tower: None,
            tokenizer: None,
            lowercase: None,
            max_length: 77,
            heads: None,
            image_size: 224,
            mode: Mode::Paper,
            prompts: None,
            card: None,
            name: None,
            replace: false,
        }
    }
}

/// Writes the MedCLIP that a PyTorch program saved as the bundle `target`, and returns its configuration.
///
/// Nothing in the files is executed. Both towers are in single precision. The bundle is put in place only after it scored an
/// image. `observer` is told what the files left open and which prompts may not mean what they say.
///
/// # Errors
/// [`ImportBundleError`]; nothing is written then.
pub fn import_bundle(
    weights: &Path,
    target: &Path,
    options: &ImportBundleOptions,
    observer: &mut dyn Observer,
) -> Result<ModelConfig, ImportBundleError> {
    check_vacant(target, options.replace)?;
    let _span = info_span!("import", files = 1 + options.also.len()).entered();
    let files: Vec<&Path> =
        std::iter::once(weights).chain(options.also.iter().map(PathBuf::as_path)).collect();
    let tokenizer = match &options.tokenizer {
        Some(path) => path.clone(),
        None => vocabulary::beside(weights)
            .ok_or_else(|| ImportBundleError::NoVocabulary { weights: weights.to_owned() })?,
    };
    let unstated = import_options(weights, target, options);
    let Imported { checkpoint, notes, .. } =
        import(&files, tokenizer, &unstated).map_err(|error| ImportBundleError::Weights(Box::new(error)))?;
    for note in &notes {
        observer.tell(Progress::Note(note));
    }
    let found = &checkpoint.config().architecture.image;
    if let Some(expected) = options.tower.filter(|tower| !tower.is(found)) {
        let (found, expected) = (describe_image_tower(found), expected.name());
        return Err(ImportBundleError::OtherTower { found, expected });
    }
    let prompts = options.prompts.as_deref().map_or_else(|| Ok(PROMPTS.to_owned()), read_text)?;
    let card = card(options.card.as_deref(), checkpoint.config())?;
    // Published figures want published precision.
    let exact = GraphOptions { storage: Storage::F32 };
    let write =
        BundleOptions { image: exact, text: exact, replace: options.replace, ..BundleOptions::default() };
    tell_doubts(&prompts, &checkpoint, observer)?;
    if observer.is_stopped() {
        return Err(Stopped.into());
    }
    let contents = BundleContents { prompts: &prompts, card: &card };
    write_bundle_if(&checkpoint, contents, &write, target, embed, |bundle| Ok(try_out(bundle)?))?;
    Ok(checkpoint.config().clone())
}

fn import_options(weights: &Path, target: &Path, options: &ImportBundleOptions) -> ImportOptions {
    let of = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    ImportOptions {
        name: options.name.clone().or_else(|| of(target)).unwrap_or_else(|| "imported".to_owned()),
        description: format!("Imported from {}", of(weights).unwrap_or_default()),
        image_size: options.image_size,
        text_heads: options.heads,
        lowercase: options.lowercase,
        part: options.part.clone(),
        max_length: options.max_length,
        mode: options.mode,
    }
}

/// Tells how many prompts lose something, with the first of them.
fn tell_doubts(
    prompts: &str,
    checkpoint: &Checkpoint,
    observer: &mut dyn Observer,
) -> Result<(), ImportBundleError> {
    let classes = PromptSet::parse(prompts).map_err(ImportBundleError::Prompts)?.expand();
    let doubts = PromptDoubts::of(sentences(&classes), |prompt| checkpoint.tokenizer().doubts(prompt));
    if let Some(doubts) = doubts.map_err(ImportBundleError::Tokenize)? {
        observer.tell(Progress::Doubts(&doubts));
    }
    Ok(())
}

/// Opens a bundle and scores an image with it.
fn try_out(bundle: &Path) -> Result<(), TryOutError> {
    let model = Model::open(bundle)?;
    let batch = model.preprocessor().batch(&[Phantom::random(0, 256)?.render()])?;
    model.embed_images(&batch)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::PROMPTS;

    #[test]
    fn the_prompts_are_those_of_the_models_that_ship() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/prompts/chest-xray.toml");
        assert_eq!(PROMPTS, fs::read_to_string(shipped).unwrap());
    }
}
