//! Archives in a build that does not read them.

use std::path::Path;

use medclip_scorer::Failure;

use crate::source::Member;

/// Stands in for the reader of members.
#[derive(Debug, Default)]
pub struct ArchiveReader(());

impl ArchiveReader {
    /// Refuses.
    ///
    /// # Errors
    /// [`Failure`] of kind `archive_left_out`.
    #[allow(clippy::unused_self, clippy::needless_pass_by_ref_mut, reason = "as the reader of other builds")]
    pub fn read(&mut self, _path: &Path, _member: &Member) -> Result<Vec<u8>, Failure> {
        Err(left_out())
    }
}

/// Why nothing is read from an archive.
pub(super) fn left_out() -> Failure {
    Failure::new("archive_left_out", "is an archive, which this program was built without (feature archives)")
}
