//! Objects that hold no image are told by the start of their file.
#![cfg(feature = "dicom")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use medclip_decode::holds_no_image;

use support::{Builder, DEFLATED, IMPLICIT};

const REPORT: &str = "1.2.840.10008.5.1.4.1.1.88.11";
const DIGITAL_XRAY: &str = "1.2.840.10008.5.1.4.1.1.1.1";

/// An object without pixels, with text beyond what a start shows.
fn object(class: &str) -> Builder {
    let mut object = Builder::gray(1, 1, 8).text(0x0008_0016, *b"UI", class);
    object.elements.retain(|element| element.0 < 0x0028_0000);
    object.text(0x0040_a160, *b"UT", &"The lungs are clear. ".repeat(500))
}

#[test]
fn kinds_are_named() {
    for (class, kind) in [
        ("1.2.840.10008.1.3.10", "DICOMDIR"),
        (REPORT, "structured report"),
        ("1.2.840.10008.5.1.4.1.1.88.67", "structured report"),
        ("1.2.840.10008.5.1.4.1.1.88.59", "key object selection"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "presentation state"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "encapsulated document"),
        ("1.2.840.10008.5.1.4.1.1.9.1.1", "waveform"),
        ("1.2.840.10008.5.1.4.1.1.481.3", "radiotherapy plan or record"),
    ] {
        let file = object(class).file();
        assert_eq!(holds_no_image(&file[..4096]), Some(kind), "{class}");
        assert_eq!(holds_no_image(&file), Some(kind), "{class}");
    }
}

#[test]
fn every_way_to_write_the_class_is_read() {
    for syntax in [support::EXPLICIT, IMPLICIT, support::BIG_ENDIAN] {
        let object = object(REPORT).syntax(syntax);
        assert_eq!(holds_no_image(&object.file()[..4096]), Some("structured report"), "{syntax}");
        assert_eq!(holds_no_image(&object.data_set()[..4096]), Some("structured report"), "bare {syntax}");
    }
    // The file meta information alone tells where the data set cannot be seen.
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    let class = |class: &str| {
        [b"\x02\x00\x02\x00UI".to_vec(), (class.len() as u16).to_le_bytes().to_vec(), class.into()].concat()
    };
    file.extend(class("1.2.840.10008.1.3.10"));
    file.extend(object(REPORT).syntax(DEFLATED).meta());
    assert_eq!(holds_no_image(&file), Some("DICOMDIR"));
}

#[test]
fn what_may_hold_pixels_is_no_object_without_an_image() {
    let image = Builder::gray(2, 1, 8).bytes(&[1, 2]);
    for class in
        [DIGITAL_XRAY, "1.2.840.10008.5.1.4.1.1.7", "1.2.840.113619.4.30", "1.2.840.10008.5.1.4.1.1.66.4"]
    {
        assert_eq!(holds_no_image(&image.clone().text(0x0008_0016, *b"UI", class).file()), None, "{class}");
        assert_eq!(holds_no_image(&object(class).file()), None, "{class}");
    }
    // A wrong class does not hide the pixels.
    assert_eq!(holds_no_image(&image.clone().text(0x0008_0016, *b"UI", REPORT).file()), None);
    assert_eq!(holds_no_image(&image.file()), None);
    for start in
        [&b""[..], b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", &[0; 200], b"DICM", &image.file()[..140]]
    {
        assert_eq!(holds_no_image(start), None);
    }
}
