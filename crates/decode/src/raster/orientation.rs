//! Which way up an image is.
//!
//! # Source
//! CIPA DC-008 (Exif 3.0), 4.6.5.1.5: values 1 to 8 of the attribute Orientation.

const ORIENTATION: u16 = 0x0112;
const BYTE: u16 = 1;
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// How stored rows and columns have to be turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Orientation {
    /// Rows become columns, before anything else.
    transpose: bool,
    /// Left and right of the result change places.
    mirror: bool,
    /// Top and bottom of the result change places.
    flip: bool,
}

impl Orientation {
    /// Of the attribute's value; as it is stored where that means nothing.
    pub(super) const fn of_value(value: u32) -> Self {
        let (transpose, mirror, flip) = match value {
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, true, false),
            7 => (true, true, true),
            8 => (true, false, true),
            _ => (false, false, false),
        };
        Self { transpose, mirror, flip }
    }

    /// Of EXIF data, from its TIFF header on.
    pub(super) fn of_exif(exif: &[u8]) -> Self {
        Directory::first(exif)
            .and_then(|directory| directory.number(ORIENTATION))
            .map_or_else(Self::default, Self::of_value)
    }

    /// Turns rows of `width` pixels; gives the new width and height too.
    pub(super) fn apply(self, pixels: Vec<u8>, width: u32, height: u32) -> (Vec<u8>, u32, u32) {
        if self == Self::default() {
            return (pixels, width, height);
        }
        let (columns, rows) = (width as usize, height as usize);
        let (new_columns, new_rows) = if self.transpose { (rows, columns) } else { (columns, rows) };
        let mut turned = Vec::with_capacity(pixels.len());
        for y in 0..new_rows {
            let y = if self.flip { new_rows - 1 - y } else { y };
            for x in 0..new_columns {
                let x = if self.mirror { new_columns - 1 - x } else { x };
                turned.push(pixels[if self.transpose { x * columns + y } else { y * columns + x }]);
            }
        }
        (turned, new_columns as u32, new_rows as u32)
    }
}

/// An image file directory of a classic TIFF structure.
#[derive(Debug, Clone, Copy)]
struct Directory<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    at: usize,
}

impl<'a> Directory<'a> {
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let big_endian = match bytes.first_chunk()? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        let start = Self { bytes, big_endian, at: 0 };
        Some(Self { at: start.long(4)? as usize, ..start })
    }

    /// A whole number of an attribute with one value.
    fn number(self, attribute: u16) -> Option<u32> {
        let entries = usize::from(self.short(self.at)?);
        let entry = (0..entries).map(|number| self.at + 2 + 12 * number);
        let entry = entry
            .take_while(|&at| at + 12 <= self.bytes.len())
            .find(|&at| self.short(at) == Some(attribute))?;
        match self.short(entry + 2)? {
            BYTE => self.bytes.get(entry + 8).map(|&byte| byte.into()),
            SHORT => self.short(entry + 8).map(u32::from),
            LONG => self.long(entry + 8),
            _ => None,
        }
    }

    fn short(self, at: usize) -> Option<u16> {
        let &two = self.bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    }

    fn long(self, at: usize) -> Option<u32> {
        let &four = self.bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eight_values_turn_as_the_standard_says() {
        // Stored: 1 2 3 / 4 5 6. The value says where the first row and the first column belong.
        for (value, size, expected) in [
            (0, [3, 2], [1, 2, 3, 4, 5, 6]),
            (1, [3, 2], [1, 2, 3, 4, 5, 6]),
            (2, [3, 2], [3, 2, 1, 6, 5, 4]),
            (3, [3, 2], [6, 5, 4, 3, 2, 1]),
            (4, [3, 2], [4, 5, 6, 1, 2, 3]),
            (5, [2, 3], [1, 4, 2, 5, 3, 6]),
            (6, [2, 3], [4, 1, 5, 2, 6, 3]),
            (7, [2, 3], [6, 3, 5, 2, 4, 1]),
            (8, [2, 3], [3, 6, 2, 5, 1, 4]),
            (9, [3, 2], [1, 2, 3, 4, 5, 6]),
        ] {
            let (pixels, width, height) = Orientation::of_value(value).apply(vec![1, 2, 3, 4, 5, 6], 3, 2);
            assert_eq!(([width, height], &pixels[..]), (size, &expected[..]), "{value}");
        }
    }

    #[test]
    fn both_byte_orders_are_read_and_damage_turns_nothing() {
        let little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0";
        for exif in [little.as_slice(), big] {
            assert_eq!(Orientation::of_exif(exif), Orientation::of_value(6));
            for len in 0..exif.len() - 3 {
                assert_eq!(Orientation::of_exif(&exif[..len]), Orientation::default(), "{len}");
            }
        }
    }
}
