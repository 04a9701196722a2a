//! Why an input has no scores.

use std::any::Any;
use std::borrow::Cow;

use medclip_core::budget::TooMuchMemory;
use serde::{Deserialize, Serialize};

/// Why an input has no scores: a kind to count and filter by, and a message for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// One word or a few joined by `_`, the same for the same sort of fault.
    pub kind: Cow<'static, str>,
    /// What is wrong with this input, on one line.
    pub message: String,
}

impl Failure {
    /// Kind of an input that alone needs more memory than the whole run may use. The message has both figures. A run that goes on
    /// with more memory scores it again.
    pub const TOO_MUCH_MEMORY: &'static str = "too_much_memory";

    /// A failure of this kind.
    #[allow(clippy::needless_pass_by_value, reason = "errors and texts alike come here to end")]
    pub fn new(kind: impl Into<Cow<'static, str>>, message: impl ToString) -> Self {
        let message = message.to_string();
        let words: Vec<&str> = message.split_whitespace().collect();
        Self { kind: kind.into(), message: words.join(" ") }
    }

    /// An input that alone needs more than the budget.
    pub fn too_much_memory(error: TooMuchMemory) -> Self {
        Self::new(Self::TOO_MUCH_MEMORY, error)
    }

    /// What a panic left behind.
    pub(crate) fn panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("of an unknown sort");
        Self::new("panic", format!("a fault in the program, please report it: {text}"))
    }
}
