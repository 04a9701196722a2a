//! Which kind of file some bytes are.

/// A kind of image file that medclip knows by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// DICOM, with or without preamble.
    Dicom,
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// TIFF, classic or big.
    Tiff,
    /// Windows bitmap.
    Bmp,
    /// WebP.
    WebP,
    /// A gzip stream. Only one that holds a DICOM file is an image, which its first bytes do not tell.
    Gzip,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 7] =
        [Self::Dicom, Self::Jpeg, Self::Png, Self::Tiff, Self::Bmp, Self::WebP, Self::Gzip];

    /// Bytes of a file's start that [`Format::recognize`] wants to see.
    pub const START_BYTES: usize = 132;

    /// The format of a file that starts with these bytes; `None` if they are the start of no image that medclip knows.
    ///
    /// DICOM is known without the feature `dicom` as well, so that such files are refused for what they are; only those that
    /// lack the preamble are then not recognized.
    pub fn recognize(start: &[u8]) -> Option<Self> {
        match start {
            [0xff, 0xd8, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', ..] => Some(Self::Png),
            // A DICOM preamble may hold a TIFF header, so that the file can be read as either.
            _ if is_dicom(start) => Some(Self::Dicom),
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(Self::Tiff),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            _ => is_bitmap(start).then_some(Self::Bmp),
        }
    }

    /// Whether a search of a directory finds files of this format by their content, whatever their name. Of the others only
    /// files with one of their [`Format::extensions`] are looked for.
    pub const fn is_found_by_content(self) -> bool {
        matches!(self, Self::Dicom | Self::Jpeg | Self::Png)
    }

    /// How names of such files end, in lower case and without the first dot.
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Dicom => &["dcm", "dicom", "dcm30", "ima", "acr"],
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif", "mpo"],
            Self::Png => &["png"],
            Self::Tiff => &["tif", "tiff"],
            Self::Bmp => &["bmp", "dib"],
            Self::WebP => &["webp"],
            Self::Gzip => &["dcm.gz", "dicom.gz"],
        }
    }
}

/// `BM` starts other files as well: the size of the second header tells a bitmap.
fn is_bitmap(start: &[u8]) -> bool {
    let size = start.get(14..18).and_then(<[u8]>::first_chunk).map(|&size| u32::from_le_bytes(size));
    start.starts_with(b"BM") && matches!(size, Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

#[cfg(feature = "dicom")]
fn is_dicom(start: &[u8]) -> bool {
    crate::dicom::is_dicom(start)
}

#[cfg(not(feature = "dicom"))]
fn is_dicom(start: &[u8]) -> bool {
    start.get(128..132).is_some_and(|magic| magic == b"DICM")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_their_first_bytes() {
        let bitmap = [b"BM".as_slice(), &[0; 12], &40_u32.to_le_bytes()].concat();
        for (start, format) in [
            (b"\xff\xd8\xff\xe0".as_slice(), Some(Format::Jpeg)),
            (b"\x89PNG\r\n\x1a\n", Some(Format::Png)),
            (b"II*\0\x08\0\0\0", Some(Format::Tiff)),
            (b"MM\0*\0\0\0\x08", Some(Format::Tiff)),
            (b"MM\0+\0\x08\0\0", Some(Format::Tiff)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some(Format::WebP)),
            (b"RIFF\x10\0\0\0WAVEfmt ", None),
            (b"\x1f\x8b\x08\x08", Some(Format::Gzip)),
            (&bitmap, Some(Format::Bmp)),
            (b"BMW, BSA and other cars of the collection", None),
            (b"%PDF-1.7", None),
            (b"", None),
        ] {
            assert_eq!(Format::recognize(start), format, "{start:?}");
        }
    }

    #[test]
    fn a_preamble_that_is_a_tiff_header_is_dicom() {
        let mut start = b"II*\0\x08\0\0\0".to_vec();
        start.resize(128, 0);
        start.extend(b"DICM");
        assert_eq!(Format::recognize(&start), Some(Format::Dicom));
    }

    #[test]
    fn no_two_formats_share_a_name() {
        let mut names: Vec<_> = Format::ALL.iter().flat_map(|format| format.extensions()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
