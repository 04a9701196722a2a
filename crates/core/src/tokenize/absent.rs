//! No tokenizer: a build without feature `text`.

use std::collections::HashMap;

use super::TokenizeError;

/// What this build has none of.
pub(super) enum Wordpiece {}

impl Wordpiece {
    /// Refuses every file.
    pub(super) const fn parse(_: &[u8], _: bool) -> Result<Self, TokenizeError> {
        Err(TokenizeError::NotBuilt)
    }

    pub(super) const fn id(&self, _: &str) -> Option<u32> {
        match *self {}
    }

    pub(super) const fn vocabulary(&self, _: bool) -> HashMap<String, u32> {
        match *self {}
    }

    pub(super) const fn ids(&self, _: &str) -> Result<Vec<u32>, String> {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use crate::tokenize::{TokenizeError, Tokenizer, TokenizerConfig};

    #[test]
    fn a_tokenizer_is_refused_by_the_name_of_the_feature() {
        let config = TokenizerConfig { lowercase: true, max_length: 77 };
        let refused = Tokenizer::from_bytes(b"{}", config).unwrap_err();
        assert!(matches!(refused, TokenizeError::NotBuilt) && refused.to_string().contains("feature `text`"));
    }
}
