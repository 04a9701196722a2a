//! The vocabulary of a model that is imported.

use std::path::Path;

use medclip_core::tokenize::{TokenizeError, from_vocabulary};
use medclip_files::{read_regular, read_typed};
use serde_json::Value;

use super::ImportError;

/// Most bytes of a vocabulary; the largest in use have some 20 MB.
const MAX_BYTES: u64 = 64 << 20;

/// A `tokenizer.json`, read or made.
pub(super) struct Vocabulary {
    pub(super) json: Vec<u8>,
    pub(super) lowercase: bool,
}

impl Vocabulary {
    /// Reads a `tokenizer.json` or `vocab.txt`; `lowercase` overrides what the former says.
    pub(super) fn read(path: &Path, lowercase: Option<bool>) -> Result<Self, ImportError> {
        let bytes = read_typed(path, MAX_BYTES)
            .map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
        if let Some(lowers) = of_json(&bytes) {
            return Ok(Self { json: bytes, lowercase: lowercase.unwrap_or(lowers) });
        }
        let fail = |source| ImportError::Tokenizer { path: path.to_owned(), source };
        let text =
            String::from_utf8(bytes).map_err(|error| fail(TokenizeError::Malformed(error.to_string())))?;
        let lowercase = lowercase.unwrap_or(false);
        Ok(Self { json: from_vocabulary(&text, lowercase).map_err(fail)?, lowercase })
    }
}

/// Whether a `tokenizer.json` says that text is lower-cased; none for a `vocab.txt`, which cannot, and for a file that
/// cannot be read.
pub fn says_lowercase(path: &Path) -> Option<bool> {
    of_json(&read_regular(path, MAX_BYTES).ok()?)
}

fn of_json(bytes: &[u8]) -> Option<bool> {
    let json = serde_json::from_slice::<Value>(bytes).ok()?;
    Some(json.pointer("/normalizer/lowercase").and_then(Value::as_bool).unwrap_or(false))
}
