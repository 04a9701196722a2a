//! Functional groups: attributes of one frame or of all of an enhanced multi-frame object.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::element::DataSet;

/// The groups that hold for a frame.
#[derive(Debug)]
pub(crate) struct Functional<'d, 'a> {
    frame: Option<&'d DataSet<'a>>,
    shared: Option<&'d DataSet<'a>>,
}

impl<'d, 'a> Functional<'d, 'a> {
    pub(crate) fn of(data: &'d DataSet<'a>, frame: u32) -> Self {
        Self {
            frame: data.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).get(frame as usize),
            shared: data.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first(),
        }
    }

    /// The item of a group, the frame's own first.
    pub(crate) fn find(&self, group: Tag) -> Option<&'d DataSet<'a>> {
        [self.frame, self.shared].into_iter().flatten().find_map(|groups| groups.items(group).first())
    }
}
