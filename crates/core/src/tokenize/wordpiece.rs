//! WordPiece by the crate `tokenizers`.

use std::collections::HashMap;

use tokenizers::{ModelWrapper, NormalizerWrapper, PostProcessorWrapper};

use super::TokenizeError;
use crate::guard::catch_quietly;

/// Most letters of a word that are looked up in pieces. BERT's limit is 100; longer words are unknown.
const MAX_WORD_CHARS: usize = 1000;

/// A `tokenizer.json`: the vocabulary, and how text is cleaned and split.
pub(super) struct Wordpiece(tokenizers::Tokenizer);

impl Wordpiece {
    /// Reads one of BERT's kind.
    pub(super) fn parse(bytes: &[u8], lowercase: bool) -> Result<Self, TokenizeError> {
        catch_quietly(|| parse(bytes, lowercase)).map_err(TokenizeError::Malformed)?.map(Self)
    }

    /// Id of a token.
    pub(super) fn id(&self, token: &str) -> Option<u32> {
        self.0.token_to_id(token)
    }

    /// Every token with its id, the added ones too where they are wanted.
    pub(super) fn vocabulary(&self, added: bool) -> HashMap<String, u32> {
        self.0.get_vocab(added)
    }

    /// Ids of a sentence's own tokens, or why there are none.
    pub(super) fn ids(&self, sentence: &str) -> Result<Vec<u32>, String> {
        let encoding =
            catch_quietly(|| self.0.encode_fast(sentence, false))?.map_err(|error| error.to_string())?;
        Ok(encoding.get_ids().to_vec())
    }
}

fn parse(bytes: &[u8], lowercase: bool) -> Result<tokenizers::Tokenizer, TokenizeError> {
    let malformed = |error: tokenizers::Error| TokenizeError::Malformed(error.to_string());
    // Compiled in tokenizers, where its `from_bytes` would be compiled here.
    let text = str::from_utf8(bytes).map_err(|error| TokenizeError::Malformed(error.to_string()))?;
    let mut inner: tokenizers::Tokenizer = text.parse().map_err(malformed)?;
    let ModelWrapper::WordPiece(model) = inner.get_model() else {
        return Err(TokenizeError::Unsupported { part: "model" });
    };
    // Pieces of a word are looked for from every letter to every other.
    if model.max_input_chars_per_word > MAX_WORD_CHARS {
        return Err(TokenizeError::Unsupported { part: "max_input_chars_per_word" });
    }
    let Some(NormalizerWrapper::BertNormalizer(mut normalizer)) = inner.get_normalizer().cloned() else {
        return Err(TokenizeError::Unsupported { part: "normalizer" });
    };
    normalizer.lowercase = lowercase;
    inner.with_normalizer(Some(normalizer)).map_err(malformed)?;
    inner.with_truncation(None).map_err(malformed)?;
    inner.with_padding(None);
    inner.with_post_processor(None::<PostProcessorWrapper>);
    Ok(inner)
}
