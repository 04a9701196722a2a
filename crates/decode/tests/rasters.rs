//! Pictures that are no DICOM files: which way up, how deep, how many pages, and whether all of it is there.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

#[cfg(feature = "dicom")]
#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb};
use medclip_decode::{
    DecodeOptions, Film, Levels, Limits, Note, RasterOptions, Reason, from_bytes, from_bytes_with,
};

const WIDTH: u32 = 96;
const HEIGHT: u32 = 64;

fn level(x: u32, y: u32) -> u8 {
    (40 + x + y + (x * 7 + y * 13) % 23) as u8
}

fn film() -> GrayImage {
    GrayImage::from_fn(WIDTH, HEIGHT, |x, y| Luma([level(x, y)]))
}

fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn decode(bytes: &[u8]) -> Result<Film, Reason> {
    from_bytes(bytes, &Limits::default())
}

#[allow(clippy::needless_update, reason = "there are other fields with the feature dicom")]
fn decode_with(bytes: &[u8], raster: RasterOptions) -> Result<Film, Reason> {
    from_bytes_with(bytes, &Limits::default(), &DecodeOptions { raster, ..DecodeOptions::default() })
}

fn chunk(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let named = [kind.as_slice(), body].concat();
    [&(body.len() as u32).to_be_bytes()[..], &named, &crc32(&named).to_be_bytes()].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// EXIF data with an orientation, in either byte order.
fn exif(orientation: u8, big_endian: bool) -> Vec<u8> {
    if big_endian {
        [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[orientation, 0, 0, 0, 0, 0, 0]]
            .concat()
    } else {
        [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[orientation, 0, 0, 0, 0, 0, 0, 0]]
            .concat()
    }
}

fn jpeg_with(orientation: u8, big_endian: bool) -> Vec<u8> {
    let jpeg = encode(film(), ImageFormat::Jpeg);
    let body = [b"Exif\0\0".as_slice(), &exif(orientation, big_endian)].concat();
    let length = (body.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &body, &jpeg[2..]].concat()
}

/// Behind the signature and the header, or before the end.
fn png_with(orientation: u8, late: bool) -> Vec<u8> {
    let png = encode(film(), ImageFormat::Png);
    let at = if late { png.len() - 12 } else { 33 };
    [&png[..at], &chunk(*b"eXIf", &exif(orientation, true)), &png[at..]].concat()
}

fn webp_with(orientation: u8) -> Vec<u8> {
    let webp = encode(film(), ImageFormat::WebP);
    let size = |number: u32| (number - 1).to_le_bytes()[..3].to_vec();
    let header = [&[0b1000, 0, 0, 0][..], &size(WIDTH), &size(HEIGHT)].concat();
    let exif = exif(orientation, false);
    let mut body = [b"WEBPVP8X\x0a\0\0\0".as_slice(), &header, &webp[12..], b"EXIF"].concat();
    body.extend((exif.len() as u32).to_le_bytes());
    body.extend(exif);
    [b"RIFF".as_slice(), &(body.len() as u32).to_le_bytes(), &body].concat()
}

/// An uncompressed TIFF file with pages, each an orientation, a kind and samples.
fn tiff(pages: &[(u32, u32, &GrayImage)], big_endian: bool) -> Vec<u8> {
    let page = |&(orientation, kind, image): &(u32, u32, &GrayImage)| {
        (orientation, kind, 1, image.dimensions(), image.as_raw().clone())
    };
    tiff_of(&pages.iter().map(page).collect::<Vec<_>>(), big_endian)
}

/// Orientation, kind, compression, size and data.
type Page = (u32, u32, u32, (u32, u32), Vec<u8>);

/// The same of pages in any compression.
fn tiff_of(pages: &[Page], big_endian: bool) -> Vec<u8> {
    let short = |number: u16| if big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
    let long = |number: u32| if big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
    let mut bytes = if big_endian { b"MM\0*".to_vec() } else { b"II*\0".to_vec() };
    bytes.extend([0; 4]);
    let mut link = 4;
    for &(orientation, kind, compression, (width, height), ref samples) in pages {
        let data = bytes.len() as u32;
        bytes.extend(samples);
        let at = bytes.len() as u32;
        bytes[link..link + 4].copy_from_slice(&long(at));
        let strip = samples.len() as u32;
        let entries = [
            (254, kind),
            (256, width),
            (257, height),
            (258, 8),
            (259, compression),
            (262, 1),
            (273, data),
            (274, orientation),
            (277, 1),
            (278, height),
            (279, strip),
        ];
        bytes.extend(short(entries.len() as u16));
        for (tag, value) in entries {
            bytes.extend(short(tag));
            bytes.extend(short(4));
            bytes.extend(long(1));
            bytes.extend(long(value));
        }
        link = bytes.len();
        bytes.extend([0; 4]);
    }
    bytes
}

/// Where the pixel that is shown at a place is stored (Exif 3.0, figure 17).
fn stored(orientation: u32, x: u32, y: u32) -> (u32, u32) {
    let (right, bottom) = (WIDTH - 1, HEIGHT - 1);
    match orientation {
        2 => (right - x, y),
        3 => (right - x, bottom - y),
        4 => (x, bottom - y),
        5 => (y, x),
        6 => (y, bottom - x),
        7 => (right - y, bottom - x),
        8 => (right - y, x),
        _ => (x, y),
    }
}

#[test]
fn orientation_is_applied_in_every_format() {
    for orientation in 0..10_u8 {
        let number = u32::from(orientation);
        let files = [
            ("JPEG", ImageFormat::Jpeg, jpeg_with(orientation, true)),
            ("JPEG, little endian", ImageFormat::Jpeg, jpeg_with(orientation, false)),
            ("PNG", ImageFormat::Png, png_with(orientation, false)),
            ("PNG, behind the pixels", ImageFormat::Png, png_with(orientation, true)),
            ("WebP", ImageFormat::WebP, webp_with(orientation)),
            ("TIFF", ImageFormat::Png, tiff(&[(number, 0, &film())], false)),
            ("TIFF, big endian", ImageFormat::Png, tiff(&[(number, 0, &film())], true)),
        ];
        for (name, plain, file) in files {
            let plain = decode(&encode(film(), plain)).unwrap().image;
            let turned = decode(&file).unwrap_or_else(|reason| panic!("{name}: {reason}")).image;
            let size = if (5..9).contains(&orientation) { (HEIGHT, WIDTH) } else { (WIDTH, HEIGHT) };
            assert_eq!((turned.width(), turned.height()), size, "{name}, {orientation}");
            for (index, &pixel) in turned.pixels().iter().enumerate() {
                let (x, y) = (index as u32 % size.0, index as u32 / size.0);
                let (x, y) = stored(number, x, y);
                assert_eq!(pixel, plain.pixels()[(y * WIDTH + x) as usize], "{name}, {orientation}: {index}");
            }
            let options = RasterOptions { orientation: false, ..RasterOptions::default() };
            let as_stored = decode_with(&file, options).unwrap().image;
            assert_eq!(as_stored.pixels(), plain.pixels(), "{name}, {orientation}");
        }
    }
}

#[test]
fn samples_that_use_fewer_bits_than_they_have_are_scaled_by_those() {
    let eight = decode(&encode(film(), ImageFormat::Png)).unwrap().image;
    let highest = 32 - u32::from(*eight.pixels().iter().max().unwrap()).leading_zeros();
    assert_eq!(highest, 8);
    for bits in 8..=16 {
        let deep = |x, y| u16::from(level(x, y)) << (bits - 8) | (x + y) as u16 & ((1 << (bits - 8)) - 1);
        let gray = DynamicImage::from(ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| Luma([deep(x, y)])));
        let alpha = DynamicImage::from(gray.to_luma_alpha16());
        let color = DynamicImage::from(ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| Rgb([deep(x, y); 3])));
        for (name, file) in [
            ("gray", encode(gray.clone(), ImageFormat::Png)),
            ("with transparency", encode(alpha, ImageFormat::Png)),
            ("color", encode(color, ImageFormat::Png)),
            ("TIFF", encode(gray, ImageFormat::Tiff)),
        ] {
            let picture = decode(&file).unwrap();
            assert_eq!(picture.image.pixels(), eight.pixels(), "{name}, {bits} bits");
            let notes = if bits < 16 { vec![Note::UnusedBits { used: bits }] } else { Vec::new() };
            assert_eq!(picture.notes, notes, "{name}, {bits} bits");
            let full = RasterOptions { levels: Levels::FullRange, ..RasterOptions::default() };
            let upper: Vec<u8> =
                eight.pixels().iter().map(|&pixel| (u16::from(pixel) >> (16 - bits)) as u8).collect();
            assert_eq!(decode_with(&file, full).unwrap().image.pixels(), upper, "{name}, {bits} bits");
        }
    }
}

#[test]
fn one_value_and_nothing_at_all_stay_dark() {
    for (value, gray) in [(0, 0), (1, 1), (255, 255), (256, 128), (4095, 255), (65535, 255)] {
        let image: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_pixel(9, 9, Luma([value]));
        let picture = decode(&encode(image, ImageFormat::Png)).unwrap();
        assert_eq!(picture.image.pixels(), [gray; 81], "{value}");
    }
}

#[test]
fn the_lowest_and_highest_sample_become_black_and_white_where_asked() {
    let spread = RasterOptions { levels: Levels::MinMax, ..RasterOptions::default() };
    let deep = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| Luma([u16::from(level(x, y)) * 3 + 500]));
    for file in
        [encode(film(), ImageFormat::Png), encode(deep, ImageFormat::Png), encode(film(), ImageFormat::Bmp)]
    {
        let image = decode_with(&file, spread).unwrap().image;
        let (low, high) =
            film().iter().fold((255, 0), |(low, high), &pixel| (pixel.min(low), pixel.max(high)));
        for (pixel, &level) in image.pixels().iter().zip(film().as_raw()) {
            let wanted = (f64::from(level - low) / f64::from(high - low) * 255.0).round() as u8;
            assert_eq!(*pixel, wanted);
        }
    }
}

#[cfg(feature = "dicom")]
#[test]
fn a_window_applies_to_samples_of_any_depth_and_a_numbered_one_is_refused() {
    use medclip_decode::dicom::{Voi, Window, WindowFunction};

    let with = |file: &[u8], voi: Voi| {
        decode_with(file, RasterOptions { levels: voi.into(), ..RasterOptions::default() })
    };
    let window = |center, width| Voi::Given(Window { center, width, function: WindowFunction::LinearExact });
    let twelve = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| Luma([u16::from(level(x, y)) * 16]));
    let twelve = with(&encode(twelve, ImageFormat::Png), window(2048.0, 2048.0)).unwrap();
    let eight = with(&encode(film(), ImageFormat::Png), window(128.0, 128.0)).unwrap();
    assert_eq!(twelve.image.pixels(), eight.image.pixels());
    assert_eq!(eight.image.pixels().iter().min(), Some(&0));
    assert!(twelve.notes.is_empty());
    for (voi, message) in [
        (Voi::Window(1), "has no windows, number 2 was asked for"),
        (Voi::Table(0), "has no VOI LUTs, number 1 was asked for"),
    ] {
        let reason = with(&encode(film(), ImageFormat::Png), voi).unwrap_err();
        assert_eq!((reason.to_string().as_str(), reason.code()), (message, "no_such_voi"));
    }
    assert!(with(&encode(film(), ImageFormat::Jpeg), window(10.0, 0.0)).is_err());
}

#[test]
fn a_tiff_file_has_one_page_or_its_number_is_asked_for() {
    let dark = GrayImage::from_pixel(8, 4, Luma([9]));
    let light = GrayImage::from_pixel(4, 8, Luma([200]));
    let page = |number| RasterOptions { page: Some(number), ..RasterOptions::default() };
    for big_endian in [false, true] {
        let two = tiff(&[(1, 0, &dark), (6, 0, &light)], big_endian);
        let reason = decode(&two).unwrap_err();
        assert_eq!(reason.to_string(), "has 2 pages, of which one has to be chosen by its number");
        assert_eq!(decode_with(&two, page(0)).unwrap().image.pixels(), dark.as_raw());
        let second = decode_with(&two, page(1)).unwrap().image;
        assert_eq!((second.width(), second.height(), second.pixels()[0]), (8, 4, 200));
        let reason = decode_with(&two, page(2)).unwrap_err();
        assert_eq!(reason.to_string(), "has 2 pages, number 3 was asked for");

        // A small copy and a mask are no pages, wherever they stand.
        let copies = tiff(&[(1, 1, &light), (1, 0, &dark), (1, 4, &light)], big_endian);
        assert_eq!(decode(&copies).unwrap().image.pixels(), dark.as_raw());
        let only = tiff(&[(1, 1, &light)], big_endian);
        assert_eq!(decode(&only).unwrap().image.pixels(), light.as_raw());

        // A second page that the file does not reach.
        let cut = &two[..two.len() - 8];
        assert_eq!(decode(cut).unwrap_err().code(), "truncated");
    }
    let reason = decode_with(&encode(film(), ImageFormat::Png), page(1)).unwrap_err();
    assert_eq!(reason.to_string(), "has 1 page, number 2 was asked for");
}

#[test]
fn files_of_which_a_part_is_missing_are_refused() {
    let png = encode(film(), ImageFormat::Png);
    for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::WebP] {
        let file = encode(film(), format);
        // The last chunk of a PNG file only says that it ends.
        let needed = file.len() - if format == ImageFormat::Png { 12 } else { 2 };
        for len in (0..needed).step_by(7).chain([needed - 1]) {
            assert!(decode(&file[..len]).is_err(), "{format:?} cut at {len} of {}", file.len());
        }
    }
    for missing in [12, 11, 7, 1] {
        assert_eq!(decode(&png[..png.len() - missing]).unwrap().notes, [Note::NoEndMarker], "{missing}");
    }
    // All chunks are right, and there are too few rows.
    let half = encode(DynamicImage::from(film()).crop_imm(0, 0, WIDTH, HEIGHT / 2), ImageFormat::Png);
    let mut header = half[16..29].to_vec();
    header[7] = HEIGHT as u8;
    let few = [&half[..8], &chunk(*b"IHDR", &header), &half[33..]].concat();
    let reason = decode(&few).unwrap_err().to_string();
    assert!(reason.contains("does not have enough data for image"), "{reason}");
    let mut flipped = png.clone();
    flipped[png.len() / 2] ^= 4;
    assert_eq!(decode(&flipped).unwrap_err().code(), "damaged");
    let zeroed = [&png[..png.len() / 2], &vec![0; png.len() / 2]].concat();
    assert!(decode(&zeroed).is_err());

    let tiff = tiff(&[(1, 0, &film())], false);
    let mut unwritten = tiff.clone();
    // The offset of the one strip, behind the count and six entries.
    let at = tiff.len() - 4 - 11 * 12 + 6 * 12 + 8;
    unwritten[at..at + 4].fill(0);
    let reason = decode(&unwritten).unwrap_err();
    assert_eq!(reason.to_string(), "is truncated: strip 1 of 1 of the TIFF file was never written");
    let mut outside = tiff;
    outside[at..at + 4].copy_from_slice(&60_000_u32.to_le_bytes());
    let reason = decode(&outside).unwrap_err();
    assert_eq!(reason.to_string(), "is truncated: the TIFF file ends inside of strip 1 of 1");

    let bmp = encode(film(), ImageFormat::Bmp);
    let reason = decode(&bmp[..bmp.len() - 10 * WIDTH as usize]).unwrap_err();
    assert!(reason.to_string().contains("after row 54 of 64"), "{reason}");
}

#[test]
fn jpeg_strips_of_a_tiff_file_are_counted_too() {
    let jpeg = encode(film(), ImageFormat::Jpeg);
    let file = |jpeg: &[u8]| tiff_of(&[(1, 0, 7, (WIDTH, HEIGHT), jpeg.to_vec())], false);
    let plain = decode(&jpeg).unwrap().image;
    assert_eq!(decode(&file(&jpeg)).unwrap().image.pixels(), plain.pixels());
    for share in [3, 2] {
        let cut = jpeg.len() - jpeg.len() / 2 / share;
        for damaged in [
            [&jpeg[..cut], &[0xff, 0xd9]].concat(),
            [&jpeg[..cut], &vec![0; jpeg.len() - cut - 2], &[0xff, 0xd9]].concat(),
            jpeg[..cut].to_vec(),
        ] {
            assert_eq!(decode(&file(&damaged)).unwrap_err().code(), "truncated", "cut at {cut}");
        }
    }
}

#[cfg(feature = "dicom")]
mod gzip {
    use medclip_decode::dicom::{self, DicomOptions};
    use medclip_decode::{Limits, PatientFields, from_bytes, unpacked};

    use super::crc32;
    use super::support::Builder;

    /// Stored blocks, without compression.
    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut stream = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        let blocks = bytes.chunks(0xffff);
        let last = blocks.len();
        for (number, block) in blocks.enumerate() {
            let len = block.len() as u16;
            stream.push(u8::from(number + 1 == last));
            stream.extend(len.to_le_bytes());
            stream.extend((!len).to_le_bytes());
            stream.extend(block);
        }
        stream.extend(crc32(bytes).to_le_bytes());
        stream.extend((bytes.len() as u32).to_le_bytes());
        stream
    }

    #[test]
    fn a_dicom_file_in_a_gzip_stream_is_that_file() {
        let limits = Limits::default();
        let file = Builder::gray(9, 7, 8).bytes(&(0..63).map(|i| i * 4).collect::<Vec<u8>>()).file();
        let plain = from_bytes(&file, &limits).unwrap();
        let (first, second) = file.split_at(200);
        for stream in [
            gzip(&file),
            [gzip(first), gzip(second)].concat(),
            [gzip(&file), vec![0; 512]].concat(),
            [gzip(&file), b"padding".to_vec()].concat(),
        ] {
            assert_eq!(from_bytes(&stream, &limits).unwrap(), plain);
            let unpacked = unpacked(&stream, &limits).unwrap();
            let identity =
                dicom::describe(&unpacked, &limits, PatientFields { id: true, ..PatientFields::default() })
                    .unwrap();
            assert_eq!(identity.patient_id.as_deref(), Some("patient 7"));
            assert!(dicom::from_bytes(&unpacked, &limits, &DicomOptions::default()).is_ok());
        }
    }

    #[test]
    fn what_is_damaged_too_long_or_something_else_is_refused() {
        let limits = Limits::default();
        let file = Builder::gray(9, 7, 8).bytes(&[7; 63]).file();
        let stream = gzip(&file);
        for len in 0..stream.len() {
            let reason = from_bytes(&stream[..len], &limits).unwrap_err();
            assert!(["truncated", "empty", "unknown_format"].contains(&reason.code()), "{len}: {reason}");
        }
        let mut flipped = stream.clone();
        flipped[60] ^= 1;
        assert_eq!(from_bytes(&flipped, &limits).unwrap_err().code(), "damaged");
        let tight = Limits { max_file_bytes: 200, ..limits };
        assert_eq!(from_bytes(&stream, &tight).unwrap_err().code(), "file_too_large");
        let text = from_bytes(&gzip(b"a\tb\n1\t2\n"), &limits).unwrap_err();
        assert_eq!(text.code(), "gzip_content");
        assert!(text.to_string().starts_with("is a gzip stream that holds no DICOM file"), "{text}");
        // A stream in a stream is not opened further.
        assert_eq!(from_bytes(&gzip(&stream), &limits).unwrap_err().code(), "gzip_content");
    }
}
