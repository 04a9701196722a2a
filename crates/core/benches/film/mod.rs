//! Films of noise. What a film shows makes no difference here: every sample is weighed alike.

use medclip_core::GrayImage;

pub(crate) fn film(width: u32, height: u32) -> GrayImage {
    let pixels = (0..width * height).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    GrayImage::new(width, height, pixels).unwrap()
}
