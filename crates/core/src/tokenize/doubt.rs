//! What of a sentence a model cannot take in.

use thiserror::Error;

/// Part of a sentence's tokens, one in so many, from which on unknown ones take its meaning.
///
/// A WordPiece vocabulary spells out every word whose letters it has, so a sound prompt has no unknown token at all: none of
/// the prompts that ship has one. A third leaves room for a name or a sign in a sentence, and none for a vocabulary of another
/// language or case, where it is the words that matter that are unknown.
const UNKNOWN_PART: usize = 3;

/// Something that a sentence loses on its way to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TextDoubt {
    /// No token is left of it.
    #[error("it gives no token; write words that the vocabulary knows")]
    Nothing,
    /// It is longer than the model reads.
    #[error("it has {tokens} tokens, of which the model reads {room}; shorten it")]
    Cut {
        /// Tokens it has.
        tokens: usize,
        /// Tokens there is room for.
        room: usize,
    },
    /// Words that the vocabulary does not know.
    #[error(
        "{unknown} of its {tokens} tokens are unknown to the vocabulary; use other words, and check that the vocabulary \
         is of this language and case"
    )]
    Unknown {
        /// Tokens that are unknown.
        unknown: usize,
        /// Tokens it has.
        tokens: usize,
    },
}

impl TextDoubt {
    /// Of a sentence of so many tokens, so many of them unknown, where there is room for so many.
    pub(super) fn of(tokens: usize, unknown: usize, room: usize) -> Vec<Self> {
        let nothing = (tokens == 0).then_some(Self::Nothing);
        let cut = (tokens > room).then_some(Self::Cut { tokens, room });
        let unknown = (unknown > 0).then_some(Self::Unknown { unknown, tokens });
        nothing.into_iter().chain(cut).chain(unknown).collect()
    }

    /// Whether a sentence like this cannot mean what it says: it is cut, gives nothing, or a third of it or more is unknown.
    pub const fn is_grave(self) -> bool {
        match self {
            Self::Nothing | Self::Cut { .. } => true,
            Self::Unknown { unknown, tokens } => unknown.saturating_mul(UNKNOWN_PART) >= tokens,
        }
    }
}
