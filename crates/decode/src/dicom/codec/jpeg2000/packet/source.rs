//! Where the headers and the data of packets stand.

use super::Decoder;
use super::bits::Bits;
use crate::dicom::codec::jpeg2000::codestream::TilePart;

/// Packet headers of the main header, by tile-part (PPM, T.800, A.7.4).
pub(super) struct Packed(Vec<Vec<u8>>);

impl Packed {
    /// None where they are cut off.
    pub(super) fn read(segments: &[&[u8]], decoder: Decoder) -> Option<Self> {
        let mut segments: Vec<_> = segments.iter().map(|body| body.split_first()).collect::<Option<_>>()?;
        segments.sort_by_key(|(number, _)| **number);
        let mut parts = Vec::new();
        match decoder {
            Decoder::Plain => {
                // Those of a tile-part may begin in one segment and end in another.
                let joined: Vec<u8> = segments.iter().flat_map(|(_, body)| *body).copied().collect();
                split::<4>(&joined, &mut parts)?;
            }
            Decoder::HighThroughput => {
                segments.iter().try_for_each(|(_, body)| split::<2>(body, &mut parts))?;
                parts.retain(|part: &Vec<u8>| !part.is_empty());
            }
        }
        Some(Self(parts))
    }

    pub(super) fn part(&self, index: usize) -> Option<&[u8]> {
        self.0.get(index).map(Vec::as_slice)
    }
}

/// Splits data into pieces, each behind a length of `N` bytes.
fn split<const N: usize>(mut data: &[u8], pieces: &mut Vec<Vec<u8>>) -> Option<()> {
    while !data.is_empty() {
        let (length, rest) = data.split_first_chunk::<N>()?;
        let length = length.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
        let (piece, rest) = rest.split_at_checked(length)?;
        pieces.push(piece.to_vec());
        data = rest;
    }
    Some(())
}

/// Headers and data of the packets of a tile-part.
pub(super) struct Source<'a> {
    /// Where the tile-part's data starts in the codestream.
    start: usize,
    body: Bits<'a>,
    /// Headers that stand apart, in pieces; where there are none, they stand before the data of each packet.
    headers: Vec<Bits<'a>>,
    piece: usize,
}

impl<'a> Source<'a> {
    pub(super) fn of(part: &TilePart<'a>, packed: Option<&'a [u8]>) -> Self {
        let mut pieces: Vec<_> = part.packed.iter().filter_map(|body| body.split_first()).collect();
        pieces.sort_by_key(|(number, _)| **number);
        let headers = pieces.into_iter().map(|(_, body)| body).chain(packed).map(Bits::new).collect();
        Self { start: part.start, body: Bits::new(part.data), headers, piece: 0 }
    }

    /// Where the next header is read.
    pub(super) fn header(&mut self) -> &mut Bits<'a> {
        // Like the decoders, one piece at a time: they stop at two empty ones.
        if self.headers.get(self.piece).is_some_and(Bits::at_end) && self.piece + 1 < self.headers.len() {
            self.piece += 1;
        }
        self.headers.get_mut(self.piece).unwrap_or(&mut self.body)
    }

    pub(super) fn body(&mut self) -> &mut Bits<'a> {
        &mut self.body
    }

    /// Takes so many bytes of data, and where they start in the codestream.
    pub(super) fn data(&mut self, count: u64) -> Option<(usize, &'a [u8])> {
        let (start, data) = self.body.bytes(count)?;
        Some((self.start + start, data))
    }
}
