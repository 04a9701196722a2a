//! Every compression, on the small files that `golden/frames.py` writes.
#![cfg(feature = "dicom")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

use std::fs;

use medclip_decode::dicom::{self, DicomOptions};
use medclip_decode::{Limits, Reason};

const WIDTH: u32 = 37;
const HEIGHT: u32 = 23;

fn golden(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn values(name: &str) -> Result<Vec<f64>, Reason> {
    let bytes = golden(&format!("{name}.dcm"));
    let values = dicom::values(&bytes, &Limits::default(), &DicomOptions::default())?;
    assert_eq!((values.width, values.height, values.samples), (WIDTH, HEIGHT, 1), "{name}");
    Ok(values.data)
}

/// Whether this build decodes the file of this name; each is named after the feature that it needs, if any.
fn has_decoder(name: &str) -> bool {
    let built = [
        ("jpeg2000", cfg!(feature = "jpeg2000")),
        ("htj2k", cfg!(feature = "htj2k")),
        ("jpegxl", cfg!(feature = "jpegxl")),
    ];
    built.iter().all(|(feature, is_built)| *feature != name || *is_built)
}

fn sample(index: u32) -> u32 {
    let (x, y) = (index % WIDTH, index / WIDTH);
    (91 * x + 57 * y + x * y) % 4096
}

#[test]
fn lossless_frames_are_exact() {
    let mut names = vec!["rle", "jpeg_lossless", "jpeg_ls"];
    if cfg!(feature = "jpeg2000") {
        names.push("jpeg2000");
    }
    if cfg!(feature = "htj2k") {
        names.push("htj2k");
    }
    if cfg!(feature = "jpegxl") {
        names.push("jpegxl");
    }
    let expected: Vec<_> = (0..WIDTH * HEIGHT).map(|index| f64::from(sample(index))).collect();
    for name in names {
        assert_eq!(values(name).unwrap(), expected, "{name}");
    }
}

#[test]
fn lossy_frames_are_nearly_those_of_pydicom() {
    // Twelve bits through coarse inverse transforms: libjpeg's is in fixed point, ours in floating point.
    let mut names = vec![("jpeg_baseline", 1.0), ("jpeg_extended", 3.0), ("jpeg_ls_near", 1.0)];
    if cfg!(feature = "jpeg2000") {
        names.push(("jpeg2000_lossy", 1.0));
    }
    for (name, tolerance) in names {
        // An error above the highest value sets a bit that is not stored; pydicom keeps it.
        let expected = golden(&format!("{name}.u16"));
        let expected =
            expected.as_chunks().0.iter().map(|&pair| f64::from(u16::from_le_bytes(pair) & 0x0fff));
        let worst =
            values(name).unwrap().iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst <= tolerance, "{name}: {worst}");
    }
}

#[test]
fn what_has_no_decoder_is_refused_by_name() {
    for name in ["jpeg2000", "htj2k", "jpegxl"] {
        if !has_decoder(name) {
            let error = values(name).unwrap_err().to_string();
            assert!(error.ends_with(&format!("this program was built without (feature {name})")), "{error}");
        }
    }
}

#[test]
fn frames_of_another_size_than_the_attributes_say_are_refused() {
    for (name, codec) in [
        ("jpeg_baseline", "JPEG"),
        ("jpeg_extended", "JPEG"),
        ("jpeg_lossless", "JPEG"),
        ("jpeg_ls", "JPEG-LS"),
        ("jpeg2000", "JPEG 2000"),
        ("htj2k", "JPEG 2000"),
        ("jpegxl", "JPEG XL"),
    ] {
        if !has_decoder(name) {
            continue;
        }
        let mut bytes = golden(&format!("{name}.dcm"));
        let columns =
            bytes.windows(8).position(|window| window == b"\x28\x00\x11\x00US\x02\x00").unwrap() + 8;
        bytes[columns..columns + 2].copy_from_slice(&9999_u16.to_le_bytes());
        let error = dicom::values(&bytes, &Limits::default(), &DicomOptions::default()).unwrap_err();
        assert_eq!(error.to_string(), format!("its {codec} frame is 37×23×1, the attributes say 9999×23×1"));
    }
}

#[test]
fn frames_cut_short_are_refused() {
    // All files end with their frame and a delimiter of eight bytes. The cut is made in the frame's last tenth.
    let names =
        ["rle", "jpeg_baseline", "jpeg_extended", "jpeg_lossless", "jpeg_ls", "jpeg2000", "htj2k", "jpegxl"];
    for name in names.into_iter().filter(|name| has_decoder(name)) {
        let bytes = golden(&format!("{name}.dcm"));
        let start = bytes.windows(8).rposition(|window| window.starts_with(b"\xfe\xff\x00\xe0")).unwrap();
        let len = bytes.len() - 8 - (start + 8);
        let kept = (len * 9 / 10) & !1;
        let mut cut = bytes[..start + 4].to_vec();
        cut.extend((kept as u32).to_le_bytes());
        cut.extend(&bytes[start + 8..start + 8 + kept]);
        cut.extend(b"\xfe\xff\xdd\xe0\0\0\0\0");
        let result = dicom::values(&cut, &Limits::default(), &DicomOptions::default());
        assert!(result.is_err(), "{name}");
    }
}

/// The golden file of this name, with its one fragment changed.
fn with_frame(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let bytes = golden(&format!("{name}.dcm"));
    let start = bytes.windows(4).rposition(|window| window == b"\xfe\xff\x00\xe0").unwrap();
    let mut frame = bytes[start + 8..bytes.len() - 8].to_vec();
    change(&mut frame);
    frame.resize(frame.len().next_multiple_of(2), 0);
    let len = (frame.len() as u32).to_le_bytes();
    [&bytes[..start + 4], &len, &frame, b"\xfe\xff\xdd\xe0\0\0\0\0"].concat()
}

#[test]
fn frames_overwritten_with_zeros_are_refused() {
    let names =
        ["rle", "jpeg_baseline", "jpeg_extended", "jpeg_lossless", "jpeg_ls", "jpeg2000", "htj2k", "jpegxl"];
    for name in names.into_iter().filter(|name| has_decoder(name)) {
        for share in [0.3, 0.5, 0.8] {
            for keep in [0, 2] {
                let file = with_frame(name, |frame| {
                    let (from, to) = ((frame.len() as f64 * share) as usize, frame.len() - 2 - keep);
                    frame[from..to].fill(0);
                });
                let result = dicom::values(&file, &Limits::default(), &DicomOptions::default());
                assert!(result.is_err(), "{name} from {share} on, {keep} bytes kept");
            }
        }
    }
    let hole = with_frame("rle", |frame| frame[400..600].fill(0));
    let reason = dicom::values(&hole, &Limits::default(), &DicomOptions::default()).unwrap_err();
    assert!(reason.to_string().contains("is overwritten with zero bytes before sample"), "{reason}");
}

#[test]
fn refusals_tell_how_many_lines_or_samples_there_are() {
    for (name, figure) in
        [("rle", "ends after sample "), ("jpeg_ls", "the entropy-coded data ends after line 8 of 23")]
    {
        let half = with_frame(name, |frame| frame.truncate(frame.len() / 2));
        let reason = dicom::values(&half, &Limits::default(), &DicomOptions::default()).unwrap_err();
        assert_eq!(reason.code(), "truncated_frame", "{name}");
        assert!(reason.to_string().contains(figure), "{name}: {reason}");
    }
}

#[cfg(feature = "jpeg2000")]
#[test]
fn tiny_code_blocks_of_a_huge_image_are_refused_before_they_are_made() {
    const SIDE: u32 = 8000;
    for name in ["jpeg2000", "htj2k"].into_iter().filter(|name| has_decoder(name)) {
        let mut file = with_frame(name, |frame| {
            let size = frame.windows(2).position(|pair| pair == [0xff, 0x51]).unwrap();
            // Columns and rows of the image, and of its one tile.
            for at in [6, 10, 22, 26] {
                frame[size + at..size + at + 4].copy_from_slice(&SIDE.to_be_bytes());
            }
            let style = frame.windows(2).position(|pair| pair == [0xff, 0x52]).unwrap();
            // Four by four.
            frame[style + 10..style + 12].fill(0);
        });
        for header in [b"\x28\x00\x10\x00US\x02\x00", b"\x28\x00\x11\x00US\x02\x00"] {
            let at = file.windows(8).position(|window| window == header).unwrap() + 8;
            file[at..at + 2].copy_from_slice(&(SIDE as u16).to_le_bytes());
        }
        let reason = dicom::values(&file, &Limits::default(), &DicomOptions::default()).unwrap_err();
        assert_eq!(reason.code(), "excessive_frame", "{name}: {reason}");
    }
}
