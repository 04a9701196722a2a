//! Pixels that are not square.

use dicom_dictionary_std::tags;
use medclip_core::GrayImage;
use medclip_core::preprocess::Resample;
use medclip_core::preprocess::resample::resize;

use super::element::DataSet;
use super::functional::Functional;
use super::problem::Problem;
use crate::error::Reason;
use crate::limits::Limits;

/// Ratios of sides nearer to 1 than this are 1.
const TOLERANCE: f64 = 0.01;
/// Ratios beyond this are no shapes of pixels.
const MAX_RATIO: f64 = 16.0;

/// Distance of rows and columns in millimetres.
pub(crate) fn spacing(
    data: &DataSet<'_>,
    functional: &Functional<'_, '_>,
) -> Result<Option<[f64; 2]>, Problem> {
    let group = functional.find(tags::PIXEL_MEASURES_SEQUENCE);
    for (source, tag, name) in [
        (group, tags::PIXEL_SPACING, "PixelSpacing"),
        (Some(data), tags::PIXEL_SPACING, "PixelSpacing"),
        (Some(data), tags::IMAGER_PIXEL_SPACING, "ImagerPixelSpacing"),
    ] {
        let numbers = source.map(|source| source.numbers(tag, name)).transpose()?.unwrap_or_default();
        if let &[row, column] = &numbers[..]
            && row > 0.0
            && column > 0.0
        {
            return Ok(Some([row, column]));
        }
    }
    Ok(None)
}

/// Height of a pixel over its width: of `PixelAspectRatio`, else of the spacing, else 1.
pub(crate) fn ratio(data: &DataSet<'_>, spacing: Option<[f64; 2]>) -> Result<f64, Problem> {
    let written = data.numbers(tags::PIXEL_ASPECT_RATIO, "PixelAspectRatio")?;
    let ratio = match (&written[..], spacing) {
        (&[vertical, horizontal], _) => vertical / horizontal,
        (_, Some([row, column])) => row / column,
        _ => 1.0,
    };
    if !(1.0 / MAX_RATIO..=MAX_RATIO).contains(&ratio) {
        let attribute = if written.len() == 2 { "PixelAspectRatio" } else { "PixelSpacing" };
        return Err(Problem::Invalid {
            attribute,
            value: format!("of ratio {ratio}"),
            expected: "a shape of pixels",
        });
    }
    Ok(ratio)
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
