//! JPEG 2000 films whose packets say too much, or were overwritten.
#![cfg(all(feature = "jpeg2000", feature = "htj2k"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use std::fs;
use std::time::Duration;

use medclip_decode::dicom::{self, DicomOptions};
use medclip_decode::{Limits, Reason, from_bytes};

use support::Builder;
use support::codestream::{Codestream, Style, segment};
use support::cost::{Cost, measure, measure_apart};
use support::packets::{Block, packets};

const JPEG2000: &str = "1.2.840.10008.1.2.4.90";
const HTJ2K: &str = "1.2.840.10008.1.2.4.201";

/// Side of an image of 16 megapixels.
const SIDE: u32 = 4096;

/// Memory beyond what the samples of a film take, and time: those of a refusal, not of a decoder.
const MEMORY: u64 = 32 << 20;
const TIME: Duration = Duration::from_millis(500);

fn film(codestream: &Codestream) -> Vec<u8> {
    let [width, height] = codestream.size.map(|side| side as u16);
    let syntax = if codestream.high_throughput { HTJ2K } else { JPEG2000 };
    Builder::gray(width, height, 12).syntax(syntax).fragments(&[&codestream.bytes()]).file()
}

fn outcome(codestream: &Codestream) -> (Result<(), Reason>, Cost) {
    let file = film(codestream);
    measure(|| dicom::values(&file, &Limits::default(), &DicomOptions::default()).map(drop))
}

/// A film whose blocks state so many passes, with some data for each stretch of them up to a termination.
fn stated(side: u32, style: Style, passes: u8, data: &[u8]) -> Codestream {
    // As many bit-planes as decoders know, or nearly.
    let planes = if style.flags & 0x40 == 0 { 31 } else { 30 };
    let exponents = [&[2 << 5][..], &[planes << 3; 97]].concat();
    let main = segment(0xff5c, &exponents);
    let mut codestream = Codestream { main, ..Codestream::new([side, side], style) };
    codestream.data = packets(&codestream, &Block { passes, empty_planes: 0, data: data.to_vec() });
    codestream
}

#[test]
fn passes_without_data_are_refused() {
    // One by one and together: bypass, reset, termination, vertically causal context and segmentation symbols.
    for flags in [0, 1, 2, 4, 8, 0x20, 0x2f] {
        for (block, levels) in [([6, 6], 0), ([10, 2], 5), ([2, 10], 1), ([5, 5], 5)] {
            let style = Style { flags, ..Style::new(levels, block) };
            let codestream = stated(SIDE, style, 94, &[0x80]);
            for high_throughput in [false, true] {
                let name =
                    format!("flags {flags:x}, blocks of {block:?}, {levels} levels, {high_throughput}");
                let (outcome, cost) = outcome(&Codestream { high_throughput, ..codestream.clone() });
                let reason = outcome.expect_err(&name);
                assert_eq!(reason.code(), "excessive_frame", "{name}: {reason}");
                assert!(reason.to_string().contains("94 coding passes over 16777216 samples"), "{reason}");
                assert!(cost.memory < MEMORY && cost.time < TIME, "{name}: {cost:?}");
            }
        }
    }
}

#[test]
fn passes_that_cost_little_are_let_through() {
    // A small film, about as many passes as 8 bits have, and blocks of high throughput, which have three.
    for (side, flags, passes, data) in
        [(1024, 0, 94, &[0x80][..]), (SIDE, 0, 22, &[0x80]), (SIDE, 0x40, 3, &[0x12, 0])]
    {
        let style = Style { flags, ..Style::new(0, [6, 6]) };
        let codestream = Codestream { high_throughput: flags != 0, ..stated(side, style, passes, data) };
        outcome(&codestream).0.unwrap();
    }
}

#[test]
fn packets_that_are_damaged_are_refused_at_no_cost() {
    let codestream = stated(SIDE, Style::new(0, [6, 6]), 30, &[0x80]);
    let cut = Codestream { data: codestream.data[..4_000].to_vec(), ..codestream.clone() };
    let more = Codestream { data: [&codestream.data[..], &[0x80]].concat(), ..codestream };
    for codestream in [cut, more] {
        let (outcome, cost) = outcome(&codestream);
        let reason = outcome.unwrap_err();
        assert!(reason.to_string().contains("packet "), "{reason}");
        assert!(cost.memory < MEMORY && cost.time < TIME, "{cost:?}");
    }
}

#[test]
fn what_is_let_through_is_soon_done() {
    let cost = |name: &str, codestream: &Codestream| {
        let film = film(codestream);
        measure_apart("what_is_let_through_is_soon_done", name, || {
            let _either = from_bytes(&film, &Limits::default());
        })
    };
    let plain = || Style::new(0, [6, 6]);
    let usual = cost("usual", &Codestream::new([SIDE, SIDE], plain()));
    for (name, flags, passes) in [("passes", 0, 22), ("passes of causal contexts", 8, 14)] {
        let cost = cost(name, &stated(SIDE, Style { flags, ..plain() }, passes, &[0x80]));
        assert!(cost.memory < usual.memory + (64 << 20), "{name}: {cost:?}, {usual:?}");
        assert!(cost.time < usual.time * 3 + Duration::from_secs(2), "{name}: {cost:?}, {usual:?}");
    }
}

#[test]
fn data_that_was_overwritten_with_zeros_is_refused() {
    let data: Vec<u8> = (1..80).map(|byte| byte * 3).collect();
    for flags in [0, 1] {
        let mut codestream = stated(2048, Style { flags, ..Style::new(2, [6, 6]) }, 21, &data);
        outcome(&codestream).0.unwrap();
        let len = codestream.data.len();
        codestream.data[len - len * 3 / 100..].fill(0);
        let reason = outcome(&codestream).0.unwrap_err();
        assert_eq!(reason.code(), "truncated_frame", "flags {flags}: {reason}");
        assert!(reason.to_string().ends_with("are zero, which no encoder writes"), "flags {flags}: {reason}");
    }
    let mut films = 0;
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "j2k") {
            continue;
        }
        films += 1;
        let mut stream = fs::read(&path).unwrap();
        let len = stream.len();
        stream[len * 7 / 10..len - 2].fill(0);
        let side = |at: usize| u32::from_be_bytes(*stream[at..].first_chunk().unwrap());
        let [width, height] = [side(8) - side(16), side(12) - side(20)].map(|side| side as u16);
        let builder = match stream[41] {
            1 => Builder::gray(width, height, 12),
            _ => Builder::color(width, height, "RGB"),
        };
        let file = builder.syntax(JPEG2000).fragments(&[&stream]).file();
        let result = dicom::values(&file, &Limits::default(), &DicomOptions::default());
        assert!(result.is_err(), "{}", path.display());
    }
    assert_eq!(films, 9);
}

#[test]
fn headers_may_be_zero_for_long() {
    // A second layer, to which none of 4096 blocks adds anything.
    let mut codestream = stated(SIDE, Style { layers: 2, ..Style::new(0, [6, 6]) }, 4, &[0x80]);
    codestream.data.push(0x80);
    codestream.data.resize(codestream.data.len() + SIDE as usize / 8, 0);
    outcome(&codestream).0.unwrap();
}
