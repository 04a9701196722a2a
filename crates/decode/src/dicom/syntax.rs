//! Transfer syntaxes: how elements are written and frames compressed.
#![allow(deprecated, reason = "files in retired transfer syntaxes have not gone away")]

use dicom_dictionary_std::uids;

use super::encoding::Encoding;
use super::problem::Problem;

/// How frames are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    /// Not at all, in one element.
    Native,
    /// Not at all, a fragment a frame.
    Fragments,
    /// A deflate stream a frame.
    Deflate,
    Rle,
    /// Lossy or lossless; the frame itself says which process.
    Jpeg,
    JpegLs,
    Jpeg2000,
    HighThroughputJpeg2000,
    JpegXl,
}

impl Compression {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Native | Self::Fragments => "uncompressed",
            Self::Deflate => "deflated",
            Self::Rle => "RLE",
            Self::Jpeg => "JPEG",
            Self::JpegLs => "JPEG-LS",
            Self::Jpeg2000 => "JPEG 2000",
            Self::HighThroughputJpeg2000 => "High-Throughput JPEG 2000",
            Self::JpegXl => "JPEG XL",
        }
    }

    /// How every frame of it starts.
    pub(crate) const fn magic(self) -> &'static [u8] {
        match self {
            Self::Jpeg | Self::JpegLs => &[0xff, 0xd8, 0xff],
            Self::Jpeg2000 | Self::HighThroughputJpeg2000 => &[0xff, 0x4f, 0xff, 0x51],
            Self::JpegXl => &[0xff, 0x0a],
            Self::Native | Self::Fragments | Self::Deflate | Self::Rle => &[],
        }
    }
}

/// A transfer syntax that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TransferSyntax {
    pub(crate) encoding: Encoding,
    /// All elements after the file meta information are one deflate stream.
    pub(crate) deflated: bool,
    pub(crate) compression: Compression,
}

impl TransferSyntax {
    pub(crate) const fn native(encoding: Encoding) -> Self {
        Self { encoding, deflated: false, compression: Compression::Native }
    }

    /// The syntax of an identifier; those without a decoder are refused by name.
    pub(crate) fn from_uid(uid: &str) -> Result<Self, Problem> {
        let compressed = |compression| Ok(Self { compression, ..Self::native(Encoding::EXPLICIT) });
        match uid {
            uids::IMPLICIT_VR_LITTLE_ENDIAN => Ok(Self::native(Encoding::IMPLICIT)),
            uids::EXPLICIT_VR_LITTLE_ENDIAN => Ok(Self::native(Encoding::EXPLICIT)),
            uids::EXPLICIT_VR_BIG_ENDIAN => Ok(Self::native(Encoding::BIG_ENDIAN)),
            uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN => {
                Ok(Self { deflated: true, ..Self::native(Encoding::EXPLICIT) })
            }
            uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN => compressed(Compression::Fragments),
            uids::DEFLATED_IMAGE_FRAME_COMPRESSION => compressed(Compression::Deflate),
            uids::RLE_LOSSLESS => compressed(Compression::Rle),
            uids::JPEG_BASELINE8_BIT
            | uids::JPEG_EXTENDED12_BIT
            | uids::JPEG_FULL_PROGRESSION_NON_HIERARCHICAL1012
            | uids::JPEG_LOSSLESS
            | uids::JPEG_LOSSLESS_SV1 => compressed(Compression::Jpeg),
            uids::JPEGLS_LOSSLESS | uids::JPEGLS_NEAR_LOSSLESS => compressed(Compression::JpegLs),
            uids::JPEG2000_LOSSLESS | uids::JPEG2000 => compressed(Compression::Jpeg2000),
            uids::HTJ2K_LOSSLESS | uids::HTJ2K_LOSSLESS_RPCL | uids::HTJ2K => {
                compressed(Compression::HighThroughputJpeg2000)
            }
            uids::JPEGXL_LOSSLESS | uids::JPEGXLJPEG_RECOMPRESSION | uids::JPEGXL => {
                compressed(Compression::JpegXl)
            }
            _ => Err(Problem::TransferSyntax { uid: uid.chars().take(64).collect(), name: unsupported(uid) }),
        }
    }
}

/// What a syntax without a decoder is.
fn unsupported(uid: &str) -> &'static str {
    const JPEG: &str = "1.2.840.10008.1.2.4.";
    match uid {
        uids::JPEG2000MC_LOSSLESS | uids::JPEG2000MC => "JPEG 2000 multi-component",
        uids::PAPYRUS3_IMPLICIT_VR_LITTLE_ENDIAN => "Papyrus 3",
        _ => match uid.strip_prefix(JPEG).and_then(|rest| rest.split('.').next()?.parse::<u16>().ok()) {
            Some(52..=66) => "retired JPEG process",
            Some(94 | 95 | 204 | 205) => "pixel data referenced on a JPIP server",
            Some(100..=106) => "MPEG video",
            Some(107 | 108) => "HEVC video",
            _ if uid.starts_with("1.2.840.10008.1.2.7.") => "SMPTE video",
            _ if uid.starts_with("1.2.840.10008.") => "unknown to this program",
            _ => "private",
        },
    }
}
