//! Antialiased resampling of 8-bit gray images, bit for bit what Pillow gives.

mod passes;

use serde::{Deserialize, Serialize};

use crate::raster::GrayImage;

/// Interpolation kernel. When shrinking, its support widens with the scale, so that every sample counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resample {
    /// Keys' cubic with a = −½, support 2.
    Bicubic,
    /// Triangle, support 1.
    Bilinear,
}

impl Resample {
    const fn support(self) -> f64 {
        match self {
            Self::Bicubic => 2.0,
            Self::Bilinear => 1.0,
        }
    }

    /// Weight at distance `x` in samples. The polynomials keep Pillow's order of operations: weights agree to the last bit.
    fn weight(self, x: f64) -> f64 {
        let x = x.abs();
        match self {
            Self::Bicubic if x < 1.0 => ((BICUBIC_A + 2.0) * x - (BICUBIC_A + 3.0)) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * BICUBIC_A,
            Self::Bilinear if x < 1.0 => 1.0 - x,
            Self::Bicubic | Self::Bilinear => 0.0,
        }
    }
}

/// Where an image lies on a larger black canvas.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Canvas {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) left: u32,
    pub(crate) top: u32,
}

/// `image` resampled to `width` × `height`, as `PIL.Image.resize((width, height), filter)` on mode `L`.
///
/// Horizontal pass, rounding to 8 bits, vertical pass, each in 22-bit fixed point. Sides of 0 become 1.
/// Beyond the image it needs memory for the result and about 20 bytes per column and row, whatever the scale.
///
/// # Source
/// Pillow 12, `src/libImaging/Resample.c`, `ImagingResampleInner` on 8-bit images. Pillow 13 takes the vertical pass first
/// where that shrinks more, every Pillow does for images over 100 times as tall as wide, and some pixels round otherwise
/// then. Images scaled alike both ways, as all padded ones are, come out the same in every version.
pub fn resize(image: &GrayImage, width: u32, height: u32, filter: Resample) -> GrayImage {
    let canvas = Canvas { width: image.width(), height: image.height(), left: 0, top: 0 };
    resize_canvas(image, canvas, width.max(1), height.max(1), filter)
}

/// The canvas with `image` on it, resampled. Black adds nothing to any sum, so the canvas is never materialised.
pub(crate) fn resize_canvas(
    image: &GrayImage,
    canvas: Canvas,
    width: u32,
    height: u32,
    filter: Resample,
) -> GrayImage {
    let same = [canvas.width, canvas.height] == [width, height];
    if same && [image.width(), image.height()] == [width, height] {
        return image.clone();
    }
    let columns = Taps::new(canvas.width, canvas.left, image.width(), width as usize, filter);
    let rows = Taps::new(canvas.height, canvas.top, image.height(), height as usize, filter);
    let sums = passes::run(image, &columns, &rows);
    let pixels = sums.into_iter().map(clip).collect();
    GrayImage::from_parts(width, height, pixels)
}

const BICUBIC_A: f64 = -0.5;

/// Fraction bits of a weight: 32 less 8 for the sample and 2 for overshoot.
const PRECISION: u32 = 32 - 8 - 2;

/// Makes the final shift round to nearest.
const HALF: i32 = 1 << (PRECISION - 1);

fn clip(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// Fixed-point weights of one axis.
struct Taps {
    spans: Vec<Span>,
    weights: Vec<i32>,
}

/// The samples of the image that one output sample draws on; those off the image are left out.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    len: usize,
    /// Of its weights in [`Taps::weights`].
    offset: usize,
}

impl Span {
    const fn end(&self) -> usize {
        self.start + self.len
    }
}

impl Taps {
    /// Weights for an axis of `canvas` samples, of which `len` from `offset` on are the image, to `output` samples.
    fn new(canvas: u32, offset: u32, len: u32, output: usize, filter: Resample) -> Self {
        let scale = f64::from(canvas) / output as f64;
        let filter_scale = scale.max(1.0);
        let support = filter.support() * filter_scale;
        let inverse = 1.0 / filter_scale;
        let (offset, image_end, canvas) = (offset as usize, offset as usize + len as usize, canvas as usize);

        let mut taps = Self { spans: Vec::with_capacity(output), weights: Vec::new() };
        let mut raw = Vec::new();
        for index in 0..output {
            let center = (index as f64 + 0.5) * scale;
            // Truncation after adding ½, and negative values to 0, as in C; the cast saturates.
            let start = (center - support + 0.5) as usize;
            let end = ((center + support + 0.5) as usize).min(canvas);
            raw.clear();
            raw.extend((start..end).map(|x| filter.weight((x as f64 - center + 0.5) * inverse)));
            let total: f64 = raw.iter().sum();

            let kept_start = start.clamp(offset, image_end);
            let kept_end = end.clamp(kept_start, image_end);
            let span =
                Span { start: kept_start - offset, len: kept_end - kept_start, offset: taps.weights.len() };
            let kept = raw.iter().skip(kept_start - start.min(kept_start)).take(span.len);
            taps.weights
                .extend(kept.map(|&weight| fixed(if total == 0.0 { weight } else { weight / total })));
            taps.spans.push(span);
        }
        taps
    }

    fn weights(&self, span: &Span) -> &[i32] {
        &self.weights[span.offset..][..span.len]
    }
}

/// To fixed point, halves away from zero.
fn fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1 << PRECISION);
    if weight < 0.0 { (scaled - 0.5) as i32 } else { (scaled + 0.5) as i32 }
}
