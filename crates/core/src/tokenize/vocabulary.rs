//! A `vocab.txt`, as BERT is published with, to a `tokenizer.json`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::TokenizeError;

/// Tokens that are never split and never part of a word.
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// Words with capitals that a vocabulary without case may have, one in so many: some have a few added.
const STRAY: usize = 100;

/// Whether a vocabulary tells capitals from small letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterCase {
    /// It has words with capitals.
    Cased,
    /// It has small letters alone: of text that is not lower-cased, every word with a capital is unknown.
    Uncased,
    /// It has no Latin letters.
    Neither,
}

impl LetterCase {
    /// That of these tokens.
    pub(super) fn of<'a>(tokens: impl Iterator<Item = &'a str>) -> Self {
        let is_special = |token: &&str| token.starts_with('[') && token.ends_with(']');
        let (mut small, mut capital) = (0_usize, 0_usize);
        for token in tokens.filter(|token| !is_special(token)) {
            capital += usize::from(token.bytes().any(|byte| byte.is_ascii_uppercase()));
            small += usize::from(token.bytes().any(|byte| byte.is_ascii_lowercase()));
        }
        match (small, capital) {
            (0, 0) => Self::Neither,
            _ if capital * STRAY < small => Self::Uncased,
            _ => Self::Cased,
        }
    }
}

/// The contents of a `tokenizer.json` that splits text as Hugging Face's `BertTokenizer` does with the vocabulary
/// `text`, one token a line in the order of ids.
///
/// # Errors
/// [`TokenizeError::Duplicate`] for a token that stands there twice, [`TokenizeError::MissingToken`] for a
/// vocabulary without BERT's special tokens; `[MASK]` may be absent.
pub fn from_vocabulary(text: &str, lowercase: bool) -> Result<Vec<u8>, TokenizeError> {
    let mut seen = BTreeSet::new();
    let mut vocabulary = Map::new();
    for (id, token) in text.lines().enumerate() {
        if !seen.insert(token) {
            return Err(TokenizeError::Duplicate { line: id + 1, token: token.to_owned() });
        }
        vocabulary.insert(token.to_owned(), id.into());
    }
    let mut added = Vec::new();
    for token in SPECIAL {
        match vocabulary.get(token) {
            Some(id) => added.push(special(token, id)),
            None if token == "[MASK]" => {}
            None => return Err(TokenizeError::MissingToken(token)),
        }
    }
    added.sort_by_key(|token| token["id"].as_u64());
    let file = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
            "lowercase": lowercase,
        },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": null,
        "decoder": { "type": "WordPiece", "prefix": "##", "cleanup": true },
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary,
        },
    });
    Ok(file.to_string().into_bytes())
}

fn special(token: &str, id: &Value) -> Value {
    json!({
        "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
        "special": true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_tell_the_case() {
        let many: Vec<String> = (0..300).map(|index| format!("w{index}x")).collect();
        let with = |more: &[&'static str]| {
            LetterCase::of(many.iter().map(String::as_str).chain(more.iter().copied()))
        };
        assert_eq!(with(&["[PAD]", "[unused1]", "[UNK]", "##s"]), LetterCase::Uncased);
        assert_eq!(with(&["XXXX", "T1"]), LetterCase::Uncased, "a few that were added");
        assert_eq!(with(&["The", "No", "A", "Heart", "##S"]), LetterCase::Cased);
        assert_eq!(LetterCase::of(["[PAD]", "心", "1", "."].into_iter()), LetterCase::Neither);
    }
}
