//! An 8-bit gray image: what decoders produce and the preprocessor takes.

use thiserror::Error;

/// Rows of 8-bit gray samples, 0 black, 255 white, row-major without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrayImage {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

/// Pixels that do not fill the stated size.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a {width}×{height} grey image needs {} bytes and at least one pixel, got {actual_len} bytes", u64::from(*width) * u64::from(*height))]
pub struct RasterError {
    /// Stated columns.
    pub width: u32,
    /// Stated rows.
    pub height: u32,
    /// Bytes given.
    pub actual_len: usize,
}

impl GrayImage {
    /// An image of `width` columns and `height` rows.
    ///
    /// # Errors
    /// [`RasterError`] unless `pixels` holds exactly `width · height` bytes and at least one.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self, RasterError> {
        let needed = u64::from(width) * u64::from(height);
        if needed == 0 || pixels.len() as u64 != needed {
            return Err(RasterError { width, height, actual_len: pixels.len() });
        }
        Ok(Self { width, height, pixels })
    }

    /// Parts that fit together by construction.
    pub(crate) fn from_parts(width: u32, height: u32, pixels: Vec<u8>) -> Self {
        debug_assert_eq!(u64::from(width) * u64::from(height), pixels.len() as u64);
        Self { width, height, pixels }
    }

    /// Columns.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Samples, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The samples, without copying.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }
}
