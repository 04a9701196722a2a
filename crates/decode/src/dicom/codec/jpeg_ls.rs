//! JPEG-LS, lossless and near-lossless.
//!
//! # Source
//! ITU-T Recommendation T.87 (1998), annexes A, C and F. Not here: restart intervals, point transforms, mapping tables and
//! samples of different sampling, none of which DICOM has.

mod bits;
mod context;
mod scan;

use super::jpeg::header::{Header, Markers, Process};
use super::jpeg::without_padding;
use super::{Decoded, check_size};
use crate::dicom::layout::Layout;
use crate::dicom::problem::Problem;
use crate::dicom::samples::Samples;

use self::context::Parameters;
use self::scan::Scan;

const CODEC: &str = "JPEG-LS";

/// Order of the samples in a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interleave {
    None,
    Line,
    Sample,
}

pub(super) fn decode(stream: &[u8], layout: &Layout) -> Result<Decoded, Problem> {
    let stream = without_padding(stream);
    let header = Header::read(stream, CODEC)?;
    check_size(CODEC, layout, header.width, header.height, header.components.len() as u32)?;
    if header.process != Process::JpegLs || !matches!(header.precision, 2..=16) {
        return Err(unsupported(format!("the {} process with {} bits", header.process, header.precision)));
    }
    if header.components.iter().any(|component| (component.horizontal, component.vertical) != (1, 1)) {
        return Err(unsupported("subsampled components".to_owned()));
    }
    let samples = header.components.len();
    let mut image = vec![0_u16; layout.samples()];
    let mut presets = Presets::default();
    let mut next = 0;
    let markers = Markers::new(stream).into_iter().flatten();
    for marker in markers {
        match marker.code {
            0xf8 => presets.read(marker.body)?,
            0xdd if marker.body.iter().any(|&byte| byte != 0) => {
                return Err(unsupported("restart intervals".to_owned()));
            }
            0xe8 if marker.body.starts_with(b"mrfx") && marker.body.get(4).is_some_and(|&kind| kind != 0) => {
                return Err(unsupported("a colour transform".to_owned()));
            }
            0xda => {
                let (components, near, interleave) = scan_header(marker.body)?;
                if next + components > samples {
                    return Err(damaged("it has more scans than components"));
                }
                let parameters = presets.parameters(header.precision, near)?;
                let scan = Scan {
                    width: layout.width as usize,
                    height: layout.height as usize,
                    components,
                    interleave,
                };
                scan.decode(&stream[marker.end..], &parameters, &mut image, next, samples)?;
                next += components;
            }
            _ => {}
        }
    }
    if next < samples {
        return Err(damaged("it has fewer scans than components"));
    }
    Ok(Decoded {
        samples: Samples::Narrow(image),
        precision: u16::from(header.precision),
        rgb: false,
        notes: Vec::new(),
    })
}

/// Components, largest error and order of a scan.
fn scan_header(body: &[u8]) -> Result<(usize, i32, Interleave), Problem> {
    let count = body.first().map_or(0, |&count| usize::from(count));
    let Some(&[near, interleave, transform]) = body.get(1 + 2 * count..).and_then(<[u8]>::first_chunk) else {
        return Err(damaged("its scan header is too short"));
    };
    if body[1..=2 * count].as_chunks().0.iter().any(|&[_, table]| table != 0) {
        return Err(unsupported("mapping tables".to_owned()));
    }
    if transform != 0 {
        return Err(unsupported("a point transform".to_owned()));
    }
    let interleave = match (interleave, count) {
        (_, 1) => Interleave::None,
        (1, 2..=4) => Interleave::Line,
        (2, 2..=4) => Interleave::Sample,
        _ => return Err(damaged("its scan header contradicts itself")),
    };
    Ok((count, i32::from(near), interleave))
}

/// Coding parameters that a stream sets; 0 where it leaves the default.
#[derive(Debug, Default)]
struct Presets {
    max_value: i32,
    thresholds: [i32; 3],
    reset: i32,
}

impl Presets {
    fn read(&mut self, body: &[u8]) -> Result<(), Problem> {
        match body.first() {
            Some(1) if body.len() == 11 => {
                let [max_value, t1, t2, t3, reset] =
                    [1, 3, 5, 7, 9].map(|at| i32::from(u16::from_be_bytes([body[at], body[at + 1]])));
                *self = Self { max_value, thresholds: [t1, t2, t3], reset };
                Ok(())
            }
            Some(1) | None => Err(damaged("its coding parameters are too short")),
            Some(kind) => Err(unsupported(format!("extension {kind}"))),
        }
    }

    fn parameters(&self, precision: u8, near: i32) -> Result<Parameters, Problem> {
        Parameters::new(precision, self.max_value, near, self.thresholds, self.reset)
            .ok_or_else(|| damaged("its coding parameters contradict each other"))
    }
}

fn damaged(message: &str) -> Problem {
    Problem::Frame { codec: CODEC, message: message.to_owned() }
}

fn unsupported(what: String) -> Problem {
    Problem::CodecFeature { codec: CODEC, what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::layout::Photometric;

    #[test]
    fn the_example_of_the_standard_decodes() {
        // T.87, annex H.3.
        let stream = [
            0xff, 0xd8, 0xff, 0xf7, 0x00, 0x0b, 0x08, 0x00, 0x04, 0x00, 0x04, 0x01, 0x01, 0x11, 0x00, 0xff,
            0xda, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0xc0, 0x00, 0x00, 0x6c, 0x80, 0x20, 0x8e,
            0x01, 0xc0, 0x00, 0x00, 0x57, 0x40, 0x00, 0x00, 0x6e, 0xe6, 0x00, 0x00, 0x01, 0xbc, 0x18, 0x00,
            0x00, 0x05, 0xd8, 0x00, 0x00, 0x91, 0x60, 0xff, 0xd9,
        ];
        let layout = Layout {
            width: 4,
            height: 4,
            frames: 1,
            photometric: Photometric::Monochrome2,
            planar: false,
            allocated: 8,
            stored: 8,
            high: 7,
            signed: false,
        };
        let decoded = decode(&stream, &layout).unwrap();
        let expected = [0, 0, 90, 74, 68, 50, 43, 205, 64, 145, 145, 145, 100, 145, 145, 145];
        assert!(matches!(&decoded.samples, Samples::Narrow(words) if words[..] == expected), "{decoded:?}");
        for len in 0..stream.len() - 6 {
            assert!(decode(&stream[..len], &layout).is_err(), "cut at {len}");
        }
    }
}
