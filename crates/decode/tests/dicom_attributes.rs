//! Attributes with values that they cannot have: left out where the picture does not need them, never guessed in silence where it
//! does.
#![cfg(feature = "dicom")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use medclip_decode::dicom::{self, DicomOptions, LutBits, Rendering, Voi, VoiUsed};
use medclip_decode::{Limits, Note, Reason};

use support::{Builder, Elements, IMPLICIT, Value};

fn read(builder: &Builder) -> Result<Rendering, Reason> {
    with(builder, DicomOptions::default())
}

fn with(builder: &Builder, options: DicomOptions) -> Result<Rendering, Reason> {
    dicom::from_bytes(&builder.file(), &Limits::default(), &options)
}

/// The pixels and the codes of the notes.
#[track_caller]
fn shown(builder: &Builder) -> (Vec<u8>, Vec<&'static str>) {
    let film = read(builder).unwrap();
    (film.image.pixels().to_vec(), film.notes.iter().map(Note::code).collect())
}

#[track_caller]
fn refused(builder: &Builder, message: &str) {
    let error = read(builder).unwrap_err().to_string();
    assert!(error.contains(message), "{error:?} should say {message:?}");
}

/// Four pixels of 12 bits: 0, 1000, 2000, 4000.
fn ramp() -> Builder {
    Builder::gray(4, 1, 12).pixels(&[0, 1000, 2000, 4000])
}

/// From lowest to highest.
const SPREAD: [u8; 4] = [0, 64, 128, 255];
/// In a window of center 1000 and width 2001: ((x − 999.5) / 2000 + ½) · 255.
const WINDOWED: [u8; 4] = [0, 128, 255, 255];

#[test]
fn the_first_usable_window_is_used() {
    for (centers, widths, used, notes) in [
        ("1000\\", "2001\\", Some(0), &["windows_malformed"][..]),
        ("1000\\5", "2001", Some(0), &["windows_malformed"]),
        ("1000", "2001\\5\\6", Some(0), &["windows_malformed"]),
        ("\\1000", "\\2001", Some(1), &["windows_malformed"]),
        ("7\\1000", "0\\2001", Some(1), &["windows_malformed"]),
        ("NaN\\1000", "5\\2001", Some(1), &["windows_malformed"]),
        ("7\\1000", "-5\\2001", Some(1), &["windows_malformed"]),
        ("wide\\1000", "wide\\2001", Some(1), &["windows_malformed"]),
        ("1000,0", "2001,00", Some(0), &["decimal_comma", "decimal_comma"]),
        (" 1000 \\9", "2.001E+03\\9 ", Some(0), &[]),
        ("1000\0", "2001\0", Some(0), &[]),
        ("1000\0old", "2001\0\0ld", Some(0), &[]),
        ("1000\\9", "2001\\9", Some(0), &[]),
    ] {
        let film = read(&ramp().window(centers, widths)).unwrap();
        let name = format!("{centers} / {widths}");
        assert_eq!(film.image.pixels(), WINDOWED, "{name}");
        assert!(matches!(film.voi, VoiUsed::Window { index, .. } if index == used), "{name}: {:?}", film.voi);
        assert_eq!(film.notes.iter().map(Note::code).collect::<Vec<_>>(), notes, "{name}");
    }
    for (center, width) in [(*b"FD", 1000.0_f64.to_le_bytes()), (*b"FD", 1000.0_f64.to_le_bytes())] {
        let binary = ramp().set(0x0028_1050, center, Value::Bytes(width.to_vec())).set(
            0x0028_1051,
            *b"FL",
            Value::Bytes(2001.0_f32.to_le_bytes().to_vec()),
        );
        assert_eq!(shown(&binary), (WINDOWED.to_vec(), vec![]));
    }
    assert_eq!(shown(&ramp().words(0x0028_1050, &[1000]).words(0x0028_1051, &[2001])).0, WINDOWED);
}

#[test]
fn without_a_usable_window_values_are_spread() {
    for (centers, widths) in [
        ("1000", "0"),
        ("1000", "-2001"),
        ("1000", "NaN"),
        ("inf", "2001"),
        ("1000", "0.5"),
        ("", "2001"),
        ("1000", ""),
        ("auto", "auto"),
        ("\\", "\\"),
        // A thousand or one?
        ("1,000", "2,001"),
        ("1000 HU", "2001 HU"),
        ("1000\\\\", "\\2001\\"),
    ] {
        let name = format!("{centers} / {widths}");
        assert_eq!(
            shown(&ramp().window(centers, widths)),
            (SPREAD.to_vec(), vec!["windows_malformed"]),
            "{name}"
        );
    }
    for absent in [0x0028_1050, 0x0028_1051] {
        let half = ramp().window("1000", "2001").without(absent);
        assert_eq!(shown(&half), (SPREAD.to_vec(), vec!["windows_malformed"]));
    }
    assert_eq!(shown(&ramp().window(" ", "\0")), (SPREAD.to_vec(), vec![]));
    let note = read(&ramp().window("7\\1000", "0\\2001")).unwrap().notes[0].to_string();
    assert_eq!(note, "the window list is malformed: 1 of 2 windows can be used; number 2 was");
    // A window that is asked for by number is that one or an error.
    let second = DicomOptions { voi: Voi::Window(1), ..DicomOptions::default() };
    assert_eq!(with(&ramp().window("7\\1000", "0\\2001"), second).unwrap().image.pixels(), WINDOWED);
    let first = DicomOptions { voi: Voi::Window(0), ..DicomOptions::default() };
    let error = with(&ramp().window("7\\1000", "0\\2001"), first).unwrap_err().to_string();
    assert_eq!(error, "has window centre 7 and width 0, impossible with LINEAR");
    let error = with(&ramp().window("1000\\", "2001\\"), second).unwrap_err().to_string();
    assert_eq!(error, "has 1 windows, number 2 was asked for");
}

#[test]
fn window_functions_go_by_any_spelling() {
    let function = |name: &str| ramp().window("2", "3").pixels(&[1, 2, 3, 9]).text(0x0028_1056, *b"CS", name);
    for name in ["LINEAR_EXACT", "linear_exact", "Linear Exact", "LINEAR-EXACT"] {
        assert_eq!(shown(&function(name)), (vec![43, 128, 212, 255], vec![]), "{name}");
    }
    for name in ["LINEAR", "linear", " Linear ", ""] {
        assert_eq!(shown(&function(name)), (vec![64, 191, 255, 255], vec![]), "{name}");
    }
    for name in ["CUBIC", "LIN", "1"] {
        assert_eq!(shown(&function(name)), (vec![64, 191, 255, 255], vec!["attribute_assumed"]), "{name}");
    }
}

#[test]
fn windows_of_groups_are_read_alike() {
    let group = |center: &str, width: &str| {
        let window: Elements = vec![
            (0x0028_1050, *b"DS", Value::Text(center.into())),
            (0x0028_1051, *b"DS", Value::Text(width.into())),
        ];
        ramp().item(0x5200_9230, vec![(0x0028_9132, *b"SQ", Value::Items(vec![window]))])
    };
    assert_eq!(shown(&group("1000", "2001")), (WINDOWED.to_vec(), vec![]));
    assert_eq!(shown(&group("1000\\", "2001\\")), (WINDOWED.to_vec(), vec!["windows_malformed"]));
    assert_eq!(shown(&group("5", "0")), (SPREAD.to_vec(), vec!["windows_malformed"]));
    assert_eq!(shown(&group("5", "0").window("1000", "2001")).0, WINDOWED);
}

#[test]
fn shapes_of_pixels_that_are_none_are_left_out() {
    for (tag, vr, text) in [
        (0x0028_0030, *b"DS", "N/A"),
        (0x0028_0030, *b"DS", "0.2"),
        (0x0028_0030, *b"DS", "0\\0"),
        (0x0028_0030, *b"DS", "-1\\2"),
        (0x0028_0030, *b"DS", "NaN\\0.1"),
        (0x0028_0030, *b"DS", "0.2\\0.1\\0.1"),
        (0x0028_0030, *b"DS", "100\\0.1"),
        (0x0018_1164, *b"DS", "unknown"),
        (0x0018_1164, *b"DS", "0.2\\"),
        (0x0028_0034, *b"IS", "1:2"),
        (0x0028_0034, *b"IS", "0\\1"),
        (0x0028_0034, *b"IS", "9999\\1"),
        (0x0028_0034, *b"IS", "2"),
    ] {
        let film = read(&ramp().text(tag, vr, text)).unwrap();
        assert_eq!((film.image.pixels(), film.image.height()), (&SPREAD[..], 1), "{text}");
        assert_eq!(film.notes.iter().map(Note::code).collect::<Vec<_>>(), ["attribute_ignored"], "{text}");
    }
    // What is meant is read.
    for (tag, vr, text, codes) in [
        (0x0028_0030, *b"DS", "0,2\\0,1", &["decimal_comma"][..]),
        (0x0028_0030, *b"DS", "0.2\\0.1\\", &[]),
        (0x0028_0034, *b"IS", " 2 \\1\0", &[]),
    ] {
        let film = read(&ramp().text(tag, vr, text)).unwrap();
        assert_eq!(film.image.height(), 2, "{text}");
        assert_eq!(film.notes.iter().map(Note::code).collect::<Vec<_>>(), codes, "{text}");
    }
    let other = ramp().text(0x0028_0030, *b"DS", "N/A").text(0x0018_1164, *b"DS", "0.2\\0.1");
    assert_eq!(read(&other).unwrap().pixel_spacing, Some([0.2, 0.1]));
    let note = read(&ramp().text(0x0028_0030, *b"DS", "N/A")).unwrap().notes[0].to_string();
    assert_eq!(note, "PixelSpacing is unusable and was left out (\"N/A\")");
}

#[test]
fn frames_and_presentation_are_read_as_far_as_they_matter() {
    for text in ["0", "-1", "one", "1A", "1.5", "NaN"] {
        let (pixels, notes) = shown(&ramp().text(0x0028_0008, *b"IS", text));
        assert_eq!((&pixels[..], &notes[..]), (&SPREAD[..], &["attribute_assumed"][..]), "{text}");
    }
    for text in ["1", "1.0", " 1 ", "+1", "2", "", "  "] {
        assert_eq!(shown(&ramp().text(0x0028_0008, *b"IS", text)), (SPREAD.to_vec(), vec![]), "{text}");
    }
    for text in ["LIN OD", "SQUARE", "1"] {
        assert_eq!(
            shown(&ramp().text(0x2050_0020, *b"CS", text)),
            (SPREAD.to_vec(), vec!["attribute_ignored"]),
            "{text}"
        );
        let lowest_white = ramp().text(0x0028_0004, *b"CS", "MONOCHROME1").text(0x2050_0020, *b"CS", text);
        assert_eq!(shown(&lowest_white).0, [255, 191, 127, 0], "{text}");
    }
    for text in ["identity", "IDENTITY\0", ""] {
        assert_eq!(shown(&ramp().text(0x2050_0020, *b"CS", text)), (SPREAD.to_vec(), vec![]), "{text}");
    }
    assert_eq!(shown(&ramp().text(0x2050_0020, *b"CS", "inverse")).0, [255, 191, 127, 0]);
}

#[test]
fn what_the_pixels_need_is_read_assumed_with_a_note_or_refused() {
    for text in ["monochrome2", "MONOCHROME2\0\0", "MONOCHROME2\0OR", "Monochrome 2", " MONOCHROME2"] {
        assert_eq!(shown(&ramp().text(0x0028_0004, *b"CS", text)), (SPREAD.to_vec(), vec![]), "{text}");
    }
    for absent in [0x0028_0002, 0x0028_0102, 0x0028_0103] {
        assert_eq!(
            shown(&ramp().without(absent)),
            (SPREAD.to_vec(), vec!["attribute_assumed"]),
            "{absent:08x}"
        );
    }
    assert_eq!(shown(&ramp().without(0x0028_0101).without(0x0028_0102)).0, SPREAD);
    for high in [0, 3, 16, 255] {
        assert_eq!(shown(&ramp().words(0x0028_0102, &[high])), (SPREAD.to_vec(), vec!["attribute_assumed"]));
    }
    assert_eq!(shown(&ramp().words(0x0028_0006, &[2])), (SPREAD.to_vec(), vec![]));
    let color = Builder::color(1, 1, "rgb").without(0x0028_0002).bytes(&[255, 0, 0]);
    assert_eq!(shown(&color), (vec![76], vec!["attribute_assumed"]));
    refused(
        &Builder::color(1, 1, "RGB").words(0x0028_0006, &[2]).bytes(&[1, 2, 3]),
        "PlanarConfiguration \"2\"",
    );
    refused(&ramp().words(0x0028_0002, &[3]), "MONOCHROME2 with 3 samples");
    refused(&ramp().text(0x0028_0004, *b"CS", "\0"), "lacks PhotometricInterpretation");
    refused(&ramp().without(0x0028_0100), "lacks BitsAllocated");
    let before_dicom = ramp().text(0x0008_0010, *b"SH", "ACR-NEMA 2.0").without(0x0028_0004);
    assert_eq!(shown(&before_dicom.syntax(IMPLICIT)), (SPREAD.to_vec(), vec!["attribute_assumed"]));
    refused(&ramp().without(0x0028_0004), "lacks PhotometricInterpretation");
    // Padding only matters for the spread.
    let padded = ramp().set(0x0028_0120, *b"US", Value::Bytes(Vec::new()));
    assert_eq!(shown(&padded), (SPREAD.to_vec(), vec![]));
    let padded = ramp().text(0x0028_0120, *b"IS", "none");
    assert_eq!(shown(&padded), (SPREAD.to_vec(), vec!["attribute_ignored"]));
    let padded = ramp().text(0x0028_0120, *b"IS", "4000");
    assert_eq!(shown(&padded), (vec![0, 128, 255, 255], vec![]));
}

#[test]
fn rescaling_is_right_or_refused() {
    let rescaled = |slope: &str, intercept: &str| {
        ramp().text(0x0028_1053, *b"DS", slope).text(0x0028_1052, *b"DS", intercept)
    };
    for (slope, intercept, message) in [
        ("abc", "0", "has RescaleSlope \"abc\", which is not a number"),
        ("NaN", "0", "has RescaleSlope \"NaN\""),
        ("1,000", "0", "has RescaleSlope \"1,000\""),
        ("1", "none", "has RescaleIntercept \"none\""),
        ("0", "0", "has RescaleSlope \"0\""),
    ] {
        refused(&rescaled(slope, intercept), message);
    }
    for (slope, intercept, codes) in [
        ("1", "0", &[][..]),
        ("", "", &[]),
        ("1\0", "0 ", &[]),
        ("1\\1", "0\\0", &[]),
        ("", "0", &["attribute_assumed"]),
        ("1", "", &["attribute_assumed"]),
        ("0,5", "0", &["decimal_comma"]),
    ] {
        assert_eq!(
            shown(&rescaled(slope, intercept)),
            (SPREAD.to_vec(), codes.to_vec()),
            "{slope} / {intercept}"
        );
    }
}

/// A table from 0 on, its descriptor claiming so many entries and bits.
fn table(promised: u16, bits: u16, data: Value) -> Elements {
    vec![(0x0028_3002, *b"US", Value::Words(vec![promised, 0, bits])), (0x0028_3006, *b"OW", data)]
}

/// Entries `top · value / 4095`.
fn straight(top: u32) -> Vec<u16> {
    (0..4096).map(|value| (top * value / 4095) as u16).collect()
}

/// 4000 of 4095 is not white.
const STRAIGHT: [u8; 4] = [0, 62, 125, 249];

#[test]
fn tables_are_scaled_by_the_bits_that_their_entries_use() {
    let voi = |bits: u16, top: u32| ramp().item(0x0028_3010, table(4096, bits, Value::Words(straight(top))));
    for (declared, top) in
        [(16, 4095), (16, 1023), (16, 255), (12, 1023), (8, 4095), (8, 65535), (0, 4095), (17, 4095)]
    {
        let (pixels, notes) = shown(&voi(declared, top));
        let near = pixels.iter().zip(STRAIGHT).all(|(&a, b)| a.abs_diff(b) <= 1);
        assert!(near, "{top} of {declared} bits: {pixels:?}");
        assert_eq!(notes, ["lut_bits"], "{top} of {declared} bits");
    }
    for (declared, top) in [(16, 65535), (12, 4095), (10, 1023), (8, 255)] {
        assert_eq!(shown(&voi(declared, top)).1, [""; 0], "{top} of {declared} bits");
        let declared = DicomOptions { lut_bits: LutBits::Declared, ..DicomOptions::default() };
        let film = with(&voi(12, 4095), declared).unwrap();
        assert_eq!(film.image, read(&voi(12, 4095)).unwrap().image);
    }
    let declared = DicomOptions { lut_bits: LutBits::Declared, ..DicomOptions::default() };
    assert_eq!(with(&voi(16, 4095), declared).unwrap().image.pixels(), [0, 4, 8, 16]);
    let note = read(&voi(16, 4095)).unwrap().notes[0].to_string();
    assert_eq!(note, "the VOI LUT states 16 bits an entry, its entries use 12; it was scaled by those");
    assert_eq!(shown(&voi(16, 4095).syntax(IMPLICIT)).0, STRAIGHT);
    assert_eq!(
        shown(&voi(16, 4095).text(0x0028_0004, *b"CS", "MONOCHROME1")).0,
        STRAIGHT.map(|level| 255 - level)
    );
    // Entries in bytes, whatever bits are claimed.
    let packed: Vec<u8> = straight(255).into_iter().map(|entry| entry as u8).collect();
    for bits in [8, 16] {
        let packed = ramp().item(0x0028_3010, table(4096, bits, Value::Bytes(packed.clone())));
        assert_eq!(shown(&packed).0, [0, 62, 124, 249], "{bits}");
    }
    // A Modality LUT only has a range where the film is shown in full.
    let modality = |bits: u16| ramp().item(0x0028_3000, table(4096, bits, Value::Words(straight(4095))));
    let full = DicomOptions { voi: Voi::FullRange, ..DicomOptions::default() };
    for bits in [12, 16] {
        assert_eq!(with(&modality(bits), full).unwrap().image.pixels(), STRAIGHT);
        assert_eq!(shown(&modality(bits).window("1000", "2001")).0, WINDOWED);
    }
    assert_eq!(shown(&modality(16)), (SPREAD.to_vec(), vec!["lut_bits"]));
}

#[test]
fn palettes_are_scaled_by_the_bits_of_all_three_tables() {
    let palette = |bits: u16, entries: [[u16; 2]; 3]| {
        let mut builder = Builder::gray(2, 1, 8).text(0x0028_0004, *b"CS", "PALETTE COLOR").bytes(&[0, 1]);
        for (channel, entries) in entries.into_iter().enumerate() {
            let channel = channel as u32;
            builder = builder.words(0x0028_1101 + channel, &[2, 0, bits]).set(
                0x0028_1201 + channel,
                *b"OW",
                Value::Words(entries.to_vec()),
            );
        }
        shown(&builder)
    };
    let gray = |scale: u16| [[10 * scale, 200 * scale]; 3];
    for (bits, scale, notes) in [
        (16, 257, &[][..]),
        (16, 16, &["lut_bits"]),
        (16, 1, &["lut_bits"]),
        (12, 16, &[]),
        (8, 257, &["lut_bits"]),
        (8, 1, &[]),
    ] {
        assert_eq!(palette(bits, gray(scale)), (vec![10, 200], notes.to_vec()), "{scale} of {bits} bits");
    }
    // A color that is hardly there is not brightened: as red, 76 of 255.
    assert_eq!(palette(16, [[0, 65535], [0, 4095], [0, 0]]).0, [0, 85]);
}

#[test]
fn tables_that_lack_entries_are_used_where_none_is_missed() {
    let short = |entries: usize| {
        ramp().item(0x0028_3010, table(4096, 12, Value::Words(straight(4095)[..entries].to_vec())))
    };
    assert_eq!(shown(&short(4001)), (STRAIGHT.to_vec(), vec!["table_short"]));
    refused(&short(4000), "its VOI LUT is unusable: it has 4000 of 4096 entries, too few for this frame");
    // A window is used in the place of a table that is not usable.
    for table in [
        table(4096, 12, Value::Words(straight(4095)[..9].to_vec())),
        table(4096, 12, Value::Words(Vec::new())),
        vec![(0x0028_3006, *b"OW", Value::Words(straight(4095)))],
        vec![(0x0028_3002, *b"US", Value::Words(vec![4096, 0, 12]))],
    ] {
        let beside = ramp().window("1000", "2001").item(0x0028_3010, table.clone());
        assert_eq!(shown(&beside), (WINDOWED.to_vec(), vec!["table_ignored"]));
        assert_eq!(read(&ramp().item(0x0028_3010, table)).unwrap_err().code(), "lookup_table");
    }
    // An empty item is no table.
    let empty = ramp().item(0x0028_3010, Vec::new());
    assert_eq!(shown(&empty), (SPREAD.to_vec(), vec!["attribute_ignored"]));
    assert_eq!(shown(&empty.window("1000", "2001")), (WINDOWED.to_vec(), vec!["attribute_ignored"]));
    let second = Value::Items(vec![Vec::new(), table(4096, 12, Value::Words(straight(4095)))]);
    assert_eq!(shown(&ramp().set(0x0028_3010, *b"SQ", second)).0, STRAIGHT);
    // Every value depends on the Modality LUT.
    let short = ramp().item(0x0028_3000, table(4096, 12, Value::Words(straight(4095)[..4090].to_vec())));
    refused(&short, "its Modality LUT is unusable");
    assert_eq!(shown(&ramp().item(0x0028_3000, Vec::new())), (SPREAD.to_vec(), vec!["attribute_ignored"]));
}
