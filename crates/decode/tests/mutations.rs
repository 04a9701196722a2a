//! Damaged files: no panic, no hang, no more memory than the limits allow.
//!
//! `cargo test` runs a few hundred mutations. Many more, with the slowest file and, on Linux, the peak of memory:
//!
//! ```sh
//! MEDCLIP_MUTATIONS=20000 cargo test --release -p medclip-decode --all-features --test mutations -- --nocapture
//! ```
//!
//! `MEDCLIP_MUTATION_SEED` starts elsewhere. A file that fails is written to the directory for temporary files.
#![cfg(feature = "dicom")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a long test reports what it saw")]

#[path = "../../../tests/support/random.rs"]
#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod random;
#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use std::{env, fs};

use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use medclip_decode::{Limits, Reason, from_bytes};

use random::{Random, peak_memory};
use support::{BIG_ENDIAN, Builder, DEFLATED, IMPLICIT, JPEG, RLE, Value, rle};

const DEFAULT_COUNT: usize = 600;
/// A mutated file may not take longer.
const MOST_TIME: Duration = Duration::from_secs(5);
/// Most memory that the process may have had, in KiB.
const MOST_MEMORY: u64 = 1 << 20;

#[test]
fn damaged_files_neither_panic_nor_hang_nor_outgrow_the_limits() {
    let number = |name: &str, default| env::var(name).map_or(default, |text| text.parse().unwrap());
    let (count, seed) = (number("MEDCLIP_MUTATIONS", DEFAULT_COUNT), number("MEDCLIP_MUTATION_SEED", 1));
    let seeds = seeds();
    let limits = Limits::default();
    let mut random = Random(seed as u64);
    let mut slowest = (Duration::ZERO, "");
    let (mut decoded, mut caught) = (0, 0);
    for round in 0..count {
        let (name, bytes) = &seeds[round % seeds.len()];
        let mutated = mutate(bytes, &mut random);
        let start = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| from_bytes(&mutated, &limits)));
        let time = start.elapsed();
        if time > slowest.0 {
            slowest = (time, *name);
        }
        if result.is_err() || time > MOST_TIME {
            let path = env::temp_dir().join(format!("medclip-mutation-{seed}-{round}"));
            fs::write(&path, &mutated).unwrap();
            panic!("{name}, mutation {round} of seed {seed} panicked or took {time:?}: {}", path.display());
        }
        match result.unwrap() {
            Ok(_) => decoded += 1,
            Err(Reason::DecoderPanic) => caught += 1,
            Err(reason) if reason.code() == "decoder_panic" => caught += 1,
            Err(_) => {}
        }
    }
    let peak = peak_memory();
    eprintln!(
        "{count} mutations of {} files: {decoded} decoded, {} refused, of these {caught} where a decoder gave up; slowest \
         {:?} ({}); peak of memory {} MiB",
        seeds.len(),
        count - decoded,
        slowest.0,
        slowest.1,
        peak.map_or(0, |peak| peak >> 10),
    );
    assert!(peak.is_none_or(|peak| peak <= MOST_MEMORY), "{peak:?} KiB");
}

/// A file of every kind, none larger than a few kilobytes.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let gray = GrayImage::from_fn(61, 47, |x, y| image::Luma([(x * 5 + y * 3) as u8]));
    let color = RgbImage::from_fn(61, 47, |x, y| image::Rgb([(x * 4) as u8, (y * 5) as u8, (x * y) as u8]));
    let encode = |image: DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let gray_jpeg = encode(gray.clone().into(), ImageFormat::Jpeg);
    let color_jpeg = encode(color.clone().into(), ImageFormat::Jpeg);
    let words: Vec<u16> = (0..61 * 47).map(|index| (index * 7 % 4096) as u16).collect();
    let deep = || Builder::gray(61, 47, 12).pixels(&words);
    let table = vec![
        (0x0028_3002, *b"US", Value::Words(vec![3, 100, 8])),
        (0x0028_3006, *b"OW", Value::Words(vec![0, 51, 255])),
    ];
    let planes = [
        words.iter().map(|word| (word >> 8) as u8).collect(),
        words.iter().map(|&word| word as u8).collect::<Vec<u8>>(),
    ];
    let runs = rle(&[&planes[0], &planes[1]]);
    let two = Builder::gray(61, 47, 16).syntax(RLE).text(0x0028_0008, *b"IS", "2").fragments(&[&runs, &runs]);
    let mut palette =
        Builder::gray(61, 47, 8).text(0x0028_0004, *b"CS", "PALETTE COLOR").bytes(gray.as_raw());
    for channel in 0..3 {
        palette = palette.words(0x0028_1101 + channel, &[4, 0, 16]).set(
            0x0028_1201 + channel,
            *b"OW",
            Value::Words(vec![0, 9, 99, 65535]),
        );
    }
    let mut seeds = vec![
        ("PNG", encode(gray.clone().into(), ImageFormat::Png)),
        ("colour PNG", encode(color.clone().into(), ImageFormat::Png)),
        ("TIFF", encode(gray.clone().into(), ImageFormat::Tiff)),
        ("color TIFF", encode(color.clone().into(), ImageFormat::Tiff)),
        ("BMP", encode(gray.clone().into(), ImageFormat::Bmp)),
        ("WebP", encode(color.clone().into(), ImageFormat::WebP)),
        ("JPEG", gray_jpeg.clone()),
        ("colour JPEG", color_jpeg.clone()),
        ("explicit", deep().window("2000", "1000").text(0x0028_0030, *b"DS", "0.2\\0.1").file()),
        ("implicit", deep().syntax(IMPLICIT).item(0x0028_3000, table.clone()).file()),
        ("big endian", deep().syntax(BIG_ENDIAN).item(0x0028_3010, table).file()),
        ("deflated", deep().syntax(DEFLATED).file()),
        ("bare", deep().data_set()),
        ("RLE", two.file()),
        ("palette", palette.file()),
        ("RGB", Builder::color(61, 47, "RGB").words(0x0028_0006, &[1]).bytes(color.as_raw()).file()),
        ("baseline", Builder::gray(61, 47, 8).syntax(JPEG).fragments(&[&gray_jpeg]).file()),
        (
            "colour baseline",
            Builder::color(61, 47, "YBR_FULL_422").syntax(JPEG).fragments(&[&color_jpeg]).file(),
        ),
    ];
    for name in
        ["jpeg_extended", "jpeg_lossless", "jpeg_ls", "jpeg_ls_near", "jpeg2000", "jpeg2000_lossy", "jpegxl"]
    {
        let path = format!("{}/tests/golden/{name}.dcm", env!("CARGO_MANIFEST_DIR"));
        seeds.push((name, fs::read(path).unwrap()));
    }
    seeds
}

/// One to four changes: bits, bytes, cuts, repeated and removed stretches, and numbers that promise too much.
fn mutate(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    // Headers are small and decide: half of the changes are made there.
    let position = |bytes: &[u8], random: &mut Random| {
        let end = if random.below(2) == 0 { bytes.len().min(700) } else { bytes.len() };
        random.below(end)
    };
    for _ in 0..=random.below(4) {
        if bytes.len() < 8 {
            break;
        }
        let at = position(&bytes, random);
        match random.below(8) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes.truncate(at.max(1)),
            3 => {
                let lie = [0xff, 0xfe, 0x7f, 0x80, 0x00][random.below(5)];
                let end = (at + 1 + random.below(4)).min(bytes.len());
                bytes[at..end].fill(lie);
            }
            4 => {
                let end = (at + random.below(64)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                let end = (at + random.below(64)).min(bytes.len());
                let stretch = bytes[at..end].to_vec();
                bytes.splice(at..at, stretch);
            }
            6 => promise(&mut bytes, random),
            _ => {
                let other = random.below(bytes.len());
                bytes.swap(at, other);
            }
        }
    }
    bytes
}

/// Makes a header promise a large image: rows and columns of DICOM, or the size in a JPEG, JPEG 2000 or PNG header.
fn promise(bytes: &mut [u8], random: &mut Random) {
    let size = [0x0fff_u16, 0x3fff, 0x7fff, 0xffff][random.below(4)];
    let headers: [(&[u8], usize, bool); 6] = [
        (b"\x28\x00\x10\x00US\x02\x00", 8, false),
        (b"\x28\x00\x11\x00US\x02\x00", 8, false),
        (b"\x28\x00\x00\x01US\x02\x00", 8, false),
        (b"\xff\xc0", 5, true),
        (b"\xff\xc3", 7, true),
        (b"IHDR", 6, true),
    ];
    let (header, skip, big_endian) = headers[random.below(headers.len())];
    let found = bytes.windows(header.len()).position(|window| window == header);
    if let Some(target) = found.and_then(|at| bytes.get_mut(at + skip..at + skip + 2)) {
        target.copy_from_slice(&if big_endian { size.to_be_bytes() } else { size.to_le_bytes() });
    }
}
