//! Weights as a checkpoint, with everything that they leave open as the bundle has it.

use std::path::PathBuf;

use medclip_core::architecture::{TextPooling, TextTower};
use medclip_export::{
    Checkpoint, ImportNote, ImportOptions, Imported, Mode, import, says_lowercase, stated_heads,
};
use medclip_runtime::{Bundle, BundleFile};

use crate::observer::{Observer, Progress};
use crate::verify::error::AgainstError;
use crate::vocabulary;

/// The weights as a checkpoint.
pub(super) struct Opened {
    pub(super) checkpoint: Checkpoint,
    /// What neither the weights nor what lies beside them states.
    pub(super) not_compared: Vec<String>,
    pub(super) is_directory: bool,
    /// Whether its tokenizer is its own, not the bundle's.
    pub(super) has_tokenizer: bool,
}

/// A checkpoint directory, or files as [`import_bundle`](crate::import_bundle) takes them, with everything that is neither in them nor beside
/// them as the bundle has it.
pub(super) fn open(
    weights: &[PathBuf],
    part: Option<&str>,
    bundle: &Bundle,
    observer: &mut dyn Observer,
) -> Result<Opened, AgainstError> {
    if let [directory] = weights
        && directory.is_dir()
    {
        let checkpoint = Checkpoint::open(directory)?;
        return Ok(Opened { checkpoint, not_compared: Vec::new(), is_directory: true, has_tokenizer: true });
    }
    let config = bundle.config();
    let TextTower::Bert(text) = &config.architecture.text;
    let stated = |path: &PathBuf| stated_heads(path, text.hidden_size, text.num_hidden_layers);
    let heads = weights.iter().find_map(stated);
    let mut not_compared = Vec::new();
    if heads.is_none() {
        not_compared.push(
            "the attention heads of the text tower: no config.json beside the weights states them".to_owned(),
        );
    }
    let beside = weights.first().and_then(|first| vocabulary::beside(first));
    let lowercase = config.tokenizer.lowercase
        || beside.as_ref().and_then(|path| says_lowercase(path)).is_some_and(|lowers| lowers);
    let options = ImportOptions {
        name: config.name.clone(),
        description: config.description.clone(),
        image_size: config.preprocess.image_size,
        text_heads: Some(heads.map_or(text.num_attention_heads, |(heads, _)| heads)),
        lowercase: Some(lowercase),
        part: part.map(str::to_owned),
        max_length: config.tokenizer.max_length,
        mode: match text.pooling {
            TextPooling::Masked => Mode::Paper,
            TextPooling::Reference => Mode::Reference,
        },
    };
    let has_tokenizer = beside.is_some();
    let tokenizer = beside.unwrap_or_else(|| bundle.path(BundleFile::Tokenizer));
    let Imported { checkpoint, notes, .. } =
        import(weights, tokenizer, &options).map_err(|error| AgainstError::Import(Box::new(error)))?;
    for note in notes.iter().filter(|note| matches!(note, ImportNote::Weights(_))) {
        observer.tell(Progress::Note(note));
    }
    Ok(Opened { checkpoint, not_compared, is_directory: false, has_tokenizer })
}
