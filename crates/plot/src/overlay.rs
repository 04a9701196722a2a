//! A film under the map of a class: where the score comes from.

mod letters;
mod pixels;

use colorous::RED_BLUE;
use thiserror::Error;

pub use pixels::Pixels;

/// Height of the line above and of the line below the film, and space around text, in pixels.
const LINE: usize = 20;
const GAP: usize = 6;
/// Width of the color bar, and of the scale with its numbers.
const BAR: usize = 14;
const SCALE: usize = 2 * GAP + BAR + 8 * letters::SIDE;
/// No overlay is narrower, so that a notice has room.
const LEAST_WIDTH: usize = 328;
const BACKGROUND: [u8; 3] = [24, 24, 24];
const TEXT: [u8; 3] = [232, 232, 232];
/// Share of the color where a map is strongest; the film shows through the rest.
const OPACITY: f64 = 0.7;

/// A film and a map of it. Both lie in the square that an image tower sees, which may be larger than the film.
#[derive(Debug, Clone, Copy)]
pub struct Overlay<'a> {
    /// Gray levels of the film, row by row: `[height, width]`.
    pub film: &'a [u8],
    /// Width and height of the film in pixels.
    pub size: [usize; 2],
    /// What each place adds to the score, row by row from the top: `[rows, columns]`.
    pub values: &'a [f32],
    /// Rows and columns of the map.
    pub grid: [usize; 2],
    /// Left, top, right and bottom of the film, as shares of the square's side.
    pub part: [f64; 4],
    /// What is shown, above the film.
    pub title: &'a str,
    /// What has to be said with it, below the film.
    pub notice: &'a str,
}

/// An overlay that cannot be drawn.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum OverlayError {
    /// A film without pixels, or with another number of them than its size says.
    #[error("{len} gray levels are no film of {width} x {height} pixels")]
    Film {
        /// Gray levels given.
        len: usize,
        /// Stated width.
        width: usize,
        /// Stated height.
        height: usize,
    },
    /// A map without places, with another number of them than its grid says, or with a value that is not finite.
    #[error("{len} values are no map of {rows} x {columns} places")]
    Map {
        /// Values given.
        len: usize,
        /// Stated rows.
        rows: usize,
        /// Stated columns.
        columns: usize,
    },
}

impl Overlay<'_> {
    /// The overlay: title, film with scale, notice.
    ///
    /// Places that add to the score are red, places that take from it are blue, and the stronger the color, the larger the
    /// share. Zero has no color, and both sides of the scale end at the largest absolute value of the map. Between the
    /// centers of places, values are interpolated. The colors are `RdBu` of Cynthia Brewer, whose lightness falls evenly on
    /// both sides and which color-blind readers can tell apart.
    ///
    /// # Errors
    /// [`OverlayError`] when film or map are not of the stated size.
    pub fn draw(&self) -> Result<Pixels, OverlayError> {
        let [width, height] = self.size;
        let [rows, columns] = self.grid;
        if self.film.is_empty() || Some(self.film.len()) != width.checked_mul(height) {
            return Err(OverlayError::Film { len: self.film.len(), width, height });
        }
        let is_full = Some(self.values.len()) == rows.checked_mul(columns);
        if self.values.is_empty() || !is_full || self.values.iter().any(|value| !value.is_finite()) {
            return Err(OverlayError::Map { len: self.values.len(), rows, columns });
        }
        let limit = self.values.iter().fold(0.0_f64, |limit, &value| limit.max(f64::from(value).abs()));
        let mut pixels =
            Pixels::filled((width + SCALE).max(LEAST_WIDTH), (height + 2 * LINE).max(6 * LINE), BACKGROUND);
        letters::write(&mut pixels, [GAP, GAP], self.title, TEXT);
        for y in 0..height {
            for x in 0..width {
                let gray = f64::from(self.film[y * width + x]);
                let value = self.value([x, y]);
                let share = if limit > 0.0 { value / limit } else { 0.0 };
                pixels.set([x, y + LINE], mixed([gray; 3], color(share), OPACITY * share.abs()));
            }
        }
        draw_scale(&mut pixels, [width + GAP, LINE], height.max(4 * LINE), limit);
        let bottom = pixels.height() - LINE + GAP;
        letters::write(&mut pixels, [GAP, bottom], self.notice, TEXT);
        Ok(pixels)
    }

    /// The map at the center of a pixel of the film.
    fn value(&self, pixel: [usize; 2]) -> f64 {
        let [left, top, right, bottom] = self.part;
        let share = |axis: usize| (pixel[axis] as f64 + 0.5) / self.size[axis] as f64;
        let at = [left + share(0) * (right - left), top + share(1) * (bottom - top)];
        let [rows, columns] = self.grid;
        let (column, right, x) = between(at[0], columns);
        let (row, below, y) = between(at[1], rows);
        let cell = |row: usize, column: usize| f64::from(self.values[row * columns + column]);
        let above = cell(row, column) * (1.0 - x) + cell(row, right) * x;
        let under = cell(below, column) * (1.0 - x) + cell(below, right) * x;
        above * (1.0 - y) + under * y
    }
}

/// The two cells whose centers lie around a place, and the share of the second; the outer halves of the outer cells are flat.
fn between(place: f64, cells: usize) -> (usize, usize, f64) {
    let at = (place * cells as f64 - 0.5).clamp(0.0, (cells - 1) as f64);
    let first = at.floor() as usize;
    (first, (first + 1).min(cells - 1), at - at.floor())
}

/// Red for a share of 1 to blue for −1.
fn color(share: f64) -> [f64; 3] {
    let color = RED_BLUE.eval_continuous((0.5 - share / 2.0).clamp(0.0, 1.0));
    [color.r, color.g, color.b].map(f64::from)
}

fn mixed(below: [f64; 3], above: [f64; 3], opacity: f64) -> [u8; 3] {
    let mix = |channel: usize| below[channel] * (1.0 - opacity) + above[channel] * opacity;
    [0, 1, 2].map(|channel| mix(channel).round().clamp(0.0, 255.0) as u8)
}

/// A bar from the largest value at the top to its opposite at the bottom, as colors look on a middle gray.
fn draw_scale(pixels: &mut Pixels, [left, top]: [usize; 2], height: usize, limit: f64) {
    for y in 0..height {
        let share = 1.0 - 2.0 * (y as f64 + 0.5) / height as f64;
        let shown = mixed([128.0; 3], color(share), OPACITY * share.abs());
        (left..left + BAR).for_each(|x| pixels.set([x, top + y], shown));
    }
    let numbers = left + BAR + GAP;
    for (y, value) in [(0, limit), (height / 2 - letters::SIDE / 2, 0.0), (height - letters::SIDE, -limit)] {
        let number = if value == 0.0 { "0".to_owned() } else { format!("{value:+.3}") };
        letters::write(pixels, [numbers, top + y], &number, TEXT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[f32], part: [f64; 4]) -> Pixels {
        let film = vec![100; 64 * 64];
        let overlay = Overlay {
            film: &film,
            size: [64, 64],
            values,
            grid: [2, values.len() / 2],
            part,
            title: "Edema",
            notice: "Research use only, not for diagnosis.",
        };
        overlay.draw().unwrap()
    }

    /// A pixel of the film.
    fn at(pixels: &Pixels, x: usize, y: usize) -> [i32; 3] {
        pixels.get([x, y + LINE]).map(i32::from)
    }

    #[test]
    fn what_adds_is_red_what_takes_is_blue_and_zero_is_the_film() {
        let pixels = drawn(&[1.0, 0.0, 0.0, -1.0], [0.0, 0.0, 1.0, 1.0]);
        let [red, _, blue] = at(&pixels, 2, 2);
        assert!(red > blue + 40, "{red} {blue}");
        let [red, _, blue] = at(&pixels, 61, 61);
        assert!(blue > red + 40, "{red} {blue}");
        assert_eq!(at(&pixels, 61, 2), [100; 3]);
        // Halfway between all four.
        let [red, green, blue] = at(&pixels, 32, 32);
        assert!((red - green).abs() < 10 && (blue - green).abs() < 10, "{red} {green} {blue}");
    }

    #[test]
    fn a_film_of_a_part_of_the_square_has_that_part_of_the_map() {
        let lower_right = drawn(&[1.0, 1.0, 1.0, -1.0], [0.75, 0.75, 1.0, 1.0]);
        for (x, y) in [(0, 0), (32, 32), (63, 63)] {
            let [red, _, blue] = at(&lower_right, x, y);
            assert!(blue > red + 40, "{x} {y}");
        }
    }

    #[test]
    fn a_map_of_zeros_leaves_the_film_as_it_is() {
        let pixels = drawn(&[0.0; 4], [0.0, 0.0, 1.0, 1.0]);
        assert!((0..64).all(|x| at(&pixels, x, 63 - x) == [100; 3]));
    }

    #[test]
    fn the_notice_and_the_scale_are_there() {
        let pixels = drawn(&[0.5, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]);
        let bright = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
            rows.flat_map(|y| columns.clone().map(move |x| [x, y]))
                .filter(|&place| pixels.get(place) == TEXT)
                .count()
        };
        assert!(bright(pixels.height() - LINE..pixels.height(), 0..pixels.width()) > 300);
        assert!(bright(0..LINE, 0..64) > 50);
        assert!(bright(LINE..LINE + 10, 64 + GAP + BAR..pixels.width()) > 30);
    }

    #[test]
    fn sizes_and_numbers_are_checked() {
        let overlay = Overlay {
            film: &[0; 4],
            size: [2, 2],
            values: &[0.0; 4],
            grid: [2, 2],
            part: [0.0, 0.0, 1.0, 1.0],
            title: "",
            notice: "",
        };
        assert!(overlay.draw().is_ok());
        assert!(Overlay { size: [2, 3], ..overlay }.draw().is_err());
        assert!(Overlay { film: &[], size: [0, 0], ..overlay }.draw().is_err());
        assert!(Overlay { grid: [4, 2], ..overlay }.draw().is_err());
        assert!(Overlay { values: &[], grid: [0, 0], ..overlay }.draw().is_err());
        assert!(Overlay { values: &[0.0, f32::NAN, 0.0, 0.0], ..overlay }.draw().is_err());
    }
}
