//! Errors in words that name no film and no patient.

use std::error::Error;

use medclip_archive::InputError;
use medclip_data::TableError;
#[cfg(feature = "train")]
use medclip_data::{ManifestError, ReportsError};
#[cfg(feature = "train")]
use medclip_train::data::DataError;

use medclip_core::causes::joined;

use crate::one_line;

/// The error as it is where paths may be told; otherwise one that names rows instead of films, patients and cells.
pub(crate) fn told(error: anyhow::Error, log_paths: bool) -> anyhow::Error {
    if log_paths {
        return error;
    }
    let line = joined(error.chain().map(unnamed));
    if line == one_line(&error) { error } else { anyhow::anyhow!(line) }
}

fn unnamed(cause: &(dyn Error + 'static)) -> String {
    if let Some(error) = cause.downcast_ref::<TableError>() {
        return error.unnamed();
    }
    if let Some(error) = cause.downcast_ref::<InputError>() {
        return error.unnamed();
    }
    if let Some(error) = cause.downcast_ref::<medclip_archive::inputs::ManifestError>() {
        return error.unnamed();
    }
    #[cfg(feature = "train")]
    {
        if let Some(error) = cause.downcast_ref::<DataError>() {
            return error.unnamed();
        }
        if let Some(error) = cause.downcast_ref::<ManifestError>() {
            return error.unnamed();
        }
        if let Some(error) = cause.downcast_ref::<ReportsError>() {
            return error.unnamed();
        }
    }
    cause.to_string()
}
