//! A film of which a part is missing is never shown, whatever its last bytes say; one that is whole is, whatever they lack.
#![cfg(feature = "dicom")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use std::fs;

use medclip_decode::dicom::{self, DicomOptions};
use medclip_decode::{Limits, Note, Reason, from_bytes};

use support::jpeg::{Jpeg, Process, restarts, scans};
use support::{Builder, JPEG};

const WIDTH: usize = 120;
const HEIGHT: usize = 88;
const END: [u8; 2] = [0xff, 0xd9];

/// Something with an anatomy and with noise.
fn sample(bits: u32) -> impl Fn(usize, usize) -> i32 {
    move |x, y| {
        let noise = (x * 7_919 + y * 104_729 + x * y * 31) % 97;
        let level = 30 + (x * 90 / WIDTH) + (y * 60 / HEIGHT) + noise / 3;
        (level << (bits - 8)) as i32
    }
}

const PROCESSES: [Process; 6] = [
    Process::Baseline,
    Process::Extended,
    Process::Progressive,
    Process::Lossless(1),
    Process::Lossless(4),
    Process::Lossless(7),
];

fn bits(process: Process) -> u32 {
    if matches!(process, Process::Baseline | Process::Progressive) { 8 } else { 12 }
}

fn stream(jpeg: &Jpeg) -> Vec<u8> {
    jpeg.encode(sample(bits(jpeg.process)))
}

/// Streams of every process, with and without restart markers, with either kind of table.
fn streams() -> Vec<(String, Process, Vec<u8>)> {
    let mut all = Vec::new();
    for process in PROCESSES {
        // Lossless intervals are whole lines, as the standard wants.
        let restart = if matches!(process, Process::Lossless(_)) { 4 * WIDTH } else { 15 };
        for restart in [0, restart] {
            for flat in [false, true] {
                let jpeg = Jpeg { restart, flat, ..Jpeg::new(process, WIDTH, HEIGHT) };
                all.push((format!("{process:?}, restart {restart}, flat {flat}"), process, stream(&jpeg)));
            }
        }
    }
    all
}

fn film(process: Process, fragments: &[&[u8]]) -> Vec<u8> {
    let bits = bits(process) as u16;
    Builder::gray(WIDTH as u16, HEIGHT as u16, bits).syntax(JPEG).fragments(fragments).file()
}

fn values(process: Process, stream: &[u8]) -> Result<Vec<f64>, Reason> {
    let file = film(process, &[stream]);
    dicom::values(&file, &Limits::default(), &DicomOptions::default()).map(|values| values.data)
}

/// A frame in a DICOM file, and, where files are of this process, a file of its own.
fn outcomes(process: Process, stream: &[u8]) -> Vec<Result<(), Reason>> {
    let mut outcomes = vec![values(process, stream).map(drop)];
    if bits(process) == 8 {
        outcomes.push(from_bytes(stream, &Limits::default()).map(drop));
    }
    outcomes
}

fn assert_refused(name: &str, process: Process, stream: &[u8]) {
    for outcome in outcomes(process, stream) {
        let reason = outcome.expect_err(name);
        let codes = ["truncated", "truncated_frame", "damaged", "damaged_frame"];
        assert!(codes.contains(&reason.code()), "{name}: {reason}");
    }
}

fn assert_sound(name: &str, process: Process, stream: &[u8]) {
    for outcome in outcomes(process, stream) {
        assert!(outcome.is_ok(), "{name}: {}", outcome.unwrap_err());
    }
}

#[test]
fn whole_streams_give_their_samples() {
    for (name, process, stream) in streams() {
        let values = values(process, &stream).unwrap_or_else(|reason| panic!("{name}: {reason}"));
        let expected = sample(bits(process));
        let worst = values
            .iter()
            .enumerate()
            .map(|(index, value)| (value - f64::from(expected(index % WIDTH, index / WIDTH))).abs())
            .fold(0.0, f64::max);
        let tolerance = if matches!(process, Process::Lossless(_)) { 0.0 } else { 24.0 };
        assert!(worst <= tolerance, "{name}: {worst}");
        assert_sound(&name, process, &stream);
    }
}

#[test]
fn data_that_ends_early_is_refused_with_or_without_an_end_marker() {
    for (name, process, stream) in streams() {
        for (start, end) in scans(&stream) {
            for tenth in 0..10 {
                let at = start + (end - start) * tenth / 10;
                // A byte of ones is not torn from the zero behind it.
                let at = if stream[at - 1] == 0xff { at - 1 } else { at };
                assert_refused(&format!("{name}, cut at {at}"), process, &stream[..at]);
                let marked = [&stream[..at], &END].concat();
                assert_refused(&format!("{name}, end set at {at}"), process, &marked);
            }
        }
    }
}

#[test]
fn the_last_mcu_counts() {
    for (name, process, stream) in streams() {
        let (_, end) = *scans(&stream).last().unwrap();
        // Two bytes hold more than the bits that fill up the last byte.
        let cut = [&stream[..end - 3], &END].concat();
        assert_refused(&name, process, &cut);
    }
}

#[test]
fn refusals_tell_how_much_is_there() {
    let jpeg = stream(&Jpeg::new(Process::Baseline, WIDTH, HEIGHT));
    let (start, end) = scans(&jpeg)[0];
    let cut = [&jpeg[..usize::midpoint(start, end)], &END].concat();
    let reason = from_bytes(&cut, &Limits::default()).unwrap_err().to_string();
    let figure = reason.strip_prefix("is truncated: the entropy-coded data ends after MCU ").unwrap();
    let (done, total) = figure.split_once(" of ").unwrap();
    let done: usize = done.parse().unwrap();
    assert!((60..105).contains(&done) && total == "165", "{reason}");

    let lossless = stream(&Jpeg::new(Process::Lossless(1), WIDTH, HEIGHT));
    let (start, end) = scans(&lossless)[0];
    let cut = [&lossless[..usize::midpoint(start, end)], &END].concat();
    let reason = values(Process::Lossless(1), &cut).unwrap_err().to_string();
    assert!(
        reason.starts_with("its JPEG frame is truncated: the entropy-coded data ends after line 4"),
        "{reason}"
    );
    assert!(reason.ends_with("of 88"), "{reason}");
}

#[test]
fn zeros_in_place_of_data_are_refused() {
    for (name, process, stream) in streams() {
        let (start, end) = *scans(&stream).last().unwrap();
        for tenth in [1, 3, 5, 8] {
            let at = start + (end - start) * tenth / 10;
            let to_marker = [&stream[..at], &vec![0; end - at], &stream[end..]].concat();
            assert_refused(&format!("{name}, zeros from {at} to the end marker"), process, &to_marker);
            let to_end = [&stream[..at], &vec![0; stream.len() - at]].concat();
            assert_refused(&format!("{name}, zeros from {at} on"), process, &to_end);
            let longer = [&stream[..at], &vec![0; 8192]].concat();
            assert_refused(&format!("{name}, zeros from {at} to a whole block"), process, &longer);
        }
    }
}

#[test]
fn a_hole_of_zeros_or_of_nothing_is_refused() {
    for (name, process, stream) in streams().into_iter().filter(|(_, process, _)| bits(*process) == 8) {
        let (start, end) = *scans(&stream).last().unwrap();
        let (from, to) = (start + (end - start) / 3, start + (end - start) * 2 / 3);
        let hole = [&stream[..from], &vec![0; to - from], &stream[to..]].concat();
        assert_refused(&format!("{name}, zeros"), process, &hole);
        let lost = [&stream[..from], &stream[to..]].concat();
        assert_refused(&format!("{name}, nothing"), process, &lost);
    }
}

#[test]
fn flat_films_whose_data_is_zeros_are_sound() {
    for process in [Process::Baseline, Process::Extended, Process::Progressive, Process::Lossless(1)] {
        let jpeg = Jpeg { flat: true, ..Jpeg::new(process, 512, 512) };
        // Black with a light square: what a collimator leaves.
        let level = 200 << (bits(process) - 8);
        let bytes =
            jpeg.encode(|x, y| if (200..300).contains(&x) && (200..300).contains(&y) { level } else { 0 });
        let file = Builder::gray(512, 512, bits(process) as u16).syntax(JPEG).fragments(&[&bytes]).file();
        let values = dicom::values(&file, &Limits::default(), &DicomOptions::default());
        assert!(values.is_ok(), "{process:?}: {}", values.unwrap_err());
    }
}

#[test]
fn restart_markers_tell_of_lost_intervals() {
    for process in [Process::Baseline, Process::Extended, Process::Progressive, Process::Lossless(1)] {
        let restart = if process == Process::Lossless(1) { 4 * WIDTH } else { 5 };
        let stream = stream(&Jpeg { restart, ..Jpeg::new(process, WIDTH, HEIGHT) });
        let markers = restarts(&stream);
        assert!(markers.len() > 12, "{process:?}");
        let one = [&stream[..markers[3]], &stream[markers[4]..]].concat();
        assert_refused("an interval", process, &one);
        let eight = [&stream[..markers[3]], &stream[markers[11]..]].concat();
        assert_refused("eight intervals, so that the order is right", process, &eight);
        let part = [&stream[..markers[4] - 12], &stream[markers[4]..]].concat();
        assert_refused("a part of an interval", process, &part);
        let mut order = stream.clone();
        order[markers[5] + 1] = 0xd0 + (order[markers[5] + 1] - 0xd0 + 3) % 8;
        assert_refused("order", process, &order);
        let reason = values(process, &order).unwrap_err().to_string();
        assert!(reason.contains("restart marker 0 stands where 5 should be"), "{reason}");
    }
}

#[test]
fn an_end_marker_is_not_needed() {
    for (name, process, stream) in streams() {
        let without = &stream[..stream.len() - 2];
        let expected = values(process, &stream).unwrap();
        for padding in [vec![], vec![0], vec![0; 4096], vec![0xff; 3]] {
            let padded = [without, &padding].concat();
            assert_eq!(values(process, &padded).unwrap(), expected, "{name}");
            assert_sound(&name, process, &padded);
        }
        if bits(process) == 8 {
            let picture = from_bytes(without, &Limits::default()).unwrap();
            assert_eq!(picture.notes, [Note::NoEndMarker], "{name}");
        }
    }
}

#[test]
fn what_follows_the_image_is_not_read() {
    let other = stream(&Jpeg::new(Process::Baseline, 40, 40));
    for (name, process, stream) in streams() {
        let expected = values(process, &stream).unwrap();
        let (start, _) = scans(&stream)[0];
        let scan = &stream[start - 10..];
        for trailer in [b"SEFT trailer \xff\xda\x00\x08 of a phone".as_slice(), scan, &other, &END, &[0; 500]]
        {
            let long = [&stream[..], trailer].concat();
            assert_eq!(values(process, &long).unwrap(), expected, "{name}");
            assert_sound(&name, process, &long);
            // A thumbnail before the data has markers of its own.
            let application = [&[0xff, 0xe1], &(other.len() as u16 + 2).to_be_bytes()[..], &other].concat();
            let thumbnail = [&stream[..2], &application, &stream[2..]].concat();
            assert_eq!(values(process, &thumbnail).unwrap(), expected, "{name}");
            let half = thumbnail.len() - stream.len() / 3;
            assert_refused(&name, process, &[&thumbnail[..half], trailer].concat());
        }
    }
}

#[test]
fn a_progressive_image_without_its_last_scans_is_noted() {
    let stream = stream(&Jpeg::new(Process::Progressive, WIDTH, HEIGHT));
    let scans = scans(&stream);
    for &(start, _) in &scans[1..] {
        // The marker, its length and its six bytes stand before a scan's data.
        let cut = &stream[..start - 10];
        let marked = [cut, &END].concat();
        assert_eq!(from_bytes(&marked, &Limits::default()).unwrap().notes, [Note::IncompleteScans]);
        let film = film(Process::Progressive, &[&marked]);
        let film = dicom::from_bytes(&film, &Limits::default(), &DicomOptions::default()).unwrap();
        assert_eq!(film.notes, [Note::IncompleteScans]);
        // Cut off rather than left out.
        assert_refused("no end marker", Process::Progressive, cut);
    }
    assert_refused("no scan", Process::Progressive, &[&stream[..scans[0].0 - 10], &END].concat());
}

#[test]
fn refined_scans_are_counted_too() {
    // Pillow's progressive files have scans that refine earlier ones; those of the golden directory are small.
    for name in ["grey_progressive.jpg", "colour_progressive.jpg"] {
        let stream = fs::read(format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(from_bytes(&stream, &Limits::default()).unwrap().notes.is_empty(), "{name}");
        for (number, (start, end)) in scans(&stream).into_iter().enumerate() {
            let cut = [&stream[..start], &END].concat();
            assert!(from_bytes(&cut, &Limits::default()).is_err(), "{name}, scan {number} of nothing");
            let cut = [&stream[..start + (end - start) / 2], &END].concat();
            let outcome = from_bytes(&cut, &Limits::default());
            assert!(outcome.is_err() || end - start < 3, "{name}, scan {number}");
        }
    }
}

#[test]
fn parameters_that_a_sequential_scan_does_not_have_are_ignored() {
    for process in [Process::Baseline, Process::Extended] {
        let expected = values(process, &stream(&Jpeg::new(process, WIDTH, HEIGHT))).unwrap();
        for parameters in [[0, 0, 0], [0, 64, 0], [1, 63, 0], [0, 63, 0x11], [63, 0, 0xff]] {
            let jpeg = Jpeg { parameters: Some(parameters), ..Jpeg::new(process, WIDTH, HEIGHT) };
            let bytes = stream(&jpeg);
            assert_eq!(values(process, &bytes).unwrap(), expected, "{parameters:?}");
            let film = film(process, &[&bytes]);
            let film = dicom::from_bytes(&film, &Limits::default(), &DicomOptions::default()).unwrap();
            assert_eq!(film.notes, [Note::ScanParameters], "{parameters:?}");
            if process == Process::Baseline {
                assert_eq!(from_bytes(&bytes, &Limits::default()).unwrap().notes, [Note::ScanParameters]);
            }
        }
    }
}

#[test]
fn a_frame_may_be_split_and_padded_anywhere() {
    for (name, process, stream) in streams() {
        let expected = values(process, &stream).unwrap();
        let decode = |fragments: &[&[u8]]| {
            let file = film(process, fragments);
            dicom::values(&file, &Limits::default(), &DicomOptions::default()).unwrap().data
        };
        for at in [2, 4, 10, 100, stream.len() / 4 * 2, (stream.len() - 2) / 2 * 2] {
            let (first, second) = stream.split_at(at);
            assert_eq!(decode(&[first, second]), expected, "{name}, split at {at}");
            assert_eq!(decode(&[&[], first, &[], second, &[]]), expected, "{name}, empty around {at}");
        }
        for padding in [&[0xff][..], &[0xff; 6], &[0; 2], &[0, 0xff, 0xff]] {
            let padded = [padding, &stream].concat();
            assert_eq!(decode(&[&padded]), expected, "{name}, padded before");
        }
        assert!(values(process, &[b"text".as_slice(), &stream].concat()).is_err(), "{name}");
    }
}

#[test]
fn frames_are_told_apart_by_what_fragments_hold() {
    let process = Process::Baseline;
    let jpeg = Jpeg::new(process, WIDTH, HEIGHT);
    let first = stream(&jpeg);
    let second = jpeg.encode(|x, _| x as i32);
    let padded = [&[0xff, 0xff], &second[..]].concat();
    let (a, b) = first.split_at(100);
    let expected = [values(process, &first).unwrap(), values(process, &second).unwrap()];
    for fragments in [
        vec![&first[..], &second],
        vec![a, b, &second],
        vec![a, b, &padded],
        vec![&[], &first, &second],
        vec![&first, &[], &second, &[]],
        vec![a, &[], b, &[], &padded],
    ] {
        let file = Builder::gray(WIDTH as u16, HEIGHT as u16, 8)
            .syntax(JPEG)
            .text(0x0028_0008, *b"IS", "2")
            .fragments(&fragments)
            .file();
        for (frame, expected) in expected.iter().enumerate() {
            let options = DicomOptions { frame: frame as u32, ..DicomOptions::default() };
            let values = dicom::values(&file, &Limits::default(), &options).unwrap();
            assert_eq!(&values.data, expected, "frame {frame} of {} fragments", fragments.len());
        }
    }
}
