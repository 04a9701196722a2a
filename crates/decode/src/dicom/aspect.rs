//! Pixels that are not square.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use medclip_core::GrayImage;
use medclip_core::preprocess::Resample;
use medclip_core::preprocess::resample::resize;

use super::element::DataSet;
use super::functional::Functional;
use crate::error::Reason;
use crate::limits::Limits;
use crate::note::Note;

/// Ratios of sides nearer to 1 than this are 1.
const TOLERANCE: f64 = 0.01;
/// Ratios beyond this are no shapes of pixels.
const MAX_RATIO: f64 = 16.0;

/// Distance of rows and columns in millimetres. What is not two positive numbers is left out with a note.
pub(crate) fn spacing(
    data: &DataSet<'_>,
    functional: &Functional<'_, '_>,
    notes: &mut Vec<Note>,
) -> Option<[f64; 2]> {
    let group = functional.find(tags::PIXEL_MEASURES_SEQUENCE);
    [
        (group, tags::PIXEL_SPACING, "PixelSpacing"),
        (Some(data), tags::PIXEL_SPACING, "PixelSpacing"),
        (Some(data), tags::IMAGER_PIXEL_SPACING, "ImagerPixelSpacing"),
    ]
    .into_iter()
    .find_map(|(source, tag, attribute)| pair(source?, tag, attribute, notes))
}

/// Height of a pixel over its width: of `PixelAspectRatio`, else of the spacing, else 1. What is no shape of pixels is left out
/// with a note.
pub(crate) fn ratio(data: &DataSet<'_>, spacing: Option<[f64; 2]>, notes: &mut Vec<Note>) -> f64 {
    let stated = pair(data, tags::PIXEL_ASPECT_RATIO, "PixelAspectRatio", notes);
    for (pair, attribute) in [(stated, "PixelAspectRatio"), (spacing, "PixelSpacing")] {
        let Some([vertical, horizontal]) = pair else { continue };
        let ratio = vertical / horizontal;
        if (1.0 / MAX_RATIO..=MAX_RATIO).contains(&ratio) {
            return ratio;
        }
        notes.push(Note::AttributeIgnored { attribute, value: format!("{vertical}\\{horizontal}") });
    }
    1.0
}

/// Two positive numbers.
fn pair(data: &DataSet<'_>, tag: Tag, attribute: &'static str, notes: &mut Vec<Note>) -> Option<[f64; 2]> {
    let decimals = data.decimals(tag)?;
    let mut values = &decimals.values[..];
    while let [rest @ .., None] = values
        && decimals.written.ends_with('\\')
    {
        values = rest;
    }
    match *values {
        [Some(vertical), Some(horizontal)] if vertical > 0.0 && horizontal > 0.0 => {
            if decimals.comma {
                notes.push(Note::DecimalComma { attribute, value: decimals.written });
            }
            Some([vertical, horizontal])
        }
        _ => {
            notes.push(Note::AttributeIgnored { attribute, value: decimals.written });
            None
        }
    }
}

/// The image with as many more rows or columns as make its pixels square.
pub(crate) fn square(image: GrayImage, ratio: f64, limits: &Limits) -> Result<GrayImage, Reason> {
    if (ratio - 1.0).abs() < TOLERANCE {
        return Ok(image);
    }
    let stretch = |side: u32, factor: f64| (f64::from(side) * factor).round() as u32;
    let (width, height) = if ratio > 1.0 {
        (image.width(), stretch(image.height(), ratio))
    } else {
        (stretch(image.width(), 1.0 / ratio), image.height())
    };
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(Reason::TooManyPixels { width, height, limit: limits.max_pixels });
    }
    Ok(resize(&image, width, height, Resample::Bilinear))
}
