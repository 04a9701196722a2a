use std::io::Cursor;

use image::{GrayImage as Luma8, ImageBuffer, Luma, Rgb, RgbImage};

use super::*;

fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn decode(bytes: &[u8], limits: &Limits) -> Result<Film, Reason> {
    super::decode(bytes, limits, &RasterOptions::default())
}

fn ramp() -> DynamicImage {
    DynamicImage::ImageLuma8(Luma8::from_fn(37, 23, |x, y| Luma([(x * 5 + y * 3) as u8])))
}

#[test]
fn formats_without_loss_are_exact_and_jpeg_is_close() {
    let exact = ramp().into_luma8().into_raw();
    let limits = Limits::default();
    for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::WebP] {
        let image = decode(&encode(&ramp(), format), &limits).unwrap().image;
        assert_eq!((image.width(), image.height(), image.pixels()), (37, 23, &exact[..]), "{format:?}");
    }
    let jpeg = decode(&encode(&ramp(), ImageFormat::Jpeg), &limits).unwrap().image;
    let worst = jpeg.pixels().iter().zip(&exact).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(worst < Some(40), "{worst:?}");
}

#[test]
fn color_becomes_gray_as_pillow_does() {
    // Python: Image.new("RGB", (1, 1), c).convert("L").getpixel((0, 0))
    for (color, gray) in [([255, 0, 0], 76), ([0, 255, 0], 150), ([0, 0, 255], 29), ([12, 200, 77], 130)] {
        let image = DynamicImage::ImageRgb8(RgbImage::from_pixel(1, 1, Rgb(color)));
        for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::WebP] {
            let decoded = decode(&encode(&image, format), &Limits::default()).unwrap();
            assert_eq!(decoded.image.pixels(), [gray], "{color:?}");
            assert!(decoded.chroma > 0.7, "{}", decoded.chroma);
        }
    }
}

#[test]
fn all_sixteen_bits_keep_the_upper_eight() {
    let image: ImageBuffer<Luma<u16>, _> = ImageBuffer::from_pixel(2, 1, Luma([0xab_cd]));
    let bytes = encode(&DynamicImage::ImageLuma16(image), ImageFormat::Png);
    let picture = decode(&bytes, &Limits::default()).unwrap();
    assert_eq!((picture.image.pixels(), &picture.notes[..]), (&[0xab, 0xab][..], &[][..]));
}

#[test]
fn refusals_say_why() {
    let png = encode(&ramp(), ImageFormat::Png);
    let jpeg = encode(&ramp(), ImageFormat::Jpeg);
    let tight = Limits { max_pixels: 100, ..Limits::default() };
    let cases: [(&[u8], Limits, &str); 7] = [
        (&[], Limits::default(), "is empty"),
        (
            b"hello, world",
            Limits::default(),
            "is neither DICOM, JPEG, PNG, TIFF, BMP nor WebP (starts with 68 65 6c 6c 6f 2c 20 77)",
        ),
        (&jpeg[..jpeg.len() / 2], Limits::default(), "is truncated: the JPEG ends before its first scan"),
        (&png[..png.len() / 2], Limits::default(), "is truncated"),
        (&png, tight, "is 37×23, 0 megapixels; the limit is 0"),
        (&jpeg, tight, "is 37×23, 0 megapixels; the limit is 0"),
        (&[0xff, 0xd8], Limits::default(), "is truncated: the JPEG ends before its frame header"),
    ];
    for (bytes, limits, reason) in cases {
        let error = decode(bytes, &limits).unwrap_err().to_string();
        assert!(error.starts_with(reason), "{error:?} should start with {reason:?}");
    }
}
