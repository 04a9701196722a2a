//! Functional groups: attributes of one frame or of all of an enhanced multi-frame object.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::element::DataSet;
use super::problem::Problem;

/// The groups that hold for a frame.
#[derive(Debug)]
pub(crate) struct Functional<'d, 'a> {
    frame: Option<&'d DataSet<'a>>,
    shared: Option<&'d DataSet<'a>>,
}

impl<'d, 'a> Functional<'d, 'a> {
    /// Groups that cannot be read may have held what the values depend on.
    pub(crate) fn of(data: &'d DataSet<'a>, frame: u32) -> Result<Self, Problem> {
        let frames =
            data.sequence(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, "PerFrameFunctionalGroupsSequence")?;
        let shared =
            data.sequence(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, "SharedFunctionalGroupsSequence")?;
        Ok(Self { frame: frames.get(frame as usize), shared: shared.first() })
    }

    /// The item of a group, the frame's own first.
    pub(crate) fn find(&self, group: Tag) -> Option<&'d DataSet<'a>> {
        [self.frame, self.shared].into_iter().flatten().find_map(|groups| groups.items(group).first())
    }
}
