//! Why an input has no scores.

use std::any::Any;
use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Kind of the failure of a film that alone takes more memory than the run may use. A run that may use more scores it again.
pub const TOO_MUCH_MEMORY: &str = "too_much_memory";

/// Why an input has no scores: a kind to count and filter by, and a message for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// One word or a few joined by `_`, the same for the same sort of fault.
    pub kind: Cow<'static, str>,
    /// What is wrong with this input, on one line.
    pub message: String,
}

impl Failure {
    /// A failure of this kind.
    #[allow(clippy::needless_pass_by_value, reason = "errors and texts alike come here to end")]
    pub fn new(kind: impl Into<Cow<'static, str>>, message: impl ToString) -> Self {
        let message = message.to_string();
        let words: Vec<&str> = message.split_whitespace().collect();
        Self { kind: kind.into(), message: words.join(" ") }
    }

    /// What a panic left behind.
    pub(crate) fn panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("of an unknown sort");
        Self::new("panic", format!("a fault in the program, please report it: {text}"))
    }
}
