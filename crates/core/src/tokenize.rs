//! Sentence to token ids, for BERT towers.

#[cfg(not(feature = "text"))]
mod absent;
mod doubt;
mod vocabulary;
#[cfg(feature = "text")]
mod wordpiece;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::batch::TokenBatch;
use medclip_files::read_typed;

#[cfg(not(feature = "text"))]
use absent::Wordpiece;
pub use doubt::TextDoubt;
pub use vocabulary::{LetterCase, from_vocabulary};
#[cfg(feature = "text")]
use wordpiece::Wordpiece;

/// What `tokenizer.json` leaves open or gets wrong; travels with the weights in `model.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenizerConfig {
    /// Whether text is lower-cased, whatever the file says: the vocabulary of `Bio_ClinicalBERT` is cased, yet its
    /// published tokenizer lower-cases.
    pub lowercase: bool,
    /// Longest sequence in tokens, `[CLS]` and `[SEP]` included; the rest of a sentence is cut.
    pub max_length: usize,
}

/// Most bytes of a file with a tokenizer; those of the largest vocabularies in use have some 20 MB.
pub(crate) const MAX_FILE_BYTES: u64 = 64 << 20;

/// Most bytes of a sentence: no model reads that many, and none is worth the memory of its tokens.
const MAX_SENTENCE_BYTES: usize = 1 << 18;

impl TokenizerConfig {
    /// Fewest tokens that leave room for one of the sentence's own.
    pub const MIN_LENGTH: usize = 3;
    /// Most tokens accepted.
    pub const MAX_LENGTH: usize = 8192;
}

/// Why sentences could not become tokens.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TokenizeError {
    /// This build reads no sentences.
    #[error("this build reads no sentences; build with feature `text`")]
    NotBuilt,
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not a tokenizer file.
    #[error("not a tokenizer.json: {0}")]
    Malformed(String),
    /// A tokenizer of another kind than BERT's.
    #[error("the tokenizer's {part} is not BERT's, and no other is supported")]
    Unsupported {
        /// The section of the file.
        part: &'static str,
    },
    /// A token that BERT's layout needs is not in the vocabulary.
    #[error("the vocabulary has no {0}")]
    MissingToken(&'static str),
    /// A token that a vocabulary lists twice.
    #[error("line {line} of the vocabulary repeats `{token}`")]
    Duplicate {
        /// The line, from 1.
        line: usize,
        /// The token.
        token: String,
    },
    /// A sequence length nothing can be done with.
    #[error(
        "max_length is {0}, must be from {min} to {max}",
        min = TokenizerConfig::MIN_LENGTH,
        max = TokenizerConfig::MAX_LENGTH
    )]
    MaxLength(usize),
    /// The vocabulary has ids that the text tower has no embedding for.
    #[error("the vocabulary has {tokenizer} ids, the text tower {tower}")]
    Vocabulary {
        /// Largest id plus one.
        tokenizer: usize,
        /// Rows of the word embedding.
        tower: usize,
    },
    /// A sentence that the tokenizer fails on.
    #[error("cannot tokenize sentence {index}: {reason}")]
    Sentence {
        /// Position in the batch, from 1.
        index: usize,
        /// The tokenizer's own words.
        reason: String,
    },
    /// The tokenizer of a bundle that cannot be read, or is not the one that was verified.
    #[error(transparent)]
    Bundle(Box<dyn std::error::Error + Send + Sync>),
    /// Nothing to make a batch of.
    #[error("a batch needs at least one sentence")]
    Empty,
    /// An error with the file it is in.
    #[error("{} cannot be used as a tokenizer", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<TokenizeError>,
    },
}

/// A WordPiece tokenizer in BERT's layout: `[CLS] tokens… [SEP]`, padded with `[PAD]`.
///
/// From the file come the vocabulary, the added tokens and how text is cleaned and split. Its truncation, padding and
/// post-processor sections are ignored: they differ between copies of one model.
pub struct Tokenizer {
    inner: Wordpiece,
    config: TokenizerConfig,
    cls: u32,
    sep: u32,
    pad: u32,
    unknown: u32,
}

impl Tokenizer {
    /// Whether this build has it (feature `text`). Without it no file is read, and none of the others is missed.
    pub const IS_BUILT: bool = cfg!(feature = "text");

    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// [`TokenizeError`] when the file cannot be read, is not a tokenizer, or not one of BERT's kind.
    pub fn open(path: impl AsRef<Path>, config: TokenizerConfig) -> Result<Self, TokenizeError> {
        let path = path.as_ref();
        let bytes = read_typed(path, MAX_FILE_BYTES)
            .map_err(|source| TokenizeError::Read { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes, config)
            .map_err(|source| TokenizeError::File { path: path.to_owned(), source: Box::new(source) })
    }

    /// A tokenizer from the contents of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`TokenizeError::NotBuilt`] in a build without feature `text`.
    /// [`TokenizeError`] when the bytes are not a tokenizer, or not one of BERT's kind.
    pub fn from_bytes(bytes: &[u8], config: TokenizerConfig) -> Result<Self, TokenizeError> {
        if !(TokenizerConfig::MIN_LENGTH..=TokenizerConfig::MAX_LENGTH).contains(&config.max_length) {
            return Err(TokenizeError::MaxLength(config.max_length));
        }
        let inner = Wordpiece::parse(bytes, config.lowercase)?;
        let special = |token| inner.id(token).ok_or(TokenizeError::MissingToken(token));
        let unknown = special("[UNK]")?;
        let (cls, sep, pad) = (special("[CLS]")?, special("[SEP]")?, special("[PAD]")?);
        Ok(Self { inner, config, cls, sep, pad, unknown })
    }

    /// The configuration.
    pub const fn config(&self) -> &TokenizerConfig {
        &self.config
    }

    /// Id of `[PAD]`.
    pub const fn pad_id(&self) -> u32 {
        self.pad
    }

    /// Largest id plus one: the fewest rows the word embedding must have.
    pub fn vocab_size(&self) -> usize {
        self.inner.vocabulary(true).into_values().max().map_or(0, |id| id as usize + 1)
    }

    /// Ids of one sentence, `[CLS]` and `[SEP]` included, cut to `max_length`.
    ///
    /// # Errors
    /// [`TokenizeError::Sentence`] when the tokenizer fails.
    pub fn encode(&self, sentence: &str) -> Result<Vec<u32>, TokenizeError> {
        self.encode_at(0, sentence)
    }

    /// What a model cannot take in of a sentence: tokens that are cut or unknown, or that there are none.
    ///
    /// # Errors
    /// [`TokenizeError::Sentence`] when the tokenizer fails.
    pub fn doubts(&self, sentence: &str) -> Result<Vec<TextDoubt>, TokenizeError> {
        let own = self.own_tokens(0, sentence)?;
        let unknown = own.iter().filter(|id| **id == self.unknown).count();
        Ok(TextDoubt::of(own.len(), unknown, self.config.max_length - 2))
    }

    /// Whether the vocabulary has words with capitals.
    pub fn letter_case(&self) -> LetterCase {
        let vocabulary = self.inner.vocabulary(false);
        LetterCase::of(vocabulary.keys().map(String::as_str))
    }

    /// Ids of every sentence, padded to the longest of them.
    ///
    /// # Shapes
    /// Returns `[sentences, tokens of the longest]`.
    ///
    /// # Errors
    /// [`TokenizeError::Sentence`] when the tokenizer fails, [`TokenizeError::Empty`] for no sentences.
    pub fn batch<S: AsRef<str>>(&self, sentences: &[S]) -> Result<TokenBatch, TokenizeError> {
        let encoded = sentences
            .iter()
            .enumerate()
            .map(|(index, sentence)| self.encode_at(index, sentence.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        let longest = encoded.iter().map(Vec::len).max().ok_or(TokenizeError::Empty)?;
        let mut ids = Vec::with_capacity(encoded.len() * longest);
        let mut mask = Vec::with_capacity(encoded.len() * longest);
        for tokens in &encoded {
            let filled = ids.len() + longest;
            ids.extend(tokens.iter().map(|&id| i64::from(id)));
            ids.resize(filled, i64::from(self.pad));
            mask.resize(mask.len() + tokens.len(), 1);
            mask.resize(filled, 0);
        }
        Ok(TokenBatch::new(ids, mask, [encoded.len(), longest]))
    }

    fn encode_at(&self, index: usize, sentence: &str) -> Result<Vec<u32>, TokenizeError> {
        let own = self.own_tokens(index, sentence)?.into_iter().take(self.config.max_length - 2);
        Ok(std::iter::once(self.cls).chain(own).chain([self.sep]).collect())
    }

    /// All tokens of a sentence but those around it; `index` counts from 0.
    fn own_tokens(&self, index: usize, sentence: &str) -> Result<Vec<u32>, TokenizeError> {
        let failed = |reason| TokenizeError::Sentence { index: index + 1, reason };
        if sentence.len() > MAX_SENTENCE_BYTES {
            return Err(failed(format!(
                "it has {} bytes, at most {MAX_SENTENCE_BYTES} are read",
                sentence.len()
            )));
        }
        self.inner.ids(sentence).map_err(failed)
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokenizer").field("config", &self.config).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(feature = "text")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const VOCABULARY: [&str; 12] =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "heart", "is", "large", "##r", ".", "Heart", "e"];

    fn file() -> Value {
        let vocab: serde_json::Map<String, Value> =
            VOCABULARY.iter().enumerate().map(|(id, token)| ((*token).to_owned(), id.into())).collect();
        json!({
            "version": "1.0",
            "truncation": {"max_length": 4, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
            "padding": {"strategy": {"Fixed": 9}, "direction": "Left", "pad_to_multiple_of": null,
                "pad_id": 7, "pad_type_id": 0, "pad_token": "[X]"},
            "added_tokens": [],
            "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                "strip_accents": null, "lowercase": true},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": null,
            "decoder": null,
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": vocab},
        })
    }

    fn tokenizer(lowercase: bool, max_length: usize) -> Tokenizer {
        let bytes = serde_json::to_vec(&file()).unwrap();
        Tokenizer::from_bytes(&bytes, TokenizerConfig { lowercase, max_length }).unwrap()
    }

    #[test]
    fn pads_to_the_longest_whatever_the_file_says() {
        let batch = tokenizer(true, 77).batch(&["The heart is larger.", "", "Zebra"]).unwrap();
        assert_eq!(batch.shape(), [3, 8]);
        assert_eq!(batch.ids()[..8], [2, 4, 5, 6, 7, 8, 9, 3]);
        assert_eq!(batch.ids()[8..16], [2, 3, 0, 0, 0, 0, 0, 0]);
        assert_eq!(batch.ids()[16..], [2, 1, 3, 0, 0, 0, 0, 0]);
        assert_eq!(batch.mask()[8..16], [1, 1, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn lower_casing_is_the_configurations_choice() {
        let sentence = "Heart";
        assert_eq!(tokenizer(true, 8).encode(sentence).unwrap(), [2, 5, 3]);
        assert_eq!(tokenizer(false, 8).encode(sentence).unwrap(), [2, 10, 3]);
        assert_eq!(tokenizer(true, 8).encode("é").unwrap(), [2, 11, 3], "accents go with the case");
        assert_eq!(tokenizer(false, 8).encode("é").unwrap(), [2, 1, 3]);
    }

    #[test]
    fn long_sentences_keep_their_end_token() {
        let long = "the heart ".repeat(1000);
        assert_eq!(tokenizer(true, 5).encode(&long).unwrap(), [2, 4, 5, 4, 3]);
    }

    #[test]
    fn other_tokenizers_are_refused() {
        let refuse = |edit: fn(&mut Value)| {
            let mut value = file();
            edit(&mut value);
            let config = TokenizerConfig { lowercase: true, max_length: 77 };
            Tokenizer::from_bytes(&serde_json::to_vec(&value).unwrap(), config).unwrap_err().to_string()
        };
        assert!(refuse(|file| file["normalizer"] = Value::Null).contains("normalizer"));
        assert!(refuse(|file| file["model"]["vocab"] = json!({"[UNK]": 0, "[CLS]": 1})).contains("[SEP]"));
        assert!(
            refuse(|file| file["model"] = json!({"type": "WordLevel", "vocab": {}, "unk_token": "u"}))
                .contains("model")
        );
        assert!(refuse(|file| file["model"] = json!(3)).starts_with("not a tokenizer.json"));
        for (max_length, bytes) in [(2, "{}"), (77, ""), (77, "{}"), (77, "null"), (77, "\u{0}")] {
            let config = TokenizerConfig { lowercase: true, max_length };
            assert!(Tokenizer::from_bytes(bytes.as_bytes(), config).is_err());
        }
        assert!(matches!(tokenizer(true, 77).batch::<&str>(&[]), Err(TokenizeError::Empty)));
    }

    #[test]
    fn a_damaged_file_is_an_error_and_never_a_panic() {
        let bytes = serde_json::to_vec(&file()).unwrap();
        let config = TokenizerConfig { lowercase: true, max_length: 77 };
        for position in 0..bytes.len() {
            for mask in [0x01, 0x10, 0x80] {
                let mut damaged = bytes.clone();
                damaged[position] ^= mask;
                if let Ok(tokenizer) = Tokenizer::from_bytes(&damaged, config.clone()) {
                    let _ = tokenizer.encode("The heart is larger é 心.");
                }
            }
            assert!(Tokenizer::from_bytes(&bytes[..position], config.clone()).is_err());
        }
    }
}
