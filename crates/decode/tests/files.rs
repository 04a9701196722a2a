//! Files as they come: of every kind, damaged, empty, huge, or no images at all.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

use std::fs;
use std::io::Cursor;

use medclip_decode::{DecodeError, Film, Limits, Reason, from_bytes, open};

/// Name, and how far a gray level may be from Pillow's. PNG is exact; JPEG decoders may round the inverse cosine
/// transform and interpolate halved chroma each in their own way.
const GOLDEN: [(&str, u8); 12] = [
    ("grey.png", 0),
    ("grey_alpha.png", 0),
    ("colour.png", 0),
    ("colour_alpha.png", 0),
    ("palette.png", 0),
    ("palette_transparent.png", 0),
    ("bilevel.png", 0),
    ("grey_baseline.jpg", 1),
    ("grey_progressive.jpg", 1),
    ("colour_444.jpg", 1),
    ("colour_420.jpg", 3),
    ("colour_progressive.jpg", 3),
];

fn golden(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn grays_are_those_of_pillow() {
    let mut failures = Vec::new();
    for (name, tolerance) in GOLDEN {
        let image = from_bytes(&golden(name), &Limits::default()).unwrap().image;
        assert_eq!((image.width(), image.height()), (37, 23), "{name}");
        let expected = golden(&format!("{}.l8", name.split('.').next().unwrap()));
        let worst = image.pixels().iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        if worst > tolerance {
            failures.push(format!("{name}: {worst}"));
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn every_cut_is_an_error() {
    for (name, _) in GOLDEN {
        let bytes = golden(name);
        // The last twelve bytes of a PNG and the last two of a JPEG only say that it ends here: all pixels come before them.
        let needed = bytes.len() - if name.ends_with("png") { 12 } else { 2 };
        for len in 0..needed {
            assert!(from_bytes(&bytes[..len], &Limits::default()).is_err(), "{name} cut at {len}");
        }
    }
}

#[test]
fn damage_never_panics_and_never_outgrows_the_limits() {
    let limits = Limits { max_pixels: 100_000, ..Limits::default() };
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    for (name, _) in GOLDEN {
        let bytes = golden(name);
        for _ in 0..400 {
            let mut damaged = bytes.clone();
            for _ in 0..=random() % 4 {
                let position = random() % damaged.len();
                damaged[position] = random() as u8;
            }
            if let Ok(Film { image, .. }) = from_bytes(&damaged, &limits) {
                assert!(u64::from(image.width()) * u64::from(image.height()) <= limits.max_pixels);
            }
        }
    }
}

#[test]
fn errors_name_the_file_and_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let fail = |name: &str, bytes: &[u8], limits: &Limits| -> DecodeError {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = open(&path, limits).unwrap_err();
        assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
        error
    };
    let limits = Limits::default();
    assert!(matches!(fail("empty.png", b"", &limits).reason, Reason::Empty));
    let text = fail("text.jpg", b"%PDF-1.7", &limits);
    assert!(
        text.to_string().ends_with(
            "is neither DICOM, JPEG, PNG, TIFF, BMP nor WebP (starts with 25 50 44 46 2d 31 2e 37)"
        )
    );
    let tight = Limits { max_file_bytes: 4, ..limits };
    assert!(matches!(fail("long.png", b"12345", &tight).reason, Reason::FileTooLarge { bytes: 5, limit: 4 }));
    assert!(matches!(fail("cut.jpg", &[0xff, 0xd8, 0xff], &limits).reason, Reason::Truncated { .. }));
    let memory = Limits { max_memory_bytes: 100, ..limits };
    assert!(matches!(
        fail("big.png", &golden("colour.png"), &memory).reason,
        Reason::TooMuchMemory { limit: 100 }
    ));
    assert!(matches!(open(directory.path(), &limits).unwrap_err().reason, Reason::Directory));
    assert!(matches!(open(directory.path().join("absent"), &limits).unwrap_err().reason, Reason::Io(_)));
}

#[cfg(unix)]
#[test]
fn a_device_is_refused_before_it_is_read() {
    for device in ["/dev/zero", "/dev/null"] {
        let error = open(device, &Limits::default()).unwrap_err();
        assert!(matches!(error.reason, Reason::Io(_)), "{device}: {error}");
    }
}

#[test]
fn a_header_that_promises_400_megapixels_is_refused_before_any_is_allocated() {
    // Width and height are bytes 16 to 24 of a PNG; its checksum is that of the changed header.
    let mut bytes = golden("grey.png");
    bytes[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
    let checksum = crc32(&bytes[12..29]).to_be_bytes();
    bytes[29..33].copy_from_slice(&checksum);
    let error = from_bytes(&bytes, &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "is 20000×20000, 400 megapixels; the limit is 100");
}

#[test]
fn one_pixel_is_an_image() {
    let mut bytes = Cursor::new(Vec::new());
    image::GrayImage::from_pixel(1, 1, image::Luma([7]))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    assert_eq!(from_bytes(bytes.get_ref(), &Limits::default()).unwrap().image.pixels(), [7]);
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}
