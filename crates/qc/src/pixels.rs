//! What the pixels alone give away.

mod text;

use medclip_core::GrayImage;

use crate::code::Code;

/// Shortest side below which an image is of low resolution, in pixels.
pub const MIN_SIDE: u32 = 128;
/// Gray levels between the 1st and the 99th percentile below which an image is blank.
pub const MIN_CONTRAST: u8 = 16;
/// Share of white, or of black, above which a film is badly exposed.
pub const MAX_EXTREME: f64 = 0.6;
/// Share of an image that a frame may take.
pub const MAX_FRAME: f64 = 0.4;
/// Spread of gray within a row or column that belongs to a frame.
const FRAME_SPREAD: u8 = 6;
/// Gray values as good as black, and as good as white.
const BLACK: u8 = 3;
const WHITE: u8 = 252;

/// Mean chroma, 0–1, above which an image is one in color. What JPEG makes of gray stays below a tenth of it.
pub const MAX_CHROMA: f64 = 0.03;

/// Whether there was color, by the mean over pixels of the distance between the largest and the least of red, green and blue,
/// 0 for gray to 1.
pub fn check_color(chroma: f64) -> Option<Code> {
    (chroma > MAX_CHROMA).then_some(Code::Color)
}

/// Whether the file lacked data that its image wants, though all pixels are there: a progressive JPEG without its last scans.
pub fn check_completeness(lacks_scans: bool) -> Option<Code> {
    lacks_scans.then_some(Code::IncompleteScan)
}

/// What is unusual about the gray values. Exposure and contrast are those within the frame.
pub fn check(image: &GrayImage) -> Vec<Code> {
    let mut found = Vec::new();
    if image.width().min(image.height()) < MIN_SIDE {
        found.push(Code::LowResolution);
    }
    let inner = Area::inside_frame(image);
    let histogram = inner.histogram(image);
    let total: u64 = histogram.iter().sum();
    let contrast = percentile(&histogram, total, 0.99).saturating_sub(percentile(&histogram, total, 0.01));
    if contrast < MIN_CONTRAST {
        // Nothing else can be said of it.
        found.push(Code::Blank);
        return found;
    }
    let share =
        |levels: std::ops::RangeInclusive<usize>| histogram[levels].iter().sum::<u64>() as f64 / total as f64;
    if share(usize::from(WHITE)..=255) > MAX_EXTREME {
        found.push(Code::OverExposed);
    }
    if share(0..=usize::from(BLACK)) > MAX_EXTREME {
        found.push(Code::UnderExposed);
    }
    let whole = u64::from(image.width()) * u64::from(image.height());
    if 1.0 - total as f64 / whole as f64 > MAX_FRAME {
        found.push(Code::Border);
    }
    if text::is_there(image) {
        found.push(Code::BurnedInText);
    }
    found
}

/// Columns and rows, each from the first to before the last.
struct Area {
    columns: (usize, usize),
    rows: (usize, usize),
}

impl Area {
    /// What is left when uniform rows and columns are taken off from outside; everything when nothing would be left.
    fn inside_frame(image: &GrayImage) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let pixels = image.pixels();
        let is_flat = |values: &mut dyn Iterator<Item = u8>| {
            let (low, high) = values.fold((255, 0), |(low, high), value| (value.min(low), value.max(high)));
            high - low < FRAME_SPREAD
        };
        let flat_row = |row: usize| is_flat(&mut pixels[row * width..][..width].iter().copied());
        let flat_column = |column: usize| is_flat(&mut pixels[column..].iter().step_by(width).copied());
        let span = |count: usize, flat: &dyn Fn(usize) -> bool| {
            let first = (0..count).find(|index| !flat(*index))?;
            let last = (0..count).rfind(|index| !flat(*index))?;
            Some((first, last + 1))
        };
        match (span(width, &flat_column), span(height, &flat_row)) {
            (Some(columns), Some(rows)) => Self { columns, rows },
            _ => Self { columns: (0, width), rows: (0, height) },
        }
    }

    fn histogram(&self, image: &GrayImage) -> [u64; 256] {
        let mut counts = [0; 256];
        for row in self.rows.0..self.rows.1 {
            let start = row * image.width() as usize;
            for pixel in &image.pixels()[start + self.columns.0..start + self.columns.1] {
                counts[usize::from(*pixel)] += 1;
            }
        }
        counts
    }
}

/// The least gray level that `share` of the pixels do not exceed.
fn percentile(histogram: &[u64; 256], total: u64, share: f64) -> u8 {
    let wanted = (total as f64 * share).max(1.0);
    let mut seen = 0;
    for (level, count) in histogram.iter().enumerate() {
        seen += count;
        if seen as f64 >= wanted {
            return level as u8;
        }
    }
    255
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gray as `value` says, by column and row.
    pub(super) fn image(width: u32, height: u32, value: impl Fn(u32, u32) -> u8) -> GrayImage {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| value(x, y));
        GrayImage::new(width, height, pixels.collect()).unwrap()
    }

    fn ramp(x: u32, y: u32) -> u8 {
        ((x * 3 + y * 5) % 200 + 20) as u8
    }

    #[test]
    fn each_check_finds_its_own() {
        let cases: [(&str, GrayImage, &[Code]); 8] = [
            ("ordinary", image(256, 200, ramp), &[]),
            ("small", image(300, 100, ramp), &[Code::LowResolution]),
            ("even", image(256, 256, |_, _| 90), &[Code::Blank]),
            ("nearly even", image(256, 256, |x, y| 90 + ((x ^ y) & 7) as u8), &[Code::Blank]),
            ("white", image(256, 256, |x, y| if x % 5 > 0 { 255 } else { ramp(x, y) }), &[Code::OverExposed]),
            ("black", image(256, 256, |x, y| if y % 4 > 0 { 0 } else { ramp(x, y) }), &[Code::UnderExposed]),
            (
                "framed",
                image(
                    256,
                    256,
                    |x, y| if x.abs_diff(128) < 90 && y.abs_diff(128) < 90 { ramp(x, y) } else { 0 },
                ),
                &[Code::Border],
            ),
            (
                "slightly framed",
                image(256, 256, |x, y| if x.abs_diff(128) < 120 { ramp(x, y) } else { 0 }),
                &[],
            ),
        ];
        for (name, image, expected) in cases {
            assert_eq!(check(&image), expected, "{name}");
        }
    }

    #[test]
    fn one_pixel_is_checked_too() {
        assert_eq!(check(&image(1, 1, |_, _| 7)), [Code::LowResolution, Code::Blank]);
    }
}
