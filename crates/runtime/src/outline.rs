//! What a bundle holds, as one value.

#[cfg(feature = "tables")]
mod table;

use std::io;
use std::path::PathBuf;

use medclip_core::ModelConfig;
use medclip_core::bundle::{Bundle, BundleFile};
use serde::Serialize;
use serde_json::Value;

use crate::error::LoadError;
use crate::graph::GraphInfo;

/// What a bundle holds; the fields are the keys of its JSON object.
#[derive(Debug, Clone, Serialize)]
pub struct BundleOutline<'a> {
    /// Its directory.
    pub path: String,
    /// SHA-256 of the file of sums, which names the bundle's content as a whole.
    pub id: &'a str,
    /// Natural logarithm of the factor that turns cosines into logits.
    pub logit_scale: f32,
    /// How it was made.
    pub config: &'a ModelConfig,
    /// Its files, in a fixed order.
    pub files: Vec<FileSize>,
    /// The classes of its prompt bank.
    pub classes: Vec<ClassPrompts<'a>>,
    /// The image tower's graph.
    pub image_graph: GraphInfo,
    /// None where the text tower was left out.
    pub text_graph: Option<GraphInfo>,
}

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileSize {
    /// Its name.
    pub name: &'static str,
    /// How long it is.
    pub bytes: u64,
}

/// How many sentences stand for a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassPrompts<'a> {
    /// The class.
    pub name: &'a str,
    /// Sentences that say that it is there.
    pub positive: usize,
    /// Sentences that say that it is not.
    pub negative: usize,
}

/// A file of the bundle could not be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutlineError {
    /// The system does not tell its length.
    #[error("{}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It is no graph.
    #[error(transparent)]
    Graph(#[from] LoadError),
}

impl<'a> BundleOutline<'a> {
    /// What `bundle` holds.
    ///
    /// # Errors
    /// [`OutlineError`] when a file went away or is no graph.
    pub fn of(bundle: &'a Bundle) -> Result<Self, OutlineError> {
        let text = bundle.has_text_tower().then(|| GraphInfo::read(&bundle.path(BundleFile::TEXT_GRAPH)));
        Ok(Self {
            path: bundle.directory().display().to_string(),
            id: bundle.id(),
            logit_scale: bundle.logit_scale().ln(),
            config: bundle.config(),
            files: file_sizes(bundle)?,
            classes: class_prompts(bundle),
            image_graph: GraphInfo::read(&bundle.path(BundleFile::IMAGE_GRAPH))?,
            text_graph: text.transpose()?,
        })
    }
}

fn file_sizes(bundle: &Bundle) -> Result<Vec<FileSize>, OutlineError> {
    let size = |file: BundleFile| {
        let path = bundle.path(file);
        match path.metadata() {
            Ok(metadata) => Ok(FileSize { name: file.file_name(), bytes: metadata.len() }),
            Err(source) => Err(OutlineError::Size { path, source }),
        }
    };
    bundle.files().iter().copied().map(size).collect()
}

fn class_prompts(bundle: &Bundle) -> Vec<ClassPrompts<'_>> {
    let classes = bundle.bank().classes().iter();
    let counts = classes.map(|class| ClassPrompts {
        name: &class.name,
        positive: class.positive.len(),
        negative: class.negative.len(),
    });
    counts.collect()
}

/// Fields of a flat configuration on one line, as `key value, key value`, without nested values.
///
/// # Errors
/// When the configuration has no JSON.
pub fn describe_fields(config: &impl Serialize) -> serde_json::Result<String> {
    // Through text, so that a single-precision number keeps its digits.
    let Value::Object(fields) = serde_json::from_str(&serde_json::to_string(config)?)? else {
        return Ok(String::new());
    };
    let flat = fields.iter().filter(|(_, value)| !value.is_array() && !value.is_object());
    let words: Vec<_> = flat
        .map(|(key, value)| match value.as_str() {
            Some(text) => format!("{key} {text}"),
            None => format!("{key} {value}"),
        })
        .collect();
    Ok(words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_fields_are_left_out_and_numbers_keep_their_digits() {
        #[derive(Serialize)]
        struct Config {
            kind: &'static str,
            mean: f32,
            blocks: Vec<u8>,
            none: Option<u8>,
        }
        let config = Config { kind: "bert", mean: 0.1, blocks: vec![1], none: None };
        assert_eq!(describe_fields(&config).unwrap(), "kind bert, mean 0.1, none null");
        assert_eq!(describe_fields(&3).unwrap(), "");
    }
}
