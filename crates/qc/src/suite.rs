//! Spoilt films and pictures that are none: what the learned checks are fitted to and measured with.

mod fit;
mod picture;

use medclip_core::GrayImage;
use rand::{Rng, RngExt};

pub use self::fit::{Films, Fit, FitError, fit};
use crate::code::Code;

/// A way to spoil a film, or a picture to put in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Spoil {
    /// Gray values from the other end.
    Inverted,
    /// A quarter turn counter-clockwise.
    Rotated90,
    /// Upside down.
    Rotated180,
    /// A quarter turn clockwise.
    Rotated270,
    /// A window of 35–55 % of both sides, anywhere.
    Cropped,
    /// One gray with faint noise.
    Blank,
    /// Blocks of random gray.
    Noise,
    /// Random gray that is smooth at some scales and not at others, as in photographs of nature.
    Clouds,
    /// Ellipses, boxes and lines, blurred or not, as in photographs of things.
    Shapes,
    /// Clouds and shapes, one shining through the other.
    Mixture,
    /// Things with a grain and a shading of their own before a background, as in photographs.
    Scene,
    /// Dark lines of words on a light page.
    Page,
    /// An axial slice of a body: an oval with two dark lungs and a bright spine.
    Slice,
}

impl Spoil {
    /// Every way.
    pub const ALL: [Self; 13] = [
        Self::Inverted,
        Self::Rotated90,
        Self::Rotated180,
        Self::Rotated270,
        Self::Cropped,
        Self::Blank,
        Self::Noise,
        Self::Clouds,
        Self::Shapes,
        Self::Mixture,
        Self::Scene,
        Self::Page,
        Self::Slice,
    ];

    /// What the checks should find.
    pub const fn code(self) -> Code {
        match self {
            Self::Inverted => Code::Inverted,
            Self::Rotated90 => Code::Rotated90,
            Self::Rotated180 => Code::Rotated180,
            Self::Rotated270 => Code::Rotated270,
            Self::Cropped => Code::Cropped,
            Self::Blank => Code::Blank,
            Self::Noise
            | Self::Clouds
            | Self::Shapes
            | Self::Mixture
            | Self::Scene
            | Self::Page
            | Self::Slice => Code::NotAChestFilm,
        }
    }

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inverted => "inverted",
            Self::Rotated90 => "rotated by 90°",
            Self::Rotated180 => "rotated by 180°",
            Self::Rotated270 => "rotated by 270°",
            Self::Cropped => "cropped",
            Self::Blank => "blank",
            Self::Noise => "noise",
            Self::Clouds => "clouds",
            Self::Shapes => "shapes",
            Self::Mixture => "clouds and shapes",
            Self::Scene => "scene",
            Self::Page => "page of text",
            Self::Slice => "axial slice",
        }
    }

    /// Images to make of one film: no two windows of it are alike.
    pub const fn draws(self) -> usize {
        if matches!(self, Self::Cropped) { 4 } else { 1 }
    }

    /// The spoilt film; equal `rng` states give equal pixels. Pictures take nothing from `film`.
    pub fn apply(self, film: &GrayImage, rng: &mut impl Rng) -> GrayImage {
        match self {
            Self::Inverted => mapped(film, |level| 255 - level),
            Self::Rotated90 => turned(film, |x, y, width, _| (width - 1 - y, x)),
            Self::Rotated180 => rearranged(film, film.width(), film.height(), |x, y| {
                (film.width() - 1 - x, film.height() - 1 - y)
            }),
            Self::Rotated270 => turned(film, |x, y, _, height| (y, height - 1 - x)),
            Self::Cropped => cropped(film, rng),
            Self::Blank => picture::blank(rng),
            Self::Noise => picture::noise(rng),
            Self::Clouds => picture::clouds(rng),
            Self::Shapes => picture::shapes(rng),
            Self::Mixture => picture::mixture(rng),
            Self::Scene => picture::scene(rng),
            Self::Page => picture::page(rng),
            Self::Slice => picture::slice(rng),
        }
    }
}

fn mapped(film: &GrayImage, change: impl Fn(u8) -> u8) -> GrayImage {
    rearrange(film.width(), film.height(), |x, y| change(pixel(film, x, y)))
}

/// Sides swapped; `source` gives column and row in the film of a column and row of the result.
fn turned(film: &GrayImage, source: impl Fn(u32, u32, u32, u32) -> (u32, u32)) -> GrayImage {
    let (width, height) = (film.width(), film.height());
    rearranged(film, height, width, |x, y| source(x, y, width, height))
}

fn rearranged(
    film: &GrayImage,
    width: u32,
    height: u32,
    source: impl Fn(u32, u32) -> (u32, u32),
) -> GrayImage {
    rearrange(width, height, |x, y| {
        let (x, y) = source(x, y);
        pixel(film, x, y)
    })
}

fn cropped(film: &GrayImage, rng: &mut impl Rng) -> GrayImage {
    let share = 0.35 + 0.2 * rng.random::<f64>();
    let mut span = |side: u32| {
        let length = ((f64::from(side) * share) as u32).max(1);
        ((f64::from(side - length) * rng.random::<f64>()) as u32, length)
    };
    let ((left, width), (top, height)) = (span(film.width()), span(film.height()));
    rearranged(film, width, height, |x, y| (left + x, top + y))
}

fn pixel(film: &GrayImage, x: u32, y: u32) -> u8 {
    film.pixels()[y as usize * film.width() as usize + x as usize]
}

/// An image from a function of column and row.
fn rearrange(width: u32, height: u32, value: impl Fn(u32, u32) -> u8) -> GrayImage {
    let pixels =
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| value(x, y)).collect();
    #[allow(clippy::expect_used, reason = "one value a pixel, and no film is empty")]
    GrayImage::new(width, height, pixels).expect("one value a pixel")
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::pixels;

    fn film() -> GrayImage {
        rearrange(3, 2, |x, y| (10 * x + 100 * y) as u8)
    }

    fn spoilt(spoil: Spoil, film: &GrayImage) -> GrayImage {
        spoil.apply(film, &mut ChaCha8Rng::seed_from_u64(3))
    }

    #[test]
    fn films_turn_the_way_the_codes_say() {
        let rows = |spoil| {
            let image = spoilt(spoil, &film());
            (image.width(), image.into_pixels())
        };
        assert_eq!(rows(Spoil::Inverted), (3, vec![255, 245, 235, 155, 145, 135]));
        assert_eq!(rows(Spoil::Rotated90), (2, vec![20, 120, 10, 110, 0, 100]));
        assert_eq!(rows(Spoil::Rotated180), (3, vec![120, 110, 100, 20, 10, 0]));
        assert_eq!(rows(Spoil::Rotated270), (2, vec![100, 0, 110, 10, 120, 20]));
        let twice = spoilt(Spoil::Rotated90, &spoilt(Spoil::Rotated90, &film()));
        assert_eq!(twice, spoilt(Spoil::Rotated180, &film()));
    }

    #[test]
    fn pictures_differ_by_seed_and_have_contrast() {
        let large = rearrange(256, 256, |x, y| (x / 2 + y / 4) as u8);
        for spoil in Spoil::ALL {
            let image = spoilt(spoil, &large);
            assert_eq!(image, spoilt(spoil, &large), "{spoil:?}");
            let other = spoil.apply(&large, &mut ChaCha8Rng::seed_from_u64(4));
            let is_random = !matches!(
                spoil.code(),
                Code::Inverted | Code::Rotated90 | Code::Rotated180 | Code::Rotated270
            );
            assert_eq!(image != other, is_random, "{spoil:?}");
            let is_blank = pixels::check(&image).contains(&Code::Blank);
            assert_eq!(is_blank, spoil == Spoil::Blank, "{spoil:?}");
        }
    }
}
