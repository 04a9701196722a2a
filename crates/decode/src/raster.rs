//! JPEG and PNG.

use std::io::Cursor;

use image::{DynamicImage, ImageError, ImageFormat, ImageReader};
use medclip_core::GrayImage;

use crate::Picture;
use crate::error::Reason;
use crate::guard::guard;
use crate::limits::Limits;
use crate::luma::Greyed;

/// Bytes that name a format.
const MAGIC_LEN: usize = 8;

/// Decodes and reduces to grey.
pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, Reason> {
    let format = match bytes {
        [] => return Err(Reason::Empty),
        [0xff, 0xd8, ..] => ImageFormat::Jpeg,
        [0x89, b'P', b'N', b'G', ..] => ImageFormat::Png,
        _ => return Err(Reason::UnknownFormat { start: bytes[..bytes.len().min(MAGIC_LEN)].to_vec() }),
    };
    if format == ImageFormat::Jpeg && !reaches_end_of_image(bytes) {
        return Err(Reason::Truncated);
    }
    guard(|| decode_as(bytes, format, limits)).unwrap_or(Err(Reason::DecoderPanic))
}

fn decode_as(bytes: &[u8], format: ImageFormat, limits: &Limits) -> Result<Picture, Reason> {
    let damaged = |error: ImageError| match error {
        ImageError::Limits(_) => Reason::TooMuchMemory { limit: limits.max_memory_bytes },
        error => Reason::Damaged(Box::new(error)),
    };
    let (width, height) =
        ImageReader::with_format(Cursor::new(bytes), format).into_dimensions().map_err(damaged)?;
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(Reason::TooManyPixels { width, height, limit: limits.max_pixels });
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut memory = image::Limits::no_limits();
    memory.max_alloc = Some(limits.max_memory_bytes);
    reader.limits(memory);
    let image = reader.decode().map_err(damaged)?;
    let (width, height) = (image.width(), image.height());
    let Greyed { pixels, chroma } = grey(image);
    let image = GrayImage::new(width, height, pixels).map_err(|error| Reason::Damaged(Box::new(error)))?;
    Ok(Picture { image, chroma, notes: Vec::new() })
}

/// Transparency is dropped.
fn grey(image: DynamicImage) -> Greyed {
    match image {
        DynamicImage::ImageLuma8(image) => Greyed::grey(image.into_raw()),
        DynamicImage::ImageLumaA8(image) => Greyed::grey(image.pixels().map(|p| p.0[0]).collect()),
        DynamicImage::ImageLuma16(image) => Greyed::grey(image.pixels().map(|p| high_byte(p.0[0])).collect()),
        DynamicImage::ImageLumaA16(image) => {
            Greyed::grey(image.pixels().map(|p| high_byte(p.0[0])).collect())
        }
        DynamicImage::ImageRgb8(image) => image.pixels().map(|p| p.0).collect(),
        DynamicImage::ImageRgba8(image) => image.pixels().map(|p| [p.0[0], p.0[1], p.0[2]]).collect(),
        other => other.to_rgb16().pixels().map(|p| p.0.map(high_byte)).collect(),
    }
}

const fn high_byte(sample: u16) -> u8 {
    (sample >> 8) as u8
}

/// Whether an end-of-image marker follows the last start of scan.
///
/// The decoder fills what is missing with grey, and a grey half must not be scored. Entropy-coded data cannot contain
/// the marker, and thumbnails with markers of their own come before the scan.
fn reaches_end_of_image(bytes: &[u8]) -> bool {
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    match (last(0xda), last(0xd9)) {
        (Some(scan), Some(end)) => end > scan,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage as Luma8, ImageBuffer, Luma, Rgb, RgbImage};

    use super::*;

    fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn ramp() -> DynamicImage {
        DynamicImage::ImageLuma8(Luma8::from_fn(37, 23, |x, y| Luma([(x * 5 + y * 3) as u8])))
    }

    #[test]
    fn png_is_exact_and_jpeg_close() {
        let exact = ramp().into_luma8().into_raw();
        let limits = Limits::default();
        let png = decode(&encode(&ramp(), ImageFormat::Png), &limits).unwrap().image;
        assert_eq!((png.width(), png.height(), png.pixels()), (37, 23, &exact[..]));
        let jpeg = decode(&encode(&ramp(), ImageFormat::Jpeg), &limits).unwrap().image;
        let worst = jpeg.pixels().iter().zip(&exact).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst < Some(40), "{worst:?}");
    }

    #[test]
    fn colour_becomes_grey_as_pillow_does() {
        // Python: Image.new("RGB", (1, 1), c).convert("L").getpixel((0, 0))
        for (colour, grey) in [([255, 0, 0], 76), ([0, 255, 0], 150), ([0, 0, 255], 29), ([12, 200, 77], 130)]
        {
            let image = DynamicImage::ImageRgb8(RgbImage::from_pixel(1, 1, Rgb(colour)));
            let decoded = decode(&encode(&image, ImageFormat::Png), &Limits::default()).unwrap();
            assert_eq!(decoded.image.pixels(), [grey], "{colour:?}");
            assert!(decoded.chroma > 0.7, "{}", decoded.chroma);
        }
    }

    #[test]
    fn sixteen_bits_keep_the_upper_eight() {
        let image: ImageBuffer<Luma<u16>, _> = ImageBuffer::from_pixel(2, 1, Luma([0xab_cd]));
        let bytes = encode(&DynamicImage::ImageLuma16(image), ImageFormat::Png);
        assert_eq!(decode(&bytes, &Limits::default()).unwrap().image.pixels(), [0xab, 0xab]);
    }

    #[test]
    fn refusals_say_why() {
        let png = encode(&ramp(), ImageFormat::Png);
        let jpeg = encode(&ramp(), ImageFormat::Jpeg);
        let tight = Limits { max_pixels: 100, ..Limits::default() };
        let cases: [(&[u8], Limits, &str); 6] = [
            (&[], Limits::default(), "is empty"),
            (
                b"hello, world",
                Limits::default(),
                "is neither DICOM, JPEG nor PNG (starts with 68 65 6c 6c 6f 2c 20 77)",
            ),
            (&jpeg[..jpeg.len() / 2], Limits::default(), "is truncated"),
            (&png[..png.len() / 2], Limits::default(), "is damaged"),
            (&png, tight, "is 37×23, 0 megapixels; the limit is 0"),
            (&[0xff, 0xd8], Limits::default(), "is truncated"),
        ];
        for (bytes, limits, reason) in cases {
            let error = decode(bytes, &limits).unwrap_err().to_string();
            assert!(error.starts_with(reason), "{error:?} should start with {reason:?}");
        }
    }
}
