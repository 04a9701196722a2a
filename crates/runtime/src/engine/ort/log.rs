//! What ONNX Runtime logs while it fails: often the only place that says why, such as which library of CUDA is missing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use ort::logging::{LogLevel, LoggerFunction};
use thiserror::Error;
use tracing::{debug, info, trace, warn};

use crate::engine::EngineFailure;

/// Messages kept.
const KEPT: usize = 4;

static ERRORS: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Hands messages on as events, one level lower than ONNX Runtime has them, and keeps the latest errors.
pub(super) fn logger() -> LoggerFunction {
    Arc::new(|level, category: &str, _id: &str, location: &str, message: &str| {
        let message = message.trim();
        match level {
            LogLevel::Verbose => trace!(category, location, "{message}"),
            LogLevel::Info => debug!(category, location, "{message}"),
            LogLevel::Warning => info!(category, location, "{message}"),
            LogLevel::Error | LogLevel::Fatal => warn!(category, location, "{message}"),
        }
        if matches!(level, LogLevel::Error | LogLevel::Fatal) {
            let mut errors = ERRORS.lock().unwrap_or_else(PoisonError::into_inner);
            if errors.len() == KEPT {
                errors.pop_front();
            }
            errors.push_back(message.to_owned());
        }
    })
}

/// ONNX Runtime's error, with what it logged beside it.
#[derive(Debug, Error)]
#[error("{message}")]
struct Failure {
    message: String,
}

/// `call`, its error joined by what was logged meanwhile. Logs of calls side by side may mix.
pub(super) fn explained<T>(call: impl FnOnce() -> ort::Result<T>) -> Result<T, EngineFailure> {
    take();
    call().map_err(|error| {
        let mut message = error.to_string();
        for logged in take() {
            if !logged.contains(&message) && !message.contains(&logged) {
                message = format!("{message}; {logged}");
            }
        }
        Failure { message }.into()
    })
}

fn take() -> VecDeque<String> {
    std::mem::take(&mut *ERRORS.lock().unwrap_or_else(PoisonError::into_inner))
}
