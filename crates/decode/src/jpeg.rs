//! Whether a JPEG stream holds all that its header promises.
//!
//! Decoders fill what is missing with gray and say nothing, and a gray half must not be scored. Here the entropy-coded data of
//! every scan is read code by code, without turning any into pixels, and its MCUs are counted. Markers are walked from the
//! start of the image by their lengths: what lies in thumbnails or behind the image is not mistaken for it.
//!
//! # Source
//! ITU-T Recommendation T.81 (1992), annexes B, C, F, G and H.

mod bits;
mod fault;
mod frame;
mod huffman;
mod interval;
mod lossless;
mod marker;
mod progressive;
mod sequential;
mod standard;
mod zeros;

use std::borrow::Cow;

use self::frame::{Frame, Process, Scan};
use self::huffman::Tables;
use self::progressive::Coverage;
use crate::note::Note;

pub(crate) use self::fault::Fault;
#[cfg(feature = "dicom")]
pub(crate) use self::marker::start_of_image;

/// Passes over all coefficients that an image may ask for. Encoders make about ten.
const MAX_SCANS: usize = 100;

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;

/// What a stream holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Survey<'a> {
    /// Columns times rows.
    pub(crate) pixels: u64,
    /// Where the image ends: behind its end marker, or where its data ends if it has none.
    end: usize,
    has_end_marker: bool,
    /// Where the parameters of sequential scans stand that are not those of a sequential scan.
    misstated: Vec<usize>,
    /// Progressive: the last scans are not there, so that fine detail is missing.
    lacks_scans: bool,
    /// Bytes between the end of a scan's data and the marker that follows it.
    excess: usize,
    /// EXIF data, from its TIFF header on.
    pub(crate) exif: Option<&'a [u8]>,
    /// Samples of a lossless image whose components are of one size: a plane for each.
    pub(crate) planes: Option<Vec<Vec<u16>>>,
}

impl Survey<'_> {
    /// The stream as decoders want it: whole, with nothing behind it, and scan parameters that they do not refuse.
    pub(crate) fn mended<'b>(&self, stream: &'b [u8]) -> Cow<'b, [u8]> {
        let image = &stream[..self.end];
        if self.has_end_marker && self.misstated.is_empty() {
            return Cow::Borrowed(image);
        }
        let mut image = image.to_vec();
        for &at in &self.misstated {
            image[at..at + 3].copy_from_slice(&Scan::SEQUENTIAL);
        }
        if !self.has_end_marker {
            image.extend([0xff, END_OF_IMAGE]);
        }
        Cow::Owned(image)
    }

    /// What is unusual.
    pub(crate) fn notes(&self) -> Vec<Note> {
        /// Fewer bytes than this are padding.
        const SURPLUS: usize = 64;
        let notes = [
            self.lacks_scans.then_some(Note::IncompleteScans),
            (!self.has_end_marker).then_some(Note::NoEndMarker),
            (!self.misstated.is_empty()).then_some(Note::ScanParameters),
            (self.excess > SURPLUS).then_some(Note::SurplusData { bytes: self.excess }),
        ];
        notes.into_iter().flatten().collect()
    }
}

/// Columns and rows, and the number of components, of a stream whose frame header lies in its start.
pub(crate) fn size(start: &[u8]) -> Option<([u32; 2], u64)> {
    let mut at = 2;
    loop {
        let found = marker::next(start, at)?;
        at = found.end;
        if marker::is_alone(found.code) {
            continue;
        }
        let body = marker::body(start, at)?;
        if matches!(found.code, 0xc0..=0xcf) && !matches!(found.code, 0xc4 | 0xc8 | 0xcc) {
            let frame = Frame::read(found.code, body).ok()?;
            return Some(([frame.width, frame.height], frame.components.len() as u64));
        }
        at += 2 + body.len();
    }
}

/// Walks a stream that starts with an image.
///
/// # Errors
/// [`Fault`] where fewer MCUs are there than the header promises, or the data cannot be read.
pub(crate) fn survey(stream: &[u8], max_pixels: u64) -> Result<Survey<'_>, Fault> {
    walk(stream, max_pixels, Walk::default())
}

/// The same, and keeps the samples of lossless scans: two bytes each.
///
/// # Errors
/// As [`survey`].
#[cfg(feature = "dicom")]
pub(crate) fn survey_with_samples(stream: &[u8], max_pixels: u64) -> Result<Survey<'_>, Fault> {
    walk(stream, max_pixels, Walk { keeps_samples: true, ..Walk::default() })
}

fn walk<'a>(stream: &'a [u8], max_pixels: u64, mut walk: Walk<'a>) -> Result<Survey<'a>, Fault> {
    let mut at = 2;
    while let Some(marker) = marker::next(stream, at) {
        if walk.scans > 0 {
            // What lies between the segments behind a scan is none either.
            walk.excess += stream[at..marker.start].iter().filter(|&&byte| byte != 0xff).count();
        }
        at = marker.end;
        match marker.code {
            END_OF_IMAGE if walk.scans > 0 => return walk.finish(at, true),
            code if marker::is_alone(code) => continue,
            _ => {}
        }
        let Some(body) = marker::body(stream, at) else { break };
        let start = at + 2;
        at = start + body.len();
        match marker.code {
            0xc4 => walk.tables.read(body)?,
            code @ (0xc0..=0xcf) if !matches!(code, 0xc8 | 0xcc) => {
                walk.frame(Frame::read(code, body)?, max_pixels)?;
            }
            0xdd => walk.restart = body.first_chunk().map_or(0, |&two| u16::from_be_bytes(two).into()),
            0xe1 if walk.exif.is_none() => walk.exif = body.strip_prefix(b"Exif\0\0"),
            START_OF_SCAN => {
                let Some(frame) = &walk.frame else { return Err(Fault::Header("a scan before its frame")) };
                if frame.process == Process::Other {
                    // No decoder takes these; the one at hand says so.
                    return Ok(walk.unread(stream.len()));
                }
                at = walk.scan(stream, start, body)?;
            }
            _ => {}
        }
    }
    let end = walk.data_end;
    walk.finish(end, false)
}

/// What is known of a stream so far.
#[derive(Default)]
struct Walk<'a> {
    frame: Option<Frame>,
    tables: Tables,
    restart: usize,
    scans: usize,
    coverage: Option<Coverage>,
    /// Components whose samples were seen, by their place in the frame.
    seen: u32,
    /// Where the data of the last scan ends.
    data_end: usize,
    misstated: Vec<usize>,
    excess: usize,
    exif: Option<&'a [u8]>,
    keeps_samples: bool,
    planes: Option<Vec<Vec<u16>>>,
}

impl<'a> Walk<'a> {
    fn frame(&mut self, frame: Frame, max_pixels: u64) -> Result<(), Fault> {
        if self.frame.is_some() {
            return Err(Fault::Header("several frame headers"));
        }
        let (width, height) = (frame.width, frame.height);
        if u64::from(width) * u64::from(height) > max_pixels {
            return Err(Fault::Size { width, height });
        }
        if frame.process == Process::Progressive {
            self.coverage = Some(Coverage::new(&frame));
        }
        let one_size = frame.components.len() == 1 || frame.most() == (1, 1);
        if self.keeps_samples && frame.process == Process::Lossless && one_size {
            self.planes = Some(vec![Vec::new(); frame.components.len()]);
        }
        self.frame = Some(frame);
        Ok(())
    }

    /// Reads a scan's data; gives where it ends.
    fn scan(&mut self, stream: &'a [u8], start: usize, body: &[u8]) -> Result<usize, Fault> {
        let Some(frame) = &self.frame else { return Err(Fault::Header("a scan before its frame")) };
        self.scans += 1;
        if self.scans > MAX_SCANS {
            return Err(Fault::Scans { limit: MAX_SCANS });
        }
        let scan = Scan::read(frame, body)?;
        if frame.process == Process::Sequential && !scan.is_sequential() {
            self.misstated.push(start + body.len() - 3);
        }
        let data = start + body.len();
        let number = self.scans;
        let restart = self.restart;
        let tables = &mut self.tables;
        let read = match frame.process {
            Process::Progressive => {
                let coverage = self.coverage.get_or_insert_with(|| Coverage::new(frame));
                progressive::read(stream, data, frame, &scan, tables, restart, coverage)
            }
            Process::Lossless => {
                // A second scan of a component would be a second image.
                if scan.components.iter().any(|component| self.seen >> component.place & 1 == 1) {
                    return Err(Fault::Header("several lossless scans of a component"));
                }
                lossless::read(stream, data, frame, &scan, tables, restart, self.planes.as_mut())
            }
            Process::Sequential | Process::Other => {
                sequential::read(stream, data, frame, &scan, tables, restart)
            }
        };
        let progressive = frame.process == Process::Progressive;
        let read = read.map_err(|fault| if progressive { fault.in_scan(number) } else { fault })?;
        for &component in &scan.components {
            self.seen |= 1 << component.place;
        }
        self.excess += read.excess;
        self.data_end = read.end;
        Ok(read.end)
    }

    fn finish(self, end: usize, has_end_marker: bool) -> Result<Survey<'a>, Fault> {
        let Some(frame) = &self.frame else { return Err(Fault::Cut("before its frame header")) };
        if self.scans == 0 {
            return Err(Fault::Cut("before its first scan"));
        }
        if let Some(place) = (0..frame.components.len()).find(|place| self.seen >> place & 1 == 0) {
            return Err(Fault::NoScan { component: place + 1, of: frame.components.len() });
        }
        let mut lacks_scans = false;
        if let Some(coverage) = &self.coverage {
            coverage.check_first_scans()?;
            lacks_scans = !coverage.is_complete();
            if lacks_scans && (!has_end_marker || self.excess >= zeros::LEAST) {
                return Err(Fault::Cut("before its last scans"));
            }
        }
        Ok(Survey { has_end_marker, lacks_scans, ..self.into_survey(end) })
    }

    /// Of a process that is not walked.
    fn unread(self, end: usize) -> Survey<'a> {
        self.into_survey(end)
    }

    fn into_survey(self, end: usize) -> Survey<'a> {
        let pixels = self.frame.as_ref().map_or(0, |frame| u64::from(frame.width) * u64::from(frame.height));
        Survey {
            pixels,
            end,
            has_end_marker: true,
            misstated: self.misstated,
            lacks_scans: false,
            excess: self.excess,
            exif: self.exif,
            planes: self.planes,
        }
    }
}

/// Where a scan's data was read to.
struct Read {
    /// Behind the last byte that an MCU needed.
    position: usize,
    /// The marker that follows, or the position if there is none.
    end: usize,
    /// Bytes that no MCU needed.
    excess: usize,
}

#[cfg(test)]
mod tests;
