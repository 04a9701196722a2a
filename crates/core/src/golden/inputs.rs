//! What golden answers are recorded for: the same two drawings and four sentences everywhere.

use crate::raster::GrayImage;

const WIDTH: i64 = 112;
const HEIGHT: i64 = 96;

/// Two drawings of a chest in whole numbers, so that every machine draws the same: one clear, one with an opacity.
/// Wider than high, so that padding takes part.
pub fn golden_images() -> Vec<GrayImage> {
    [false, true].map(chest).into()
}

/// Four sentences of different lengths.
pub fn golden_sentences() -> Vec<String> {
    [
        "Clear.",
        "No pleural effusion.",
        "The heart is enlarged, with a small left pleural effusion.",
        "There is a patchy opacity in the right lower lobe that may represent pneumonia or atelectasis.",
    ]
    .map(str::to_owned)
    .into()
}

fn chest(opacity: bool) -> GrayImage {
    let gray = |x: i64, y: i64| {
        // Inside the ellipse around (a, b) with these half axes.
        let inside = |a: i64, b: i64, rx: i64, ry: i64| {
            let (dx, dy) = ((x - a) * ry, (y - b) * rx);
            dx * dx + dy * dy <= rx * rx * ry * ry
        };
        let mut value = 20 + y / 4;
        if inside(56, 52, 52, 44) {
            value = 150 + y / 2;
        }
        if inside(34, 46, 17, 32) || inside(78, 46, 17, 32) {
            value = 50 + (x + 2 * y) / 8;
        }
        if inside(62, 64, 17, 14) {
            value = 185;
        }
        if opacity && inside(32, 62, 10, 9) {
            value += 70;
        }
        value.clamp(0, 255) as u8
    };
    let pixels = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| gray(x, y))).collect();
    GrayImage::from_parts(WIDTH as u32, HEIGHT as u32, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use medclip_files::sha256;

    #[test]
    fn every_machine_draws_the_same() {
        let drawn: Vec<u8> = golden_images().iter().flat_map(|image| image.pixels().to_vec()).collect();
        assert_eq!(sha256(&drawn), "d6f7fbab7a76dd117476af4d90daa740b17a2bf4335a5e1764622ba56e5f81e2");
    }
}
