//! What can be wrong with a phrase list.

use thiserror::Error;

/// Why phrase lists could not be made into a [`Labeler`](crate::Labeler).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PhraseError {
    /// The list is not the TOML that [`PhraseLists`](crate::PhraseLists) describes.
    #[error("phrase list {list} is not valid TOML")]
    Parse {
        /// Which list.
        list: &'static str,
        /// What the TOML reader says.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A family or rule names a finding that is not one of the 14.
    #[error("{owner:?} names the unknown finding {finding:?}")]
    UnknownFinding {
        /// The family or rule.
        owner: String,
        /// The name it gives.
        finding: String,
    },
    /// A phrase does not follow the phrase grammar.
    #[error("phrase {phrase:?}: {reason}")]
    Grammar {
        /// The phrase as written.
        phrase: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A spoken sign is not one that the labeler knows.
    #[error("{words:?} stands for {sign:?}, but a spoken sign must be one of . , ; : ?")]
    Sign {
        /// The words.
        words: String,
        /// What they stand for.
        sign: String,
    },
    /// The lists together make a matcher that is too large.
    #[error("the phrases of {owner:?} do not compile")]
    Compile {
        /// The family or rule.
        owner: String,
        /// What the regular-expression compiler says.
        #[source]
        source: Box<regex::Error>,
    },
}
