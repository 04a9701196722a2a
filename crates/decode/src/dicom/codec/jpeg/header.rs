//! The markers of a JPEG or JPEG-LS stream, up to and between its scans.

use std::fmt;

use crate::dicom::problem::Problem;

/// What a frame header says.
#[derive(Debug)]
pub(in crate::dicom::codec) struct Header {
    pub(in crate::dicom::codec) process: Process,
    pub(in crate::dicom::codec) precision: u8,
    pub(in crate::dicom::codec) width: u32,
    pub(in crate::dicom::codec) height: u32,
    pub(in crate::dicom::codec) components: Vec<Component>,
    /// Adobe's word on the colors: 0 as they are, 1 luma and chroma.
    adobe: Option<u8>,
    jfif: bool,
}

/// A component of the frame header.
#[derive(Debug, Clone, Copy)]
pub(in crate::dicom::codec) struct Component {
    pub(in crate::dicom::codec) id: u8,
    /// Sampling factors.
    pub(in crate::dicom::codec) horizontal: u8,
    pub(in crate::dicom::codec) vertical: u8,
    /// Quantization table.
    pub(in crate::dicom::codec) table: u8,
}

/// How samples are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dicom::codec) enum Process {
    Baseline,
    Extended,
    Progressive,
    Lossless,
    JpegLs,
    /// Hierarchical or with arithmetic coding, by its marker.
    Other(u8),
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Baseline => f.write_str("baseline"),
            Self::Extended => f.write_str("extended"),
            Self::Progressive => f.write_str("progressive"),
            Self::Lossless => f.write_str("lossless"),
            Self::JpegLs => f.write_str("JPEG-LS"),
            Self::Other(marker) => write!(f, "hierarchical or arithmetic (marker ff{marker:02x})"),
        }
    }
}

impl Header {
    /// Walks all markers.
    pub(in crate::dicom::codec) fn read(stream: &[u8], codec: &'static str) -> Result<Self, Problem> {
        let damaged = |message: &str| Problem::Frame { codec, message: message.to_owned() };
        let markers = Markers::new(stream).ok_or_else(|| damaged("it does not start as a JPEG"))?;
        let (mut frame, mut adobe, mut jfif) = (None, None, false);
        for marker in markers {
            match marker.code {
                0xc0..=0xcf | 0xf7 if !matches!(marker.code, 0xc4 | 0xc8 | 0xcc) => {
                    if frame.is_some() {
                        return Err(damaged("it has several frame headers"));
                    }
                    frame = Some(
                        frame_header(marker.code, marker.body)
                            .ok_or_else(|| damaged("its frame header is too short"))?,
                    );
                }
                0xd9 => break,
                0xe0 => jfif |= marker.body.starts_with(b"JFIF\0"),
                0xee if marker.body.starts_with(b"Adobe") => adobe = marker.body.get(11).copied(),
                _ => {}
            }
        }
        let (process, precision, width, height, components) =
            frame.ok_or_else(|| damaged("it has no frame header"))?;
        Ok(Self { process, precision, width, height, components, adobe, jfif })
    }

    /// Whether the components are called R, G and B.
    pub(in crate::dicom::codec) fn is_named_rgb(&self) -> bool {
        let ids: Vec<_> = self.components.iter().map(|component| component.id.to_ascii_uppercase()).collect();
        ids == b"RGB"
    }

    /// Whether three components are luma and chroma by what the stream itself says.
    pub(in crate::dicom::codec) fn is_luma_and_chroma(&self) -> bool {
        !self.is_named_rgb() && (self.jfif || self.adobe == Some(1))
    }
}

type FrameHeader = (Process, u8, u32, u32, Vec<Component>);

fn frame_header(code: u8, body: &[u8]) -> Option<FrameHeader> {
    let &[precision, h1, h0, w1, w0, count] = body.first_chunk()?;
    let process = match code {
        0xc0 => Process::Baseline,
        0xc1 => Process::Extended,
        0xc2 => Process::Progressive,
        0xc3 => Process::Lossless,
        0xf7 => Process::JpegLs,
        other => Process::Other(other),
    };
    let components = body[6..].as_chunks().0.iter().take(usize::from(count)).map(|&[id, sampling, table]| {
        Component { id, horizontal: sampling >> 4, vertical: sampling & 15, table }
    });
    let components: Vec<_> = components.collect();
    let height = u32::from(u16::from_be_bytes([h1, h0]));
    let width = u32::from(u16::from_be_bytes([w1, w0]));
    (components.len() == usize::from(count)).then_some((process, precision, width, height, components))
}

/// A marker and what belongs to it.
#[derive(Debug, Clone, Copy)]
pub(in crate::dicom::codec) struct Marker<'a> {
    pub(in crate::dicom::codec) code: u8,
    pub(in crate::dicom::codec) body: &'a [u8],
    /// Where what follows starts: of a scan, its entropy-coded data.
    pub(in crate::dicom::codec) end: usize,
}

/// All markers of a stream but restarts. Entropy-coded data is skipped.
#[derive(Debug)]
pub(in crate::dicom::codec) struct Markers<'a> {
    stream: &'a [u8],
    at: usize,
}

impl<'a> Markers<'a> {
    /// None unless the stream starts with an image.
    pub(in crate::dicom::codec) fn new(stream: &'a [u8]) -> Option<Self> {
        stream.starts_with(&[0xff, 0xd8]).then_some(Self { stream, at: 2 })
    }
}

impl<'a> Iterator for Markers<'a> {
    type Item = Marker<'a>;

    fn next(&mut self) -> Option<Marker<'a>> {
        loop {
            // In entropy-coded data a marker's first byte is followed by zero, or in JPEG-LS by less than 128.
            let found = self
                .stream
                .get(self.at..)?
                .windows(2)
                .position(|pair| pair[0] == 0xff && pair[1] >= 0x80 && pair[1] != 0xff)?;
            let code = self.stream[self.at + found + 1];
            let start = self.at + found + 2;
            if matches!(code, 0xd0..=0xd8) {
                self.at = start;
                continue;
            }
            if code == 0xd9 {
                self.at = start;
                return Some(Marker { code, body: &[], end: start });
            }
            let &[high, low] = self.stream.get(start..)?.first_chunk()?;
            let end = start + usize::from(u16::from_be_bytes([high, low]));
            let body = self.stream.get(start + 2..end)?;
            self.at = end;
            return Some(Marker { code, body, end });
        }
    }
}
