//! The pixel path of DICOM, on files made here with values worked out by hand.
#![cfg(feature = "dicom")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use medclip_decode::dicom::{
    self, DicomOptions, LutBits, Problem, Rendering, Voi, VoiUsed, Window, WindowFunction,
};
use medclip_decode::{Limits, Note, PatientFields, Reason, from_bytes, is_dicom};

use support::{BIG_ENDIAN, Builder, DEFLATED, IMPLICIT, JPEG, RLE, Value, rle};

fn film(builder: &Builder) -> Rendering {
    dicom::from_bytes(&builder.file(), &Limits::default(), &DicomOptions::default()).unwrap()
}

fn with(builder: &Builder, options: DicomOptions) -> Result<Rendering, Reason> {
    dicom::from_bytes(&builder.file(), &Limits::default(), &options)
}

fn values(builder: &Builder) -> Vec<f64> {
    dicom::values(&builder.file(), &Limits::default(), &DicomOptions::default()).unwrap().data
}

#[track_caller]
fn pixels(builder: &Builder, expected: &[u8]) {
    assert_eq!(film(builder).image.pixels(), expected);
}

#[track_caller]
fn refused(builder: &Builder, message: &str) {
    let error = with(builder, DicomOptions::default()).unwrap_err().to_string();
    assert!(error.contains(message), "{error:?} should say {message:?}");
}

/// Four pixels of 12 bits: 0, 1000, 2000, 4000.
fn ramp() -> Builder {
    Builder::gray(4, 1, 12).pixels(&[0, 1000, 2000, 4000])
}

#[test]
fn without_a_window_the_lowest_value_is_black_and_the_highest_white() {
    // 1000 / 4000 · 255 = 63.75, 2000 / 4000 · 255 = 127.5
    pixels(&ramp(), &[0, 64, 128, 255]);
    assert_eq!(film(&ramp()).voi, VoiUsed::MinMax { low: 0.0, high: 4000.0 });
    let full = with(&ramp(), DicomOptions { voi: Voi::FullRange, ..DicomOptions::default() }).unwrap();
    // 4000 / 4095 · 255 = 249.08
    assert_eq!(full.image.pixels(), [0, 62, 125, 249]);
    assert_eq!(full.voi, VoiUsed::FullRange { low: 0.0, high: 4095.0 });
}

#[test]
fn windows_follow_their_functions() {
    let function = |name: &str| ramp().window("2000", "2001").text(0x0028_1056, *b"CS", name);
    // ((x − 1999.5) / 2000 + ½) · 255: 0.064 at 1000, 127.56 at 2000.
    pixels(&ramp().window("2000", "2001"), &[0, 0, 128, 255]);
    pixels(&function("LINEAR"), &[0, 0, 128, 255]);
    // ((1000 − 2000) / 2001 + ½) · 255 = 0.06
    pixels(&function("LINEAR_EXACT"), &[0, 0, 128, 255]);
    // 255 / (1 + e^(4 · 1000 / 2001)) = 30.4, and 255 / (1 + e^(−4 · 2000 / 2001)) = 250.4
    pixels(&function("SIGMOID"), &[5, 30, 128, 250]);
    // Between the two straight ones lies half a step of a narrow window: ((2 − 1.5) / 2 + ½) and ((2 − 2) / 3 + ½).
    let narrow = Builder::gray(3, 1, 12).pixels(&[1, 2, 3]).window("2", "3");
    pixels(&narrow, &[64, 191, 255]);
    pixels(&narrow.clone().text(0x0028_1056, *b"CS", "LINEAR_EXACT"), &[43, 128, 212]);
    // The last, (3 − 2) / 3 + ½, is a little less than 212.5 in floating point.
    // A window of width 1 is a threshold at center − ½.
    pixels(&Builder::gray(3, 1, 12).pixels(&[1, 2, 3]).window("2", "1"), &[0, 255, 255]);
}

#[test]
fn windows_that_map_nothing_are_refused_where_they_are_asked_for() {
    let refused = |builder: &Builder, message: &str| {
        let first = DicomOptions { voi: Voi::Window(0), ..DicomOptions::default() };
        let error = with(builder, first).unwrap_err().to_string();
        assert!(error.contains(message), "{error:?} should say {message:?}");
    };
    refused(&ramp().window("2000", "0"), "has window centre 2000 and width 0, impossible with LINEAR");
    refused(&ramp().window("2000", "0.5"), "impossible with LINEAR");
    refused(&ramp().window("2000", "0").text(0x0028_1056, *b"CS", "SIGMOID"), "impossible with SIGMOID");
    refused(&ramp().window("2000", "abc"), "has WindowWidth \"abc\", which is not a number");
    refused(&ramp().text(0x0028_1050, *b"DS", "2000"), "lacks WindowWidth");
}

#[test]
fn one_of_several_windows_can_be_chosen() {
    let builder = ramp().window("2000\\500", "4001\\1001");
    let choose = |voi| with(&builder, DicomOptions { voi, ..DicomOptions::default() });
    assert_eq!(choose(Voi::File).unwrap().image.pixels(), choose(Voi::Window(0)).unwrap().image.pixels());
    // ((1000 − 499.5) / 1000 + ½) > 1
    assert_eq!(choose(Voi::Window(1)).unwrap().image.pixels(), [0, 255, 255, 255]);
    let error = choose(Voi::Window(2)).unwrap_err().to_string();
    assert_eq!(error, "has 2 windows, number 3 was asked for");
    let given = Window { center: 2000.0, width: 4000.0, function: WindowFunction::LinearExact };
    let film = choose(Voi::Given(given)).unwrap();
    assert_eq!(film.image.pixels(), [0, 64, 128, 255]);
    assert_eq!(film.voi, VoiUsed::Window { index: None, window: given });
    assert!(matches!(choose(Voi::Table(0)), Err(Reason::Dicom(Problem::NoSuchVoi { count: 0, .. }))));
}

#[test]
fn rescaling_comes_before_the_window() {
    let builder =
        ramp().text(0x0028_1052, *b"DS", "-1024 ").text(0x0028_1053, *b"DS", "0.5").window("-24", "1001");
    assert_eq!(values(&builder), [-1024.0, -524.0, -24.0, 976.0]);
    // ((−24 + 24.5) / 1000 + ½) · 255 = 127.6; −524 lies just below the window.
    pixels(&builder, &[0, 0, 128, 255]);
    let raw = DicomOptions { modality: false, voi: Voi::MinMax, ..DicomOptions::default() };
    assert_eq!(with(&builder, raw).unwrap().voi, VoiUsed::MinMax { low: 0.0, high: 4000.0 });
    refused(&ramp().text(0x0028_1053, *b"DS", "0"), "has RescaleSlope \"0\"");
    // A negative slope turns the order, not the colors.
    pixels(&ramp().text(0x0028_1053, *b"DS", "-1"), &[255, 191, 128, 0]);
}

#[test]
fn lookup_tables_replace_slopes_and_windows() {
    let table = |first: u16, bits: u16, entries: &[u16]| {
        vec![
            (0x0028_3002, *b"US", Value::Words(vec![entries.len() as u16, first, bits])),
            (0x0028_3006, *b"OW", Value::Words(entries.to_vec())),
        ]
    };
    let builder = Builder::gray(5, 1, 12).pixels(&[0, 10, 11, 12, 4000]);
    // Before the first entry the first holds, after the last the last.
    let modality =
        builder.clone().item(0x0028_3000, table(10, 16, &[100, 500, 900])).text(0x0028_1053, *b"DS", "7");
    assert_eq!(values(&modality), [100.0, 100.0, 500.0, 900.0, 900.0]);
    pixels(&modality, &[0, 0, 128, 255, 255]);
    let voi = builder.clone().item(0x0028_3010, table(10, 8, &[0, 51, 255])).window("1", "1");
    pixels(&voi, &[0, 0, 51, 255, 255]);
    assert_eq!(film(&voi).voi, VoiUsed::Table { index: 0 });
    // 8-bit entries in bytes.
    let packed = vec![
        (0x0028_3002, *b"US", Value::Words(vec![3, 10, 8])),
        (0x0028_3006, *b"OW", Value::Bytes(vec![0, 51, 255, 0])),
    ];
    pixels(&builder.clone().item(0x0028_3010, packed), &[0, 0, 51, 255, 255]);
    // The table is of values after rescaling; its first may be negative.
    let signed = vec![
        (0x0028_3002, *b"SS", Value::Words(vec![3, -10_i16 as u16, 8])),
        (0x0028_3006, *b"OW", Value::Words(vec![0, 51, 255])),
    ];
    let rescaled = builder.clone().text(0x0028_1052, *b"DS", "-20").item(0x0028_3010, signed);
    pixels(&rescaled, &[0, 0, 51, 255, 255]);
    pixels(&rescaled.syntax(IMPLICIT), &[0, 0, 51, 255, 255]);
    let declared = DicomOptions { lut_bits: LutBits::Declared, ..DicomOptions::default() };
    let error =
        with(&builder.clone().item(0x0028_3010, table(0, 17, &[1])), declared).unwrap_err().to_string();
    assert_eq!(error, "its VOI LUT is unusable: its entries have 17 bits");
    let short = vec![(0x0028_3002, *b"US", Value::Words(vec![9, 0, 16]))];
    refused(&builder.item(0x0028_3000, short), "its Modality LUT is unusable: it has 0 bytes for 9 entries");
}

#[test]
fn white_lowest_and_inverse_presentation_turn_once() {
    let turned = [255, 191, 127, 0];
    let inverse = |builder: Builder| builder.text(0x2050_0020, *b"CS", "INVERSE");
    let lowest_white = ramp().text(0x0028_0004, *b"CS", "MONOCHROME1");
    pixels(&lowest_white, &turned);
    pixels(&inverse(ramp()), &turned);
    pixels(&inverse(lowest_white.clone()), &turned);
    pixels(&ramp().text(0x2050_0020, *b"CS", "IDENTITY"), &[0, 64, 128, 255]);
    let disagrees = film(&lowest_white.clone().text(0x2050_0020, *b"CS", "IDENTITY"));
    assert_eq!(
        (disagrees.image.pixels(), &disagrees.notes[..]),
        (&turned[..], &[Note::PolarityDisagrees][..])
    );
    assert!(disagrees.inverted);
    let as_stored = DicomOptions { presentation: false, ..DicomOptions::default() };
    assert_eq!(with(&lowest_white, as_stored).unwrap().image.pixels(), [0, 64, 128, 255]);
}

#[test]
fn stored_bits_are_shifted_down_and_signed() {
    // Twelve bits in the upper part of sixteen, with something else below.
    let upper = Builder::gray(3, 1, 12).words(0x0028_0102, &[15]).pixels(&[0x000f, 0x8001, 0xfff2]);
    assert_eq!(values(&upper), [0.0, 2048.0, 4095.0]);
    assert_eq!(values(&upper.clone().words(0x0028_0103, &[1])), [0.0, -2048.0, -1.0]);
    // An overlay in the unused upper bits is cut off.
    let overlay = Builder::gray(3, 1, 12).pixels(&[0xf001, 0x1002, 0x2fff]);
    assert_eq!(values(&overlay), [1.0, 2.0, 4095.0]);
    let signed = Builder::gray(3, 1, 16).words(0x0028_0103, &[1]).pixels(&[0x8000, 0, 0x7fff]);
    assert_eq!(values(&signed), [-32768.0, 0.0, 32767.0]);
    // ((0 + 32768) / 65535) · 255 = 127.5
    pixels(&signed, &[0, 128, 255]);
    let bytes = Builder::gray(3, 1, 8).words(0x0028_0103, &[1]).bytes(&[0x80, 0, 0x7f]);
    assert_eq!(values(&bytes), [-128.0, 0.0, 127.0]);
    let wide = Builder::gray(2, 1, 32).set(
        0x7fe0_0010,
        *b"OW",
        Value::Bytes(vec![0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0]),
    );
    assert_eq!(values(&wide), [4_294_967_295.0, 1.0]);
    let bits = Builder::gray(10, 1, 1).words(0x0028_0100, &[1]).bytes(&[0b0000_0101, 0b10]);
    assert_eq!(values(&bits), [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn padding_does_not_count_as_lowest_or_highest() {
    let builder = Builder::gray(5, 1, 12).pixels(&[0, 1000, 2000, 3000, 4095]);
    pixels(&builder.clone().words(0x0028_0120, &[0]).words(0x0028_0121, &[5]), &[0, 0, 82, 165, 255]);
    pixels(&builder.clone().words(0x0028_0120, &[4095]), &[0, 85, 170, 255, 255]);
    // A range may be written from its upper end.
    pixels(
        &builder.clone().words(0x0028_0120, &[4095]).words(0x0028_0121, &[2500]),
        &[0, 128, 255, 255, 255],
    );
    let all = builder.words(0x0028_0120, &[0]).words(0x0028_0121, &[4095]);
    pixels(&all, &[0, 62, 125, 187, 255]);
    let signed = Builder::gray(3, 1, 16).words(0x0028_0103, &[1]).pixels(&[(-2000_i16) as u16, 0, 100]);
    pixels(&signed.signed(0x0028_0120, &[-2000]), &[0, 0, 255]);
}

#[test]
fn color_becomes_gray_as_pillow_does() {
    // Pillow: Image.new("RGB", (1, 1), c).convert("L")
    let interleaved = Builder::color(2, 1, "RGB").bytes(&[255, 0, 0, 12, 200, 77]);
    pixels(&interleaved, &[76, 130]);
    assert_eq!(film(&interleaved).voi, VoiUsed::Color);
    let planar = Builder::color(2, 1, "RGB").words(0x0028_0006, &[1]).bytes(&[255, 12, 0, 200, 0, 77]);
    pixels(&planar, &[76, 130]);
    // Red in luma and chroma is (76, 85, 255); its red comes back as 254, Pillow makes 76 of that.
    pixels(&Builder::color(2, 1, "YBR_FULL").bytes(&[76, 85, 255, 50, 128, 128]), &[76, 50]);
    pixels(&Builder::color(2, 1, "YBR_FULL_422").bytes(&[10, 90, 128, 128]), &[10, 90]);
    let deep = Builder::color(1, 1, "RGB")
        .words(0x0028_0100, &[16])
        .words(0x0028_0101, &[12])
        .words(0x0028_0102, &[11])
        .pixels(&[0xff0, 0, 0]);
    pixels(&deep, &[76]);
    refused(
        &Builder::color(1, 1, "HSV").bytes(&[1, 2, 3]),
        "has photometric interpretation HSV with 3 samples",
    );
    refused(&Builder::gray(1, 1, 8).text(0x0028_0004, *b"CS", "RGB").bytes(&[1]), "RGB with 1 samples");
}

#[test]
fn palettes_are_looked_up() {
    let palette = |bits: u16, scale: u16| {
        let mut builder = Builder::gray(3, 1, 8).text(0x0028_0004, *b"CS", "PALETTE COLOR").bytes(&[4, 5, 9]);
        for (channel, entries) in [[255, 12], [0, 200], [0, 77]].into_iter().enumerate() {
            let channel = channel as u32;
            builder = builder.words(0x0028_1101 + channel, &[2, 4, bits]).set(
                0x0028_1201 + channel,
                *b"OW",
                Value::Words(entries.iter().map(|entry| entry * scale).collect()),
            );
        }
        builder
    };
    pixels(&palette(8, 1), &[76, 130, 130]);
    pixels(&palette(16, 256), &[76, 130, 130]);
    let segmented = palette(8, 1).words(0x0028_1221, &[0]);
    refused(&segmented, "its palette is unusable: it is segmented");
}

#[test]
fn every_encoding_gives_the_same_film() {
    let voi = vec![
        (0x0028_3002, *b"US", Value::Words(vec![2, 1000, 8])),
        (0x0028_3006, *b"OW", Value::Words(vec![10, 200])),
    ];
    let builder = ramp().item(0x0028_3010, voi);
    for syntax in [support::EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED] {
        pixels(&builder.clone().syntax(syntax), &[10, 10, 200, 200]);
    }
    // Bytes in big-endian words are swapped.
    let words = Builder::gray(3, 1, 8).set(0x7fe0_0010, *b"OW", Value::Bytes(vec![2, 1, 0, 3]));
    assert_eq!(values(&words.syntax(BIG_ENDIAN)), [1.0, 2.0, 3.0]);
    assert_eq!(values(&Builder::gray(3, 1, 8).bytes(&[1, 2, 3]).syntax(BIG_ENDIAN)), [1.0, 2.0, 3.0]);
}

#[test]
fn files_without_preamble_or_meta_information_are_read() {
    let bare = |syntax| {
        let builder = ramp().syntax(syntax);
        dicom::from_bytes(&builder.data_set(), &Limits::default(), &DicomOptions::default()).unwrap()
    };
    for syntax in [support::EXPLICIT, IMPLICIT, BIG_ENDIAN] {
        let film = bare(syntax);
        assert_eq!(film.image.pixels(), [0, 64, 128, 255], "{syntax}");
        assert_eq!(film.notes, [Note::NoPreamble, Note::NoTransferSyntax], "{syntax}");
    }
    let without_preamble = [ramp().meta(), ramp().data_set()].concat();
    assert!(is_dicom(&without_preamble));
    assert_eq!(from_bytes(&without_preamble, &Limits::default()).unwrap().image.pixels(), [0, 64, 128, 255]);
    assert!(!is_dicom(b"a sentence that is longer than a hundred and thirty-two bytes, so that there is room for a preamble and the four letters that would come after it."));
}

#[test]
fn the_frame_asked_for_is_decoded() {
    let frames = Builder::gray(2, 1, 12).text(0x0028_0008, *b"IS", "3").pixels(&[1, 2, 3, 4, 5, 6]);
    let frame = |builder: &Builder, frame| {
        let options = DicomOptions { frame, ..DicomOptions::default() };
        dicom::values(&builder.file(), &Limits::default(), &options).map(|values| values.data)
    };
    assert_eq!(frame(&frames, 2).unwrap(), [5.0, 6.0]);
    let error = frame(&frames, 3).unwrap_err().to_string();
    assert_eq!(error, "has 3 frames, frame 4 was asked for");
    // Single bits: the second frame starts in the middle of a byte.
    let bits =
        Builder::gray(3, 1, 1).words(0x0028_0100, &[1]).text(0x0028_0008, *b"IS", "2").bytes(&[0b0010_1001]);
    assert_eq!(frame(&bits, 1).unwrap(), [1.0, 0.0, 1.0]);
    let runs = [rle(&[&[0], &[7]]), rle(&[&[1], &[0]])];
    let compressed = Builder::gray(1, 1, 16).syntax(RLE).text(0x0028_0008, *b"IS", "2");
    let whole = compressed.clone().fragments(&[&runs[0], &runs[1]]);
    assert_eq!((frame(&whole, 0).unwrap(), frame(&whole, 1).unwrap()), (vec![7.0], vec![256.0]));
    let split = compressed.fragments(&[&runs[0], &runs[1][..64], &runs[1][64..]]);
    let error = frame(&split, 1).unwrap_err().to_string();
    assert_eq!(error, "has 2 frames in 3 fragments and no offset table that says which is whose");
}

#[test]
fn enhanced_objects_have_windows_and_slopes_by_frame() {
    let frame = |center: &str| {
        vec![(
            0x0028_9132,
            *b"SQ",
            Value::Items(vec![vec![
                (0x0028_1050, *b"DS", Value::Text(center.into())),
                (0x0028_1051, *b"DS", Value::Text("2".into())),
            ]]),
        )]
    };
    let rescale = vec![(
        0x0028_9145,
        *b"SQ",
        Value::Items(vec![vec![
            (0x0028_1052, *b"DS", Value::Text("100".into())),
            (0x0028_1053, *b"DS", Value::Text("1".into())),
        ]]),
    )];
    let builder = Builder::gray(2, 1, 12)
        .text(0x0028_0008, *b"IS", "2")
        .pixels(&[1, 2, 1, 2])
        .item(0x5200_9229, rescale)
        .set(0x5200_9230, *b"SQ", Value::Items(vec![frame("102"), frame("101")]));
    let frame = |frame| with(&builder, DicomOptions { frame, ..DicomOptions::default() }).unwrap();
    // (x − (c − ½)) / 1 + ½: 101 is 0 with center 102, and 1 with center 101.
    assert_eq!(frame(0).image.pixels(), [0, 255]);
    assert_eq!(frame(1).image.pixels(), [255, 255]);
}

#[test]
fn pixels_are_made_square() {
    let builder = Builder::gray(2, 2, 12).pixels(&[0, 100, 0, 100]);
    let size = |builder: &Builder| {
        let film = film(builder);
        assert_eq!(film.stored_size, [2, 2]);
        (film.image.width(), film.image.height())
    };
    assert_eq!(size(&builder.clone().text(0x0028_0034, *b"IS", "2\\1")), (2, 4));
    assert_eq!(size(&builder.clone().text(0x0028_0034, *b"IS", "1\\2")), (4, 2));
    assert_eq!(size(&builder.clone().text(0x0018_1164, *b"DS", "0.2\\0.1")), (2, 4));
    assert_eq!(size(&builder.clone().text(0x0028_0030, *b"DS", "0.143\\0.143")), (2, 2));
    let film = film(&builder.clone().text(0x0028_0030, *b"DS", "0.2\\0.1"));
    assert_eq!(film.pixel_spacing, Some([0.2, 0.1]));
    let kept = DicomOptions { square_pixels: false, ..DicomOptions::default() };
    let kept = with(&builder.clone().text(0x0028_0034, *b"IS", "2\\1"), kept).unwrap();
    assert_eq!(kept.image.height(), 2);
}

#[test]
fn identity_names_the_patient_only_on_request() {
    let film = film(&ramp());
    assert_eq!(film.identity.sop_instance_uid.as_deref(), Some("1.2.3.4.5"));
    assert_eq!(film.identity.study_instance_uid.as_deref(), Some("1.2.3.4"));
    assert_eq!(film.identity.view_position.as_deref(), Some("PA"));
    assert_eq!(film.identity.patient_id, None);
    let asked = with(
        &ramp(),
        DicomOptions {
            patient: PatientFields { id: true, ..PatientFields::default() },
            ..DicomOptions::default()
        },
    )
    .unwrap();
    assert_eq!(asked.identity.patient_id.as_deref(), Some("patient 7"));
    let report = ramp().without(0x7fe0_0010).text(0x0008_0060, *b"CS", "SR");
    let described = dicom::describe(&report.file(), &Limits::default(), PatientFields::default()).unwrap();
    assert_eq!(described.modality.as_deref(), Some("SR"));
    refused(&report, "holds no pixel data (Modality SR)");
}

#[test]
fn attributes_that_contradict_each_other_are_refused() {
    refused(&ramp().without(0x0028_0010), "lacks Rows");
    refused(&ramp().words(0x0028_0010, &[0]), "has Rows \"0\", which is not positive");
    refused(&ramp().words(0x0028_0101, &[17]), "has 16 bits allocated, 17 stored and high bit 11");
    refused(&ramp().words(0x0028_0100, &[12]), "has 12 bits allocated");
    refused(&ramp().words(0x0028_0103, &[2]), "has PixelRepresentation \"2\"");
    refused(&ramp().without(0x0028_0004), "lacks PhotometricInterpretation");
    refused(&ramp().words(0x0028_0011, &[5]), "has 8 bytes of pixel data where its frame ends at 10");
    refused(&ramp().syntax(JPEG), "compressed pixel data in fragments");
    refused(&ramp().fragments(&[&[1, 2]]), "has compressed pixel data and no TransferSyntaxUID");
    refused(
        &ramp().syntax("1.2.840.10008.1.2.4.102"),
        "1.2.840.10008.1.2.4.102 (MPEG video), which is not supported",
    );
    refused(&ramp().syntax("1.3.46.670589.33.1.4.1"), "(private)");
}

#[test]
fn sizes_are_refused_before_anything_is_allocated() {
    let huge = Builder::gray(60_000, 60_000, 16).pixels(&[0]);
    let error = with(&huge, DicomOptions::default()).unwrap_err().to_string();
    assert_eq!(error, "is 60000×60000, 3600 megapixels; the limit is 100");
    let limits = Limits { max_memory_bytes: 7, ..Limits::default() };
    let error = dicom::from_bytes(&ramp().file(), &limits, &DicomOptions::default()).unwrap_err();
    assert!(matches!(error, Reason::TooMuchMemory { limit: 7 }));
    // A deflated data set that grows beyond the limit.
    let limits = Limits { max_memory_bytes: 64, ..Limits::default() };
    let error =
        dicom::from_bytes(&ramp().syntax(DEFLATED).file(), &limits, &DicomOptions::default()).unwrap_err();
    assert!(matches!(error, Reason::TooMuchMemory { limit: 64 }));
}

#[test]
fn lengths_that_lie_are_refused_by_element() {
    let file = ramp().text(0x0008_1030, *b"LO", "a chest").file();
    let at = file.windows(8).position(|window| window == b"\x08\x00\x30\x10LO\x08\x00").unwrap();
    let mut lying = file.clone();
    lying[at + 6..at + 8].copy_from_slice(&u16::MAX.to_le_bytes());
    let error = from_bytes(&lying, &Limits::default()).unwrap_err().to_string();
    assert!(error.starts_with("element (0008,1030) says it has 65535 bytes, "), "{error}");
    let error = from_bytes(&file[..at + 5], &Limits::default()).unwrap_err().to_string();
    assert!(error.contains("inside the header of an element"), "{error}");
    // Every cut within the data set is an error.
    for len in 132..file.len() {
        assert!(from_bytes(&file[..len], &Limits::default()).is_err(), "cut at {len}");
    }
}

#[test]
fn sequences_nested_without_end_are_refused() {
    let mut nested = vec![0; 128];
    nested.extend(b"DICM");
    nested.extend(ramp().meta());
    for _ in 0..100_000 {
        nested.extend(b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff");
    }
    let error = from_bytes(&nested, &Limits::default()).unwrap_err().to_string();
    assert_eq!(error, "nests sequences more than 24 deep");
    let mut many = Vec::new();
    for _ in 0..1_000_001 {
        many.extend(b"\x08\x00\x60\x00CS\x00\x00");
    }
    let error = from_bytes(&many, &Limits::default()).unwrap_err().to_string();
    assert_eq!(error, "has more than 1000000 data elements");
}
