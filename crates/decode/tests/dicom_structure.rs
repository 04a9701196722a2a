//! Files whose elements are not as the standard has them: what plays no part in the picture costs no film.
#![cfg(feature = "dicom")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use std::time::{Duration, Instant};

use medclip_decode::dicom::{self, DicomOptions, Rendering};
use medclip_decode::{Limits, Note, Reason};

use support::{BIG_ENDIAN, Builder, DEFLATED, EXPLICIT, IMPLICIT};

const ITEM: &[u8] = b"\xfe\xff\x00\xe0";
const ITEM_END: &[u8] = b"\xfe\xff\x0d\xe0\0\0\0\0";
const SEQUENCE_END: &[u8] = b"\xfe\xff\xdd\xe0\0\0\0\0";
const UNDEFINED: [u8; 4] = [0xff; 4];
/// A private element's tag.
const PRIVATE: u32 = 0x0009_1010;

fn read(file: &[u8]) -> Result<Rendering, Reason> {
    dicom::from_bytes(file, &Limits::default(), &DicomOptions::default())
}

/// Four pixels of 12 bits: 0, 1000, 2000, 4000, and more rows of black, so that no small number is beyond the end of the file.
fn ramp(rows: u16) -> Builder {
    let mut words = vec![0; usize::from(rows) * 4];
    words[..4].copy_from_slice(&[0, 1000, 2000, 4000]);
    Builder::gray(4, rows, 12)
        .text(0x0028_1050, *b"DS", "2000")
        .text(0x0028_1051, *b"DS", "4001")
        .pixels(&words)
}

/// ((x − 1999.5) / 4000 + ½) · 255
const SHOWN: [u8; 4] = [0, 64, 128, 255];

#[track_caller]
fn is_shown(name: &str, file: &[u8]) -> Vec<&'static str> {
    let film = read(file).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(film.image.pixels()[..4], SHOWN, "{name}");
    assert_eq!(film.identity.view_position.as_deref(), Some("PA"), "{name}");
    film.notes.iter().map(Note::code).collect()
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn tag(tag: u32) -> [u8; 4] {
    let [a, b] = ((tag >> 16) as u16).to_le_bytes();
    let [c, d] = (tag as u16).to_le_bytes();
    [a, b, c, d]
}

/// An element with its header as given behind its tag.
fn element(at: u32, header: &[u8], value: &[u8]) -> Vec<u8> {
    join(&[&tag(at), header, value])
}

fn explicit(at: u32, vr: [u8; 2], value: &[u8]) -> Vec<u8> {
    element(at, &join(&[&vr, &(value.len() as u16).to_le_bytes()]), value)
}

fn implicit(at: u32, value: &[u8]) -> Vec<u8> {
    element(at, &(value.len() as u32).to_le_bytes(), value)
}

fn item(content: &[u8]) -> Vec<u8> {
    join(&[ITEM, &(content.len() as u32).to_le_bytes(), content])
}

fn open_item(content: &[u8]) -> Vec<u8> {
    join(&[ITEM, &UNDEFINED, content, ITEM_END])
}

/// A sequence of stated length.
fn sequence(at: u32, vr: [u8; 2], content: &[u8]) -> Vec<u8> {
    element(at, &join(&[&vr, b"\0\0", &(content.len() as u32).to_le_bytes()]), content)
}

/// A sequence of undefined length.
fn open_sequence(at: u32, vr: [u8; 2], content: &[u8]) -> Vec<u8> {
    element(at, &join(&[&vr, b"\0\0", &UNDEFINED]), &join(&[content, SEQUENCE_END]))
}

fn step() -> Vec<u8> {
    join(&[&explicit(0x0040_0007, *b"LO", b"Chest PA"), &explicit(0x0040_0009, *b"SH", b"1 ")])
}

fn implicit_step() -> Vec<u8> {
    join(&[&implicit(0x0040_0007, b"Chest PA"), &implicit(0x0040_0009, b"1 ")])
}

/// Files small and large enough that a length that is none may be possible.
fn each_size(name: &str, change: impl Fn(Builder) -> Builder) -> Vec<&'static str> {
    let small = is_shown(name, &change(ramp(1)).file());
    let large = is_shown(name, &change(ramp(30_000)).file());
    assert_eq!(small, large, "{name}");
    small
}

#[test]
fn representations_that_are_none_cost_no_film() {
    let long = |vr: &[u8; 2]| element(PRIVATE, &join(&[vr, b"\0\0\x06\0\0\0"]), b"secret");
    let short = |vr: &[u8; 2]| explicit(PRIVATE, *vr, b"secret");
    for (name, whole) in [
        ("dashes", short(b"--")),
        ("question marks", short(b"??")),
        ("spaces", short(b"  ")),
        ("zeros", short(b"\0\0")),
        ("lower case", short(b"lo")),
        ("unknown, short", short(b"ZZ")),
        ("unknown, long", long(b"ZZ")),
        ("printed dictionary", long(b"OX")),
        ("unlimited text, short", short(b"UT")),
        ("unknown of the standard, short", short(b"UN")),
        ("none at all", implicit(PRIVATE, b"secret")),
        ("two in a row", join(&[&short(b"--"), &explicit(PRIVATE + 1, *b"??", b"more")])),
    ] {
        assert_eq!(each_size(name, |ramp| ramp.whole(PRIVATE, &whole)), ["unknown_representation"], "{name}");
    }
    // An element that the picture needs is read whatever it says it is.
    let rows = explicit(0x0028_0010, *b"--", &1_u16.to_le_bytes());
    assert_eq!(is_shown("rows", &ramp(1).whole(0x0028_0010, &rows).file()), ["unknown_representation"]);
    // Pixels too, with a length or with fragments.
    let words = [0_u16, 1000, 2000, 4000].map(u16::to_le_bytes).concat();
    for vr in [b"--", b"??", b"ZZ", b"ox"] {
        let whole = sequence(0x7fe0_0010, *vr, &words);
        assert_eq!(
            is_shown("pixels", &ramp(1).whole(0x7fe0_0010, &whole).file()),
            ["unknown_representation"]
        );
        let runs = support::rle(&[&vec![1; 60_000], &vec![0; 60_000]]);
        let whole = open_sequence(0x7fe0_0010, *vr, &join(&[&item(b""), &item(&runs)]));
        let compressed = Builder::gray(300, 200, 16).syntax(support::RLE).whole(0x7fe0_0010, &whole);
        assert_eq!(read(&compressed.file()).unwrap().notes.len(), 1);
    }
    for (vr, value) in [(b"IS", &b"1 "[..]), (b"UL", &[1, 0, 0, 0]), (b"SS", &[1, 0])] {
        is_shown("rows", &ramp(1).whole(0x0028_0010, &explicit(0x0028_0010, *vr, value)).file());
    }
}

#[test]
fn unknown_sequences_hold_either_encoding() {
    let nested = join(&[
        &explicit(0x0040_0007, *b"LO", b"PA"),
        &open_sequence(0x0040_0275, *b"UN", &open_item(&step())),
    ]);
    for (name, content, notes) in [
        ("implicit", open_item(&implicit_step()), &[][..]),
        ("explicit", open_item(&step()), &["encoding_differs"]),
        ("explicit in an item of stated length", item(&step()), &[]),
        ("nested explicit", open_item(&nested), &["encoding_differs"]),
        ("empty", Vec::new(), &[]),
        ("an empty item", open_item(b""), &[]),
        ("no items", b"bytes that have no structure at all".to_vec(), &["sequence_skipped"]),
    ] {
        let whole = open_sequence(0x0040_0275, *b"UN", &content);
        assert_eq!(each_size(name, |ramp| ramp.whole(0x0040_0275, &whole)), notes, "{name}");
    }
    // A sequence that the picture needs.
    let table =
        join(&[&implicit(0x0028_3002, &[2, 0, 0xe8, 3, 8, 0]), &implicit(0x0028_3006, &[10, 0, 200, 0])]);
    for whole in [
        sequence(0x0028_3010, *b"UN", &item(&table)),
        open_sequence(0x0028_3010, *b"UN", &item(&table)),
        open_sequence(0x0028_3010, *b"UN", &open_item(&table)),
    ] {
        let film = read(&ramp(1).whole(0x0028_3010, &whole).file()).unwrap();
        assert_eq!(film.image.pixels(), [10, 10, 200, 200]);
    }
}

#[test]
fn delimiters_may_be_missing_or_too_many() {
    let at = 0x0040_0275;
    let step = step();
    for (name, whole) in [
        ("after a stated length", join(&[&sequence(at, *b"SQ", &item(&step)), SEQUENCE_END])),
        ("of an item after a stated length", join(&[&sequence(at, *b"SQ", &item(&step)), ITEM_END])),
        ("two of a sequence", join(&[&open_sequence(at, *b"SQ", &open_item(&step)), SEQUENCE_END])),
        ("two of an item", open_sequence(at, *b"SQ", &join(&[&open_item(&step), ITEM_END]))),
        ("of an item of stated length", open_sequence(at, *b"SQ", &join(&[&item(&step), ITEM_END]))),
        ("an item without", open_sequence(at, *b"SQ", &join(&[ITEM, &UNDEFINED, &step]))),
        (
            "two items without",
            open_sequence(at, *b"SQ", &join(&[ITEM, &UNDEFINED, &step, ITEM, &UNDEFINED, &step])),
        ),
        ("a sequence without", element(at, &join(&[b"SQ\0\0", &UNDEFINED]), &open_item(&step))),
    ] {
        assert_eq!(each_size(name, |ramp| ramp.whole(at, &whole)), ["stray_delimiter"], "{name}");
    }
    // Compressed pixel data without its delimiter, before padding.
    let runs = support::rle(&[&[1], &[0]]);
    let mut file = Builder::gray(1, 1, 16).syntax(support::RLE).fragments(&[&runs]).file();
    file.truncate(file.len() - 8);
    file.extend(sequence(0xfffc_fffc, *b"OB", &[0; 10]));
    assert_eq!(read(&file).unwrap().notes, [Note::StrayDelimiter]);
}

#[test]
fn private_fragments_are_no_pixels() {
    let fragments = |vr, content: &[u8]| open_sequence(PRIVATE, vr, &join(&[&item(b""), &item(content)]));
    for (name, whole) in [
        ("bytes", fragments(*b"OB", b"\x01\x02\x03\x04\x05\x06\x07\x08")),
        ("words that look like an element", fragments(*b"OW", b"\x28\x00\x10\x00US\x02\x00\x05\x00")),
        ("a JPEG", fragments(*b"OB", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01")),
        ("unknown", fragments(*b"UN", b"\x01\x02\x03\x04\x05\x06\x07\x08")),
    ] {
        assert_eq!(each_size(name, |ramp| ramp.whole(PRIVATE, &whole)), [""; 0], "{name}");
    }
    // Pixels in fragments whose length is stated, with their delimiter or without.
    let runs = support::rle(&[&[1], &[0]]);
    for end in [&b""[..], SEQUENCE_END] {
        let whole = sequence(0x7fe0_0010, *b"OB", &join(&[&item(b""), &item(&runs), end]));
        let film =
            read(&Builder::gray(1, 1, 16).syntax(support::RLE).whole(0x7fe0_0010, &whole).file()).unwrap();
        assert_eq!(film.notes, [Note::WrongLength { tag: "(7fe0,0010)".into() }]);
    }
    // Pixels of an icon are not those of the film.
    let icon = join(&[&explicit(0x0028_0010, *b"US", &[9, 0]), &sequence(0x7fe0_0010, *b"OB", &[7; 16])]);
    for whole in
        [open_sequence(0x0088_0200, *b"SQ", &open_item(&icon)), sequence(0x0088_0200, *b"SQ", &item(&icon))]
    {
        each_size("icon", |ramp| ramp.whole(0x0088_0200, &whole));
    }
}

#[test]
fn sequences_of_wrong_lengths_are_stepped_over() {
    let at = 0x0040_0275;
    let items = item(&step());
    let stated = |len: usize| element(at, &join(&[b"SQ\0\0", &(len as u32).to_le_bytes()]), &items);
    let overrunning = join(&[ITEM, &500_u32.to_le_bytes(), &step()]);
    for (name, whole, notes) in [
        ("too short", stated(items.len() - 6), &["wrong_length"][..]),
        ("too long", stated(items.len() + 6), &["wrong_length"]),
        ("longer than the file", stated(100_000_000), &["wrong_length"]),
        ("an item that overruns", sequence(at, *b"SQ", &overrunning), &[]),
        ("garbage", sequence(at, *b"SQ", b"nothing like an item"), &[]),
        ("garbage to a delimiter", open_sequence(at, *b"SQ", b"nothing like an item"), &["sequence_skipped"]),
        ("odd, without padding", explicit(PRIVATE, *b"LO", b"odd"), &[]),
        ("odd, with padding", join(&[&explicit(PRIVATE, *b"LO", b"odd"), b" "]), &["wrong_length"]),
        ("of a group", explicit(0x0009_0000, *b"UL", &[0xff, 0xff, 0, 0]), &[]),
    ] {
        let tag = if whole.starts_with(b"\x09") { PRIVATE } else { at };
        assert_eq!(each_size(name, |ramp| ramp.whole(tag, &whole)), notes, "{name}");
    }
}

#[test]
fn nesting_beyond_any_use_is_stepped_over() {
    let mut nested = step();
    for _ in 0..40 {
        nested = open_sequence(PRIVATE, *b"SQ", &open_item(&nested));
    }
    assert_eq!(
        each_size("open", |ramp| ramp.whole(PRIVATE, &nested)),
        ["sequence_skipped", "stray_delimiter"]
    );
    let closed = sequence(PRIVATE, *b"SQ", &item(&nested));
    assert_eq!(each_size("closed", |ramp| ramp.whole(PRIVATE, &closed)), [""; 0]);
}

#[test]
fn needed_sequences_that_cannot_be_read_are_refused_by_name() {
    for (tag, name) in [
        (0x0028_3000, "ModalityLUTSequence"),
        (0x5200_9229, "SharedFunctionalGroupsSequence"),
        (0x5200_9230, "PerFrameFunctionalGroupsSequence"),
    ] {
        for whole in [
            sequence(tag, *b"SQ", b"nothing like an item"),
            open_sequence(tag, *b"SQ", b"nothing like an item"),
        ] {
            let error = read(&ramp(1).whole(tag, &whole).file()).unwrap_err();
            assert_eq!(error.code(), "unreadable_sequence");
            assert!(error.to_string().starts_with(&format!("its {name} is unreadable: ")), "{error}");
        }
    }
    // A window beside an unreadable VOI LUT shows the film; without one nothing does.
    let whole = sequence(0x0028_3010, *b"SQ", b"nothing like an item");
    let with_window = ramp(1).whole(0x0028_3010, &whole);
    assert_eq!(is_shown("window", &with_window.file()), ["sequence_skipped", "table_ignored"]);
    let error = read(&with_window.without(0x0028_1050).without(0x0028_1051).file()).unwrap_err();
    assert!(error.to_string().starts_with("its VOILUTSequence is unreadable"), "{error}");
    // What is private within a group does not matter.
    let group = join(&[
        &open_sequence(PRIVATE, *b"SQ", b"nothing like an item"),
        &sequence(
            0x0028_9132,
            *b"SQ",
            &item(&join(&[&explicit(0x0028_1050, *b"DS", b"2000"), &explicit(0x0028_1051, *b"DS", b"4001")])),
        ),
    ]);
    let grouped = ramp(1).without(0x0028_1050).without(0x0028_1051);
    let grouped = grouped.whole(0x5200_9229, &sequence(0x5200_9229, *b"SQ", &item(&group)));
    assert_eq!(is_shown("group", &grouped.file()), ["sequence_skipped"]);
}

#[test]
fn data_sets_are_read_as_they_are_encoded() {
    for (stated, written) in [
        (IMPLICIT, EXPLICIT),
        (EXPLICIT, IMPLICIT),
        (IMPLICIT, BIG_ENDIAN),
        (EXPLICIT, BIG_ENDIAN),
        (BIG_ENDIAN, EXPLICIT),
        (DEFLATED, EXPLICIT),
    ] {
        let name = format!("{stated} holding {written}");
        for rows in [1, 30_000] {
            let ramp = ramp(rows).syntax(written);
            let file = join(&[&[0; 128], b"DICM", &ramp.clone().syntax(stated).meta(), &ramp.data_set()]);
            assert_eq!(is_shown(&name, &file), ["encoding_differs"], "{name}");
        }
    }
    // One element only.
    let among_implicit = ramp(1).syntax(IMPLICIT).whole(PRIVATE, &explicit(PRIVATE, *b"LO", b"secret"));
    assert_eq!(is_shown("an explicit element", &among_implicit.file()), ["unknown_representation"]);
    let items = open_sequence(0x0040_0275, *b"SQ", &open_item(&implicit_step()));
    assert_eq!(is_shown("implicit items", &ramp(1).whole(0x0040_0275, &items).file()), ["encoding_differs"]);
}

#[test]
fn order_repetition_and_what_follows_the_pixels() {
    let parts = |from: u32, to: u32| {
        let mut part = ramp(1);
        part.elements.retain(|element| (from..to).contains(&element.0));
        part.data_set()
    };
    let head = |body: &[u8]| join(&[&[0; 128], b"DICM", &ramp(1).meta(), body]);
    let pixels_first = head(&join(&[&parts(0x7fe0_0010, u32::MAX), &parts(0, 0x7fe0_0010)]));
    assert_eq!(is_shown("pixels first", &pixels_first), [""; 0]);
    let halves = head(&join(&[
        &parts(0x0028_0000, 0x7fe0_0010),
        &parts(0, 0x0028_0000),
        &parts(0x7fe0_0010, u32::MAX),
    ]));
    assert_eq!(is_shown("halves", &halves), [""; 0]);
    for tail in [&b"garbage"[..], &[0; 300], &sequence(0xfffc_fffc, *b"OB", &[0; 40])] {
        assert_eq!(is_shown("tail", &join(&[&ramp(1).file(), tail])), [""; 0]);
    }
    let again = explicit(0x0028_1050, *b"DS", b"9 ");
    let twice = join(&[&explicit(0x0028_1050, *b"DS", b"2000"), &again]);
    assert_eq!(is_shown("twice", &ramp(1).whole(0x0028_1050, &twice).file()), ["repeated_element"]);
    let same = join(&[&explicit(0x0028_1050, *b"DS", b"2000"), &explicit(0x0028_1050, *b"DS", b"2000")]);
    assert_eq!(is_shown("twice the same", &ramp(1).whole(0x0028_1050, &same).file()), [""; 0]);
    // Bytes for words, an odd length, and more than the frame needs.
    let words = [0_u16, 1000, 2000, 4000].map(u16::to_le_bytes).concat();
    for (vr, tail) in [(*b"OB", &b""[..]), (*b"UN", b""), (*b"OW", b"\0"), (*b"OW", b"\0\0\0\0")] {
        let whole = sequence(0x7fe0_0010, vr, &join(&[&words, tail]));
        assert_eq!(is_shown("pixels", &ramp(1).whole(0x7fe0_0010, &whole).file()), [""; 0]);
    }
    let error =
        read(&ramp(1).whole(0x7fe0_0010, &sequence(0x7fe0_0010, *b"OW", &words[..6])).file()).unwrap_err();
    assert_eq!(error.code(), "pixel_data_short");
    assert_eq!(is_shown("magic only", &ramp(1).file()[128..]), ["no_preamble"]);
    // File meta information without value representations, and with one that is none.
    let uid = join(&[EXPLICIT.as_bytes(), b"\0"]);
    for meta in [
        implicit(0x0002_0010, &uid),
        explicit(0x0002_0010, *b"--", &uid),
        explicit(0x0002_0010, *b"LO", &uid),
    ] {
        is_shown("meta", &join(&[&[0; 128], b"DICM", &meta, &ramp(1).data_set()]));
        let version = implicit(0x0002_0001, b"\0\x01");
        is_shown("meta", &join(&[&[0; 128], b"DICM", &version, &meta, &ramp(1).data_set()]));
    }
    // A private element of the file meta information that overruns, where the group says how long it is.
    let broken = element(0x0002_0102, b"OB\0\0\xff\xff\xff\0", b"private!");
    let meta = join(&[&ramp(1).meta(), &broken]);
    let group = explicit(0x0002_0000, *b"UL", &(meta.len() as u32).to_le_bytes());
    is_shown("meta", &join(&[&[0; 128], b"DICM", &group, &meta, &ramp(1).data_set()]));
}

#[test]
fn no_structure_takes_more_than_linear_time() {
    let count = 200_000;
    let header = |vr: &[u8; 2]| element(PRIVATE, &join(&[vr, b"\0\0", &UNDEFINED]), b"");
    let hostile = [
        // Sequences that never end, one after the other and one in the other.
        join(&[&header(b"UN"), b"no item!"]).repeat(count),
        join(&[&header(b"SQ"), ITEM, &UNDEFINED]).repeat(count),
        join(&[&join(&[&header(b"SQ"), ITEM, &UNDEFINED]).repeat(20), b"no item!"]).repeat(count / 20),
        // Delimiters that nothing precedes, and that nothing follows.
        SEQUENCE_END.repeat(count),
        join(&[&header(b"UN"), &join(&[b"no item!", SEQUENCE_END, b"\xff\xff\xff\xff"]).repeat(count)]),
        join(&[&header(b"UN"), b"no item!", SEQUENCE_END]).repeat(count),
        // Lengths that are none.
        explicit(PRIVATE, *b"--", b"").repeat(count),
        join(&[&sequence(PRIVATE, *b"SQ", &item(b"x").repeat(9)), b"!"]).repeat(count / 10),
    ];
    for (number, body) in hostile.iter().enumerate() {
        for rows in [ramp(1).data_set(), Vec::new()] {
            let file = join(&[&[0; 128], b"DICM", &ramp(1).meta(), &rows[..rows.len().min(8)], body, &rows]);
            let start = Instant::now();
            let _outcome = read(&file);
            assert!(start.elapsed() < Duration::from_secs(2), "{number} took {:?}", start.elapsed());
        }
    }
}

#[test]
fn what_is_odd_is_told_in_words() {
    let film = read(&ramp(1).whole(PRIVATE, &explicit(PRIVATE, *b"--", b"secret")).file()).unwrap();
    let note = film.notes[0].to_string();
    assert_eq!(
        note,
        "element (0009,1010) has no valid value representation; its length was judged by what follows"
    );
}
