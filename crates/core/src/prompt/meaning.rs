//! Whether a model can tell the prompts of a class apart.

use std::collections::BTreeMap;

use super::{ExpandedClass, PromptError};
use crate::tokenize::Tokenizer;

/// Characters of a sentence that a message quotes.
const QUOTED: usize = 80;

/// Fails where prompts cannot mean what they say to a model with this tokenizer.
///
/// # Errors
/// [`PromptError::Doubtful`] for a sentence that gives no token, is cut, or is unknown to a third or more
/// ([`TextDoubt::is_grave`](crate::tokenize::TextDoubt::is_grave)); [`PromptError::SameTokens`] for sentences on both sides
/// of a class that have the same tokens; [`PromptError::Tokenize`].
pub fn check_meaning(classes: &[ExpandedClass], tokenizer: &Tokenizer) -> Result<(), PromptError> {
    for ExpandedClass { name, positive, negative } in classes {
        for (polarity, sentences) in [("positive", positive), ("negative", negative)] {
            for sentence in sentences {
                let doubts = tokenizer.doubts(sentence)?;
                if let Some(doubt) = doubts.into_iter().find(|doubt| doubt.is_grave()) {
                    let (class, sentence) = (name.clone(), sentence.clone());
                    return Err(PromptError::Doubtful { class, polarity, sentence, doubt });
                }
            }
        }
        let mut against = BTreeMap::new();
        for sentence in negative {
            against.insert(tokenizer.encode(sentence)?, sentence);
        }
        for positive in positive {
            if let Some(negative) = against.get(&tokenizer.encode(positive)?) {
                let (class, positive) = (name.clone(), positive.clone());
                return Err(PromptError::SameTokens { class, positive, negative: (*negative).clone() });
            }
        }
    }
    Ok(())
}

/// The start of a sentence.
pub(super) fn quoted(sentence: &str) -> String {
    let mut start: String = sentence.chars().take(QUOTED).collect();
    if start.len() < sentence.len() {
        start.push('…');
    }
    start
}
