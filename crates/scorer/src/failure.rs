//! Why a film has no scores.

use std::borrow::Cow;

use medclip_core::budget::TooMuchMemory;
use medclip_core::causes::with_causes;
use medclip_decode::Reason;
use serde::{Deserialize, Serialize};

/// Why a film has no scores: a kind to count and filter by, and a message for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// One word or a few joined by `_`, the same for the same sort of fault.
    pub kind: Cow<'static, str>,
    /// What is wrong with this film, on one line.
    pub message: String,
}

impl Failure {
    /// Kind of a film that alone needs more memory than all films may use. The message has both figures. A run that goes on
    /// with more memory scores it again.
    pub const TOO_MUCH_MEMORY: &'static str = "too_much_memory";

    /// Kind of a film whose scores the policy of the checks withholds.
    pub const WITHHELD: &'static str = "withheld";

    /// Kind of a film on which the engine failed.
    pub const ENGINE: &'static str = "engine";

    /// A failure of this kind.
    #[allow(clippy::needless_pass_by_value, reason = "errors and texts alike come here to end")]
    pub fn new(kind: impl Into<Cow<'static, str>>, message: impl ToString) -> Self {
        let message = message.to_string();
        let words: Vec<&str> = message.split_whitespace().collect();
        Self { kind: kind.into(), message: words.join(" ") }
    }

    /// A film that alone needs more than the budget.
    pub fn too_much_memory(error: TooMuchMemory) -> Self {
        Self::new(Self::TOO_MUCH_MEMORY, error)
    }

    /// A film that could not be read or decoded.
    pub fn of_file(reason: &Reason) -> Self {
        Self::new(reason.code(), reason)
    }

    /// An engine that failed, with all its causes.
    pub fn engine(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::new(Self::ENGINE, with_causes(error))
    }

    /// A fault in this program, by the message of its panic.
    pub fn panic(message: &str) -> Self {
        Self::new("panic", format!("a fault in the program, please report it: {message}"))
    }
}
