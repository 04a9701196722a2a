//! Small files that ask a decoder for gigabytes or minutes: all but JPEG 2000.
#![cfg(all(feature = "dicom", feature = "jpegxl"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use std::io::{Cursor, Write as _, repeat};
use std::time::Duration;

use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use flate2::{Compression, Crc};
use image::{GrayImage, ImageFormat, Luma};
use medclip_decode::{Limits, Reason, from_bytes};

use support::cost::{Cost, measure_apart};
use support::{Builder, DEFLATED};

const JPEG_XL: &str = "1.2.840.10008.1.2.4.110";

/// What no refusal may go beyond.
const MEMORY: u64 = 256 << 20;
const TIME: Duration = Duration::from_secs(4);

fn outcome(bytes: &[u8]) -> Result<(), Reason> {
    from_bytes(bytes, &Limits::default()).map(drop)
}

/// Refused with this code, and at little cost.
fn assert_refused(test: &str, name: &str, bytes: &[u8], code: &str) {
    assert_cheap(test, name, bytes);
    let reason = outcome(bytes).expect_err(name);
    assert_eq!(reason.code(), code, "{name}: {reason}");
}

fn assert_cheap(test: &str, name: &str, bytes: &[u8]) {
    let cost: Cost = measure_apart(test, name, || drop(outcome(bytes)));
    // The program itself takes a few megabytes, and the file.
    let memory = MEMORY + (16 << 20) + bytes.len() as u64;
    assert!(cost.memory < memory && cost.time < TIME, "{name}: {cost:?}");
}

fn zeros(encoder: &mut impl std::io::Write, mebibytes: u64) {
    std::io::copy(&mut std::io::Read::take(repeat(0), mebibytes << 20), encoder).unwrap();
}

#[test]
fn bombs_of_gzip_are_refused() {
    let film = Builder::gray(64, 64, 8).bytes(&[7; 64 * 64]).file();
    for (name, mebibytes) in [("film", 300), ("film and zeros", 500)] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&film).unwrap();
        zeros(&mut encoder, mebibytes);
        let bomb = encoder.finish().unwrap();
        assert_refused("bombs_of_gzip_are_refused", name, &bomb, "file_too_large");
    }
    // Many streams, one behind the other.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&film).unwrap();
    zeros(&mut encoder, 50);
    let bomb = encoder.finish().unwrap().repeat(6);
    assert_refused("bombs_of_gzip_are_refused", "streams", &bomb, "file_too_large");
}

#[test]
fn bombs_of_deflated_data_sets_are_refused() {
    let file = Builder::gray(64, 64, 8).bytes(&[7; 64 * 64]).syntax(DEFLATED);
    let mut bomb = vec![0; 128];
    bomb.extend(b"DICM");
    bomb.extend(file.meta());
    let mut encoder = DeflateEncoder::new(bomb, Compression::fast());
    // An element of 400 MB before the pixels.
    encoder.write_all(b"\x09\x00\x01\x10UN\0\0\0\0\0\x19").unwrap();
    zeros(&mut encoder, 400);
    let bomb = encoder.finish().unwrap();
    assert_refused("bombs_of_deflated_data_sets_are_refused", "element", &bomb, "too_much_memory");
}

fn chunk(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let mut sum = Crc::new();
    sum.update(&kind);
    sum.update(body);
    [&(body.len() as u32).to_be_bytes()[..], &kind, body, &sum.sum().to_be_bytes()].concat()
}

#[test]
fn profiles_and_texts_of_png_are_not_inflated() {
    let image = GrayImage::from_fn(64, 48, |x, y| Luma([(x * 3 + y) as u8]));
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png).unwrap();
    let png = png.into_inner();
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    zeros(&mut encoder, 450);
    let data = encoder.finish().unwrap();
    let test = "profiles_and_texts_of_png_are_not_inflated";
    for (kind, head) in
        [(b"iCCP", &b"sRGB\0\0"[..]), (b"zTXt", &b"Comment\0\0"[..]), (b"iTXt", &b"Comment\0\x01\0\0\0"[..])]
    {
        let bomb = chunk(*kind, &[head, &data].concat());
        // Behind the header.
        let file = [&png[..33], &bomb, &png[33..]].concat();
        let name = String::from_utf8_lossy(kind);
        assert_cheap(test, &name, &file);
        let decoded = from_bytes(&file, &Limits::default()).unwrap();
        assert_eq!(decoded.image.pixels(), image.as_raw(), "{name}");
        // The same where the pixels end early.
        let cut = &file[..file.len() - 40];
        assert_cheap(test, &format!("{name}, cut"), cut);
        assert_eq!(outcome(cut).unwrap_err().code(), outcome(&png[..png.len() - 40]).unwrap_err().code());
    }
}

#[test]
fn jpeg_streams_of_tiff_that_lie_over_each_other_are_walked_once() {
    const SIDE: u16 = 3000;
    let mut jpeg = Cursor::new(Vec::new());
    GrayImage::new(SIDE.into(), SIDE.into()).write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
    let jpeg = jpeg.into_inner();
    let strips = 1000_u32;
    let data = 8_u32;
    let offsets = data + jpeg.len() as u32;
    let counts = offsets + 4 * strips;
    let directory = counts + 4 * strips;
    let mut file = b"II*\0".to_vec();
    file.extend(directory.to_le_bytes());
    file.extend(&jpeg);
    file.extend(data.to_le_bytes().repeat(strips as usize));
    file.extend((jpeg.len() as u32).to_le_bytes().repeat(strips as usize));
    let entries = [
        (256_u16, 4_u16, 1_u32, u32::from(SIDE)),
        (257, 4, 1, u32::from(SIDE)),
        (258, 3, 1, 8),
        (259, 3, 1, 7),
        (262, 3, 1, 1),
        (273, 4, strips, offsets),
        (277, 3, 1, 1),
        (278, 4, 1, 3),
        (279, 4, strips, counts),
    ];
    file.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        file.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        file.extend([count.to_le_bytes(), value.to_le_bytes()].concat());
    }
    file.extend([0; 4]);
    let test = "jpeg_streams_of_tiff_that_lie_over_each_other_are_walked_once";
    assert_refused(test, "strips", &file, "damaged");
}

#[test]
fn directories_of_tiff_that_lie_over_each_other_are_refused() {
    // Each directory says it has nearly all that follows.
    let pages = 1000_u32;
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    let count = 60_000_u32;
    let len = 8 + pages * 14 + count * 12 + 100;
    file.resize(len as usize, 0);
    for page in 0..pages {
        let at = 8 + page * 14;
        file[at as usize..at as usize + 2].copy_from_slice(&(count as u16).to_le_bytes());
        let next = (at + 2 + count * 12) as usize;
        if next + 4 <= file.len() {
            file[next..next + 4].copy_from_slice(&(at + 14).to_le_bytes());
        }
    }
    let test = "directories_of_tiff_that_lie_over_each_other_are_refused";
    assert_refused(test, "pages", &file, "damaged");
}

/// Bits of a JPEG XL codestream, the lowest of a byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn put(mut self, value: u64, count: u32) -> Self {
        for bit in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (self.used % 8);
            self.used += 1;
        }
        self
    }

    fn aligned(mut self) -> Self {
        self.used = self.used.next_multiple_of(8);
        self
    }

    /// The signature, and an image of 64 × 64.
    fn start() -> Self {
        // Eight times eight, as wide as high.
        Self::default().put(0x0aff, 16).put(1, 1).put(7, 5).put(1, 3)
    }

    /// A store of patches of this size, if not that of the image.
    fn store(self, size: Option<u64>) -> Self {
        // Not default, a store, VarDCT, no flags, no upsampling, quantization.
        let bits = self.put(0, 1).put(2, 2).put(0, 1).put(0, 2).put(0, 2).put(3, 3).put(2, 3);
        let bits = match size {
            None => bits.put(0, 1),
            Some(size) => bits.put(1, 1).put(3, 2).put(size - 18_688, 30).put(3, 2).put(size - 18_688, 30),
        };
        // Its number, before colors are transformed, no name, default filters, no extensions.
        bits.put(1, 2).put(1, 1).put(0, 2).put(1, 1).put(0, 2)
    }

    fn film(self) -> Vec<u8> {
        Builder::color(64, 64, "RGB").syntax(JPEG_XL).fragments(&[&self.aligned().bytes]).file()
    }
}

#[test]
fn headers_of_jpeg_xl_without_bounds_are_refused() {
    let test = "headers_of_jpeg_xl_without_bounds_are_refused";
    let refused = |name: &str, bits: Bits, code| assert_refused(test, name, &bits.film(), code);

    // Not default: an orientation, no other size, no preview, an animation of ten frames a second.
    let animation =
        Bits::start().put(0, 1).put(1, 1).put(0, 3).put(0, 2).put(1, 1).put(0, 2).put(0, 2).put(0, 2);
    // No time codes, 8 bits, short numbers, no channels, default colors, no tone mapping, no extensions.
    let animation = animation.put(0, 1).put(0, 3).put(1, 1).put(0, 2).put(1, 1).put(1, 1).put(1, 1).put(0, 2);
    refused("animation", animation.put(1, 1).put(0, 64), "codec_feature");

    // Not default, nothing unusual, 8 bits, 200 transparent channels.
    let channels = Bits::start().put(0, 1).put(0, 1).put(0, 3).put(1, 1).put(3, 2).put(199, 12);
    let channels = (0..200).fold(channels, |bits, _| bits.put(1, 1)).put(1, 1).put(1, 1).put(0, 2).put(1, 1);
    refused("channels", channels.put(0, 64), "excessive_frame");

    // A profile of 200 MB.
    let profile = Bits::start().put(0, 1).put(0, 1).put(0, 3).put(1, 1).put(0, 2).put(1, 1);
    let profile = profile.put(0, 1).put(1, 1).put(0, 2).put(0, 2).put(1, 1);
    let length = 200_000_000_u64;
    // In parts of seven bits behind the first twelve.
    let profile = profile.put(3, 2).put(length & 0xfff, 12).put(1, 1).put(length >> 12 & 0xff, 8).put(1, 1);
    refused("profile", profile.put(length >> 20, 8).put(0, 1).put(0, 64), "excessive_frame");
}

#[test]
fn frames_of_jpeg_xl_without_bounds_are_refused() {
    let test = "frames_of_jpeg_xl_without_bounds_are_refused";
    let frames = |count, size| {
        // Default colors and transforms.
        let mut bits = Bits::start().put(1, 1).put(1, 1).aligned();
        for _ in 0..count {
            // Not reordered; an empty group.
            bits = bits.store(size).put(0, 1).aligned().put(0, 2).put(0, 10).aligned();
        }
        bits.film()
    };
    assert_refused(test, "frames", &frames(100_000, None), "excessive_frame");
    for size in [20_000, 1 << 20, 1 << 29] {
        let outcome = outcome(&frames(1, Some(size)));
        assert!(outcome.is_err(), "{size}");
        assert_cheap(test, &format!("a frame of {size}"), &frames(1, Some(size)));
    }
}

#[test]
fn boxes_around_jpeg_xl_are_stepped_over() {
    let golden = std::fs::read(format!("{}/tests/golden/jpegxl.dcm", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let start = golden.windows(4).rposition(|window| window == b"\xfe\xff\x00\xe0").unwrap() + 8;
    let codestream = &golden[start..golden.len() - 8];
    let signature = b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl ";
    let framed =
        |kind: &[u8; 4], body: &[u8]| [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat();
    // What would inflate to anything.
    let packed = framed(b"brob", &[b"Exif\x5b", &[0xff; 64][..]].concat());
    let (first, second) = codestream.split_at(40);
    let whole = [&signature[..], &packed, &framed(b"jxlc", codestream)].concat();
    let parts = [
        &signature[..],
        &framed(b"jxlp", &[&[0; 4], first].concat()),
        &packed,
        &framed(b"jxlp", &[&[0x80, 0, 0, 1], second].concat()),
    ];
    let expected = from_bytes(&golden, &Limits::default()).unwrap().image;
    for frame in [whole, parts.concat()] {
        let film = Builder::gray(37, 23, 12).syntax(JPEG_XL).fragments(&[&frame]).file();
        let decoded = from_bytes(&film, &Limits::default()).unwrap().image;
        assert_eq!((decoded.width(), decoded.height()), (expected.width(), expected.height()));
    }
}
