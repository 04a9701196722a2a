//! Errors in words that name no film and no patient.

use std::error::Error;

use medclip_core::causes::{joined, with_causes};

/// The error as it is where paths may be told; otherwise one that names rows instead of films, patients and cells.
pub(crate) fn told(error: anyhow::Error, log_paths: bool) -> anyhow::Error {
    if log_paths {
        return error;
    }
    let line = joined(error.chain().map(|cause| unnamed(cause).unwrap_or_else(|| cause.to_string())));
    if line == with_causes(error.as_ref()) { error } else { anyhow::anyhow!(line) }
}

fn unnamed(cause: &(dyn Error + 'static)) -> Option<String> {
    #[cfg(feature = "train")]
    if let Some(words) = medclip_train::data::unnamed(cause) {
        return Some(words);
    }
    medclip_archive::unnamed(cause)
}
