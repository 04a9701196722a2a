//! Small codestreams whose headers ask a decoder for gigabytes or minutes.
#![cfg(all(feature = "jpeg2000", feature = "htj2k"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use std::time::Duration;

use medclip_decode::dicom::{self, DicomOptions};
use medclip_decode::{Limits, Reason, from_bytes};

use support::Builder;
use support::codestream::{Codestream, Style, changes, segment};
use support::cost::{Cost, measure, measure_apart};

const JPEG2000: &str = "1.2.840.10008.1.2.4.90";
const HTJ2K: &str = "1.2.840.10008.1.2.4.201";

/// Side of an image of 16 megapixels.
const SIDE: u32 = 4096;

/// Memory beyond what the samples of a film take, and time: those of a refusal, not of a decoder.
const MEMORY: u64 = 32 << 20;
const TIME: Duration = Duration::from_millis(500);

fn film(stream: &[u8], size: [u32; 2], syntax: &'static str) -> Vec<u8> {
    Builder::gray(size[0] as u16, size[1] as u16, 12).syntax(syntax).fragments(&[stream]).file()
}

fn outcome(codestream: &Codestream) -> (Result<(), Reason>, Cost) {
    let syntax = if codestream.high_throughput { HTJ2K } else { JPEG2000 };
    let file = film(&codestream.bytes(), codestream.size, syntax);
    measure(|| dicom::values(&file, &Limits::default(), &DicomOptions::default()).map(drop))
}

/// Refused with this code by both decoders, and at no cost.
fn assert_refused(name: &str, codestream: &Codestream, code: &str) {
    for high_throughput in [false, true] {
        let flags = if high_throughput { 0x40 } else { 0 };
        let style = Style { flags, ..codestream.style.clone() };
        let (outcome, cost) = outcome(&Codestream { style, high_throughput, ..codestream.clone() });
        let reason = outcome.expect_err(name);
        assert_eq!(reason.code(), code, "{name}: {reason}");
        assert!(cost.memory < MEMORY && cost.time < TIME, "{name}: {cost:?}");
    }
}

fn one(style: Style) -> Codestream {
    Codestream::new([SIDE, SIDE], style)
}

#[test]
fn tiny_code_blocks_are_refused() {
    for (layers, block) in [(1, [2, 2]), (1, [2, 3]), (32, [3, 3]), (32, [5, 2]), (65_535, [6, 6])] {
        let style = Style { layers, ..Style::new(5, block) };
        let wide = Codestream::new([16_000, 4_000], style);
        assert_refused(&format!("{layers} layers, {block:?}"), &wide, "excessive_frame");
    }
}

#[test]
fn tiny_precincts_are_refused() {
    for (side, code) in [([1, 1], "excessive_frame"), ([3, 2], "excessive_frame"), ([1, 8], "damaged_frame")]
    {
        let style = Style { precincts: vec![side; 6], ..Style::new(5, [6, 6]) };
        assert_refused(&format!("{side:?}"), &one(style), code);
    }
    let style = Style { precincts: vec![[0, 0]; 1], ..Style::new(0, [6, 6]) };
    assert_refused("one by one", &one(style), "excessive_frame");
    let style = Style { precincts: vec![[0, 0]; 2], ..Style::new(1, [6, 6]) };
    assert_refused("no block", &one(style), "damaged_frame");
    // Few enough for the memory, but more than there are bytes.
    let style = Style { precincts: vec![[5, 5]; 1], ..Style::new(0, [6, 6]) };
    assert_refused("no packets", &one(style), "damaged_frame");
}

#[test]
fn many_layers_of_many_precincts_are_refused() {
    for order in 0..5 {
        let style = Style { layers: 32, order, precincts: vec![[4, 4]; 6], ..Style::new(5, [3, 3]) };
        let codestream = Codestream { data: vec![0; 8_000], ..one(style) };
        assert_refused(&format!("order {order}"), &codestream, "excessive_frame");
    }
}

#[test]
fn tiles_without_end_are_refused() {
    let tiled = |size, tile, levels| Codestream { tile, ..Codestream::new(size, Style::new(levels, [6, 6])) };
    assert_refused("of a pixel", &tiled([SIDE, SIDE], [1, 1], 0), "damaged_frame");
    assert_refused("more than numbers", &tiled([256, 256], [1, 1], 0), "damaged_frame");
    assert_refused("with 32 levels", &tiled([255, 255], [1, 1], 32), "excessive_frame");
    assert_refused("of a line", &tiled([SIDE, 40_000 / 16], [SIDE / 16, 1], 32), "excessive_frame");
}

#[test]
fn tiles_without_data_are_refused() {
    let mut stream =
        Codestream { tile: [64, 64], ..Codestream::new([128, 128], Style::new(2, [6, 6])) }.bytes();
    // The last tile-part: its header, the marker before its data, a byte and the end marker.
    stream.truncate(stream.len() - 17);
    stream.extend([0xff, 0xd9]);
    let file = film(&stream, [128, 128], JPEG2000);
    let reason = dicom::values(&file, &Limits::default(), &DicomOptions::default()).unwrap_err();
    assert_eq!(reason.to_string(), "its JPEG 2000 frame is truncated: it has no part of tile 3 of 4");
}

#[test]
fn styles_of_components_and_tiles_count() {
    let large = || one(Style::new(5, [6, 6]));
    let tiny = Style { layers: 32, ..Style::new(5, [2, 2]) };
    for (name, main, first) in [
        ("of a component", tiny.of_component(), Vec::new()),
        ("of a tile", Vec::new(), tiny.segment()),
        ("of a component of a tile", Vec::new(), tiny.of_component()),
    ] {
        assert_refused(name, &Codestream { main, first, ..large() }, "excessive_frame");
    }
    // The style of a component stands before that of all.
    let mut stream = Codestream { main: tiny.of_component(), ..large() }.bytes();
    let style = stream.windows(2).position(|pair| pair == [0xff, 0x52]).unwrap();
    let of_component = stream.windows(2).position(|pair| pair == [0xff, 0x53]).unwrap();
    stream[style..of_component].rotate_left(14);
    let file = film(&stream, [SIDE, SIDE], JPEG2000);
    assert!(dicom::values(&file, &Limits::default(), &DicomOptions::default()).is_err());
}

#[test]
fn segments_that_hide_others_are_refused() {
    let tiny = Style::new(5, [2, 2]).segment();
    // A style, a quantization and a region of interest that say they hold what a decoder takes for the next segment.
    let style = Style::new(5, [6, 6]).segment();
    for (name, code, body) in [
        ("style", 0xff52, &style[4..]),
        ("quantization", 0xff5c, &[0x41, 0x60, 0x00][..]),
        ("region", 0xff5e, &[0, 0, 0][..]),
    ] {
        let hiding = segment(code, &[body, &tiny].concat());
        for in_tile in [false, true] {
            let mut codestream = one(Style::new(5, [6, 6]));
            *(if in_tile { &mut codestream.first } else { &mut codestream.main }) = hiding.clone();
            assert_refused(name, &codestream, "damaged_frame");
        }
    }
}

#[test]
fn changes_of_progression_are_refused_where_they_multiply() {
    for (count, order, side) in [(9_000, 2, 7), (9_000, 0, 7), (2_000, 3, 6)] {
        let style = Style { precincts: vec![[side, side]; 6], layers: 2, ..Style::new(5, [4, 4]) };
        let codestream = Codestream { data: vec![0; 8_000], ..one(style) };
        let poc = changes(count, order);
        let main = Codestream { main: poc.clone(), ..codestream.clone() };
        let first = Codestream { first: [poc.clone(), poc].concat(), ..codestream };
        assert_refused(&format!("{count} changes, order {order}"), &main, "excessive_frame");
        assert_refused(&format!("{count} changes of a tile, order {order}"), &first, "excessive_frame");
    }
}

#[test]
fn long_thin_trees_are_refused() {
    // A column of blocks in each of many precincts: decoders make the trees as if they were square.
    let style = Style { precincts: vec![[0, 15]], ..Style::new(0, [10, 2]) };
    assert_refused("narrow precincts", &Codestream::new([100, 60_000], style), "excessive_frame");
    let style = Style { precincts: vec![[15, 0]], ..Style::new(0, [2, 10]) };
    assert_refused("low precincts", &Codestream::new([60_000, 100], style), "excessive_frame");
    assert_refused("one column", &Codestream::new([4, 60_000], Style::new(0, [2, 2])), "excessive_frame");
}

#[test]
fn components_are_counted_before_anything_is_made() {
    for components in [2, 3, 16_384] {
        let codestream = Codestream { components, ..Codestream::new([64, 64], Style::new(5, [6, 6])) };
        assert_refused(&format!("{components} components"), &codestream, "frame_differs");
    }
}

#[test]
fn boxes_before_a_codestream_change_nothing() {
    let codestream = one(Style { layers: 32, ..Style::new(5, [2, 2]) }).bytes();
    let signature = b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 \0\0\0\0jp2c";
    let file = film(&[&signature[..], &codestream].concat(), [SIDE, SIDE], JPEG2000);
    let reason = dicom::values(&file, &Limits::default(), &DicomOptions::default()).unwrap_err();
    assert_eq!(reason.code(), "excessive_frame");
}

#[test]
fn films_that_are_coded_in_unusual_ways_are_decoded() {
    // Empty packets: all is mid-gray.
    let small = |style: Style, tile| {
        let packets = 4_000;
        Codestream { tile, data: vec![0; packets], ..Codestream::new([512, 512], style) }
    };
    let styles = [
        Style::new(5, [2, 2]),
        Style::new(0, [10, 2]),
        Style { layers: 32, ..Style::new(5, [6, 6]) },
        Style { precincts: vec![[5, 5]; 4], order: 2, ..Style::new(3, [4, 4]) },
        Style { precincts: vec![[6, 6]; 6], order: 4, layers: 8, ..Style::new(5, [4, 4]) },
    ];
    for style in styles {
        let packets = |codestream: &Codestream| -> Result<(), Reason> { outcome(codestream).0 };
        // As many empty packets as there are: one byte less is refused by no one, one more is by the decoder.
        let codestream = small(style.clone(), [512, 512]);
        let exact =
            (1..4_000).find(|&len| packets(&Codestream { data: vec![0; len], ..codestream.clone() }).is_ok());
        assert!(exact.is_some(), "{style:?}: {}", packets(&codestream).unwrap_err());
    }
    let tiled = Codestream { tile: [8, 8], ..Codestream::new([512, 512], Style::new(3, [6, 6])) };
    outcome(&Codestream { data: vec![0; 1], ..tiled }).0.unwrap();
}

#[test]
fn what_is_let_through_costs_little_more_than_a_sound_film() {
    let tiled = |side, levels| Codestream { tile: [side, side], ..one(Style::new(levels, [6, 6])) };
    let precincts =
        |precinct, style: Style| one(Style { precincts: vec![precinct; style.levels as usize + 1], ..style });
    let changed =
        |count, order| Codestream { main: changes(count, order), ..precincts([7, 7], Style::new(5, [6, 6])) };
    let cost = |name: &str, codestream: &Codestream| {
        let film = film(&codestream.bytes(), codestream.size, JPEG2000);
        measure_apart("what_is_let_through_costs_little_more_than_a_sound_film", name, || {
            let _either = from_bytes(&film, &Limits::default());
        })
    };
    let usual = cost("usual", &Codestream { data: vec![0; 6], ..one(Style::new(5, [6, 6])) });
    for (name, codestream) in [
        ("blocks", one(Style::new(5, [3, 3]))),
        ("layers", one(Style { layers: 20, ..Style::new(5, [4, 3]) })),
        ("parts", one(Style { layers: 32, flags: 4, ..Style::new(5, [4, 4]) })),
        ("tiles", tiled(20, 0)),
        ("levels", tiled(192, 32)),
        ("changes", changed(300, 2)),
        ("changes by layer", changed(300, 0)),
        ("thin blocks", one(Style { precincts: vec![[8, 14]], ..Style::new(0, [10, 2]) })),
        ("thin precincts", precincts([15, 6], Style::new(5, [4, 4]))),
    ] {
        // Packets that start with a zero bit are empty. Far more than there are: all are walked.
        for packets in [1, 400_000] {
            let codestream = Codestream { data: vec![0x2a; packets], ..codestream.clone() };
            if codestream.tiles() > 1 && packets > 1 {
                continue;
            }
            let cost = cost(&format!("{name}, {packets}"), &codestream);
            assert!(cost.memory < usual.memory + (256 << 20), "{name}: {cost:?}, {usual:?}");
            assert!(cost.time < usual.time * 3 + Duration::from_secs(2), "{name}: {cost:?}, {usual:?}");
        }
    }
}
