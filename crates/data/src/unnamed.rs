//! Errors of this crate in words that name no film and no patient.

use std::error::Error;

use crate::error::TableError;
use crate::manifest::ManifestError;
use crate::reports::ReportsError;
use crate::selection::SelectionError;
use crate::teacher::TeacherError;

/// An error of this crate, without its cause, in words that name no film and no patient; none for errors of others.
pub fn unnamed(error: &(dyn Error + 'static)) -> Option<String> {
    let table = || error.downcast_ref().map(TableError::unnamed);
    let manifest = || error.downcast_ref().map(ManifestError::unnamed);
    let reports = || error.downcast_ref().map(ReportsError::unnamed);
    let selection = || error.downcast_ref().map(SelectionError::unnamed);
    let teacher = || error.downcast_ref().map(TeacherError::unnamed);
    table().or_else(manifest).or_else(reports).or_else(selection).or_else(teacher)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn errors_of_this_crate_lose_their_names_and_others_are_not_known() {
        let table = "path,x\na.png\n".as_bytes();
        let error = crate::read_manifest_from(table).unwrap_err();
        assert_eq!(unnamed(&error), Some(error.unnamed()));
        let twice = "id,text\nSmith,a\nSmith,b\n".as_bytes();
        let error = crate::read_reports_from(twice).unwrap_err();
        assert!(error.to_string().contains("Smith"), "{error}");
        assert!(unnamed(&error).is_some_and(|words| !words.contains("Smith")));
        assert_eq!(unnamed(&io::Error::other("Smith")), None);
    }
}
