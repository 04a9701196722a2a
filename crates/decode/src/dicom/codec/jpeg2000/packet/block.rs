//! What is known of a code block between packets.

/// The state of a code block, and in the end what it holds.
#[derive(Debug, Clone, Copy)]
pub(in crate::dicom::codec::jpeg2000) struct Block {
    /// Coding passes.
    pub(in crate::dicom::codec::jpeg2000) passes: u8,
    /// Bytes of data.
    pub(in crate::dicom::codec::jpeg2000) bytes: u64,
    pub(super) is_included: bool,
    /// Of the number that tells a length (Lblock, B.10.7.1).
    pub(super) length_bits: u32,
}

impl Block {
    pub(super) const NEW: Self = Self { passes: 0, bytes: 0, is_included: false, length_bits: 3 };
}
