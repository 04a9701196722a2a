//! What decoding is said to take is no less than it takes.
#![cfg(all(feature = "dicom", feature = "jpeg2000", feature = "htj2k", feature = "jpegxl"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use std::fs;
use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb};
use medclip_decode::{Limits, NEED_BYTES, from_bytes, need};

use support::codestream::{Codestream, Style};
use support::cost::measure_apart;
use support::{Builder, rle};

const SIDE: u16 = 1500;

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn films() -> Vec<(&'static str, Vec<u8>)> {
    let side = u32::from(SIDE);
    let gray = GrayImage::from_fn(side, side, |x, y| Luma([(x * 3 + y * 5 + x * y % 11) as u8]));
    let color = ImageBuffer::from_fn(side, side, |x, y| Rgb([x as u8, y as u8, (x + y) as u8]));
    let deep = ImageBuffer::from_fn(side, side, |x, y| Luma([(x * 17 + y * 3) as u16]));
    let samples: Vec<u16> = deep.as_raw().clone();
    let planes: Vec<Vec<u8>> =
        [8, 0].map(|shift| samples.iter().map(|s| (s >> shift) as u8).collect()).to_vec();
    let runs = rle(&[&planes[0], &planes[1]]);
    let dicom = |bits| Builder::gray(SIDE, SIDE, bits);
    let style = Style::new(5, [6, 6]);
    let codestream = Codestream { data: vec![0; 6], ..Codestream::new([side, side], style.clone()) };
    let throughput =
        Codestream { high_throughput: true, style: Style { flags: 0x40, ..style }, ..codestream.clone() };
    vec![
        ("PNG", encoded(gray.clone(), ImageFormat::Png)),
        ("PNG of 16 bits", encoded(deep, ImageFormat::Png)),
        ("PNG in color", encoded(color.clone(), ImageFormat::Png)),
        ("JPEG", encoded(gray.clone(), ImageFormat::Jpeg)),
        ("JPEG in color", encoded(color.clone(), ImageFormat::Jpeg)),
        ("TIFF", encoded(gray.clone(), ImageFormat::Tiff)),
        ("BMP", encoded(color.clone(), ImageFormat::Bmp)),
        ("WebP", encoded(color, ImageFormat::WebP)),
        ("DICOM", dicom(16).pixels(&samples).file()),
        ("RLE", dicom(16).syntax(support::RLE).fragments(&[&runs]).file()),
        (
            "JPEG in DICOM",
            dicom(8).syntax(support::JPEG).fragments(&[&encoded(gray, ImageFormat::Jpeg)]).file(),
        ),
        ("JPEG 2000", dicom(12).syntax("1.2.840.10008.1.2.4.90").fragments(&[&codestream.bytes()]).file()),
        ("HTJ2K", dicom(12).syntax("1.2.840.10008.1.2.4.201").fragments(&[&throughput.bytes()]).file()),
    ]
}

#[test]
fn no_film_takes_more_than_was_said() {
    let test = "no_film_takes_more_than_was_said";
    // The process itself, with the films of all cases.
    let idle = measure_apart(test, "nothing", || drop(films())).memory;
    for (name, film) in films() {
        let len = film.len() as u64;
        let start = &film[..film.len().min(NEED_BYTES as usize)];
        let said =
            need(start, len, &Limits::default()).or_else(|| need(&film, len, &Limits::default())).unwrap();
        let cost = measure_apart(test, name, || {
            from_bytes(&film, &Limits::default()).unwrap();
        });
        assert!(
            cost.memory <= idle + said,
            "{name}: {} MiB, said {} MiB",
            (cost.memory - idle) >> 20,
            said >> 20
        );
        // Nor is it said to take many times as much.
        let area = u64::from(SIDE) * u64::from(SIDE);
        assert!(said < 25 * area + 2 * len + (80 << 20), "{name}: {} MiB", said >> 20);
    }
}

#[test]
fn compressed_files_tell_by_their_first_attributes() {
    let limits = Limits::default();
    let film = Builder::gray(200, 100, 8).bytes(&vec![7; 20_000]);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&film.file()).unwrap();
    let gzip = gzip.finish().unwrap();
    let of_gzip = |bytes: &[u8]| need(bytes, bytes.len() as u64, &limits).unwrap();
    assert_eq!(need(&gzip[..50], gzip.len() as u64, &limits), None);
    assert!(of_gzip(&gzip) < 5 << 20);
    // Several streams, padding, an end that cannot be.
    for odd in [[&gzip[..], &gzip].concat(), [&gzip[..], &[0; 8]].concat(), gzip[..gzip.len() - 2].to_vec()] {
        assert!(of_gzip(&odd) >= of_gzip(&gzip));
    }
    assert!(of_gzip(&[&gzip[..], &[0; 8]].concat()) > 200 << 20);
    let deflated = film.syntax(support::DEFLATED).file();
    assert!(of_gzip(&deflated) < 40 << 20);
    assert!(of_gzip(&deflated[..300]) > 0);
}

#[test]
fn what_the_start_does_not_tell_is_told_by_the_whole_file() {
    let limits = Limits::default();
    let film = Builder::gray(64, 64, 8).bytes(&[7; 64 * 64]);
    // A private element of 100 KB comes first.
    let late = film.clone().set(0x0009_1001, *b"UN", support::Value::Bytes(vec![1; 100_000])).file();
    assert_eq!(need(&late[..NEED_BYTES as usize], late.len() as u64, &limits), None);
    assert!(need(&late, late.len() as u64, &limits).unwrap() < 8 << 20);
    // A file without a size takes what it may.
    let lost = film.without(0x0028_0010).file();
    assert!(need(&lost, lost.len() as u64, &limits).unwrap() > limits.max_memory_bytes);
    assert_eq!(need(b"what is this", 12, &limits), Some(0));
    for name in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).unwrap() {
        let bytes = fs::read(name.unwrap().path()).unwrap();
        assert!(need(&bytes, bytes.len() as u64, &limits).is_some());
    }
}
