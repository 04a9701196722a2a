//! Markers, and the segments behind them.

/// A marker in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) code: u8,
    /// Where it starts.
    pub(super) start: usize,
    /// Behind its two bytes.
    pub(super) end: usize,
}

/// The first marker at or behind `at`. What lies before it is skipped, and so are the bytes that may fill up before a marker.
pub(super) fn next(stream: &[u8], at: usize) -> Option<Marker> {
    let mut from = at;
    loop {
        let found = from + stream.get(from..)?.iter().position(|&byte| byte == 0xff)?;
        match *stream.get(found + 1)? {
            0 => from = found + 2,
            0xff => from = found + 1,
            code => return Some(Marker { code, start: found, end: found + 2 }),
        }
    }
}

/// Whether a marker has no segment: restarts, the ends of images, and one without a meaning.
pub(super) const fn is_alone(code: u8) -> bool {
    matches!(code, 0x01 | 0xd0..=0xd9)
}

pub(super) const fn is_restart(code: u8) -> bool {
    matches!(code, 0xd0..=0xd7)
}

/// The segment whose length stands at `at`, without that; none where the stream ends inside of it.
pub(super) fn body(stream: &[u8], at: usize) -> Option<&[u8]> {
    let &length = stream.get(at..)?.first_chunk()?;
    let length = usize::from(u16::from_be_bytes(length));
    stream.get(at + 2..at + length.max(2))
}

/// Bytes before the image that are no part of it: any number may fill up before a marker, and some writers pad with zeros.
#[cfg(feature = "dicom")]
pub(crate) fn start_of_image(stream: &[u8]) -> Option<usize> {
    /// More is no padding.
    const MOST: usize = 64;
    let start = stream.windows(3).take(MOST).position(|three| matches!(three, [0xff, 0xd8, 0xff]))?;
    stream[..start].iter().all(|byte| matches!(byte, 0 | 0xff)).then_some(start)
}
