//! Why a pickle is refused.

use std::io;

use thiserror::Error;

/// Why a pickle is refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PickleFault {
    /// It names something that is not part of a state dictionary.
    #[error("the file calls {0}; refused: save the model's state_dict() alone, which calls nothing")]
    Calls(String),
    /// An operation that no state dictionary needs.
    #[error("the file uses the pickle operation {0}; refused")]
    Operation(String),
    /// It sets attributes of something that has none here.
    #[error("the file sets the state of {0}; refused")]
    State(&'static str),
    /// More steps or bytes than any state dictionary takes.
    #[error("the file's description of its tensors is too large: more than {limit} {unit}")]
    TooLarge {
        /// Most there may be.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
    /// It does not hold together.
    #[error("the file's description of its tensors is damaged: {0}")]
    Malformed(String),
    /// It ends early, or the system does not give it.
    #[error("the file's description of its tensors cannot be read: {0}")]
    Read(io::Error),
}

impl From<io::Error> for PickleFault {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}
