//! Errors in words that name no film and no patient.

use std::error::Error;

use crate::inputs::{InputError, ManifestError};
use crate::run::RunError;

/// An error of inputs and their tables, without its cause, in words that name no film and no patient; none for errors of others.
pub fn unnamed(error: &(dyn Error + 'static)) -> Option<String> {
    let of_input = || error.downcast_ref().map(InputError::unnamed);
    let of_manifest = || error.downcast_ref().map(ManifestError::unnamed);
    match error.downcast_ref() {
        Some(RunError::Inputs(error)) => Some(error.unnamed()),
        _ => of_input().or_else(of_manifest).or_else(|| medclip_data::unnamed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_cannot_list_its_inputs_names_none() {
        let twice = || InputError::Twice { first: 1, second: 3, id: "smith.png".to_owned() };
        let words = "inputs 1 and 3 are the same: name each film once";
        for error in [&twice() as &(dyn Error + 'static), &RunError::Inputs(twice())] {
            assert!(error.to_string().contains("smith"), "{error}");
            assert_eq!(unnamed(error).as_deref(), Some(words));
        }
        assert_eq!(unnamed(&RunError::Exists { path: "scores".into() }), None);
    }
}
