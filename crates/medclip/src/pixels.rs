//! Pixels of other crates as films, and embeddings as their views.
//!
//! Gray of eight bits is taken as it is, black 0 and white 255. Color and 16-bit samples become gray as those of image files do; give
//! DICOM films as files, which say what their values mean.

#[cfg(feature = "image")]
use image::DynamicImage;
#[cfg(feature = "ndarray")]
use medclip_core::GrayImage;
#[cfg(feature = "ndarray")]
use medclip_core::raster::RasterError;
#[cfg(feature = "image")]
use medclip_decode::{Film, RasterOptions, Reason};
#[cfg(feature = "ndarray")]
use ndarray::{ArrayView2, ShapeError};

/// A film of an image of the crate `image`, gray or in color; `image::GrayImage` and others become one by `into()`.
///
/// # Errors
/// [`Reason`] for an image without pixels.
#[cfg(feature = "image")]
pub fn film(image: impl Into<DynamicImage>) -> Result<Film, Reason> {
    medclip_decode::from_image(image.into(), &RasterOptions::default())
}

/// A view of gray levels.
///
/// # Shapes
/// - `levels`: `[height, width]`
///
/// # Errors
/// `RasterError` for a view without pixels.
#[cfg(feature = "ndarray")]
#[allow(clippy::needless_pass_by_value, reason = "views are given by value")]
pub fn image(levels: ArrayView2<'_, u8>) -> Result<GrayImage, RasterError> {
    let (height, width) = levels.dim();
    GrayImage::new(width as u32, height as u32, levels.iter().copied().collect())
}

/// Embeddings as a view.
///
/// # Shapes
/// Returns `[rows, dim]`.
///
/// # Errors
/// None that can occur: embeddings are rows of one width.
#[cfg(feature = "ndarray")]
pub fn view(embeddings: &crate::Embeddings) -> Result<ArrayView2<'_, f32>, ShapeError> {
    let rows = embeddings.rows();
    let dim = embeddings.data().len().checked_div(rows).unwrap_or(0);
    ArrayView2::from_shape((rows, dim), embeddings.data())
}
