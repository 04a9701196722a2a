//! Antialiased resampling of 8-bit grey images, bit for bit what Pillow gives.

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
    let mut horizontal = Horizontal::new(&columns, image.width() as usize);

    // Rows stream through: each is shrunk or stretched sideways, then added to the output rows it takes part in.
    let mut sums = vec![HALF; width as usize * height as usize];
    let mut line = vec![0_u8; width as usize];
    let mut first = 0;
    for (y, samples) in image.pixels().chunks_exact(image.width() as usize).enumerate() {
        horizontal.run(samples, &mut line);
        while rows.spans.get(first).is_some_and(|span| span.end() <= y) {
            first += 1;
        }
        let outputs = sums.chunks_exact_mut(width as usize).zip(&rows.spans).skip(first);
        for (sums, span) in outputs.take_while(|(_, span)| span.start <= y) {
            if let Some(&weight) = rows.weights(span).get(y - span.start) {
                for (sum, &sample) in sums.iter_mut().zip(&line) {
                    *sum = sum.wrapping_add(weight.wrapping_mul(i32::from(sample)));
                }
            }
        }
    }
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

/// The pass along a row. Weights are split as `high · 2¹⁵ + low` so that the sums run in 16-bit multiply-adds, which
/// every vector unit has; sums wrap, and the recombined total is the exact one because that fits 32 bits.
struct Horizontal {
    outputs: Vec<Strip>,
    low: Vec<i16>,
    high: Vec<i16>,
    /// One row, widened, followed by zeros so that every strip is full.
    row: Vec<i16>,
}

/// Weights and samples of one output, a multiple of [`LANES`].
struct Strip {
    sample: usize,
    weight: usize,
    len: usize,
}

const LANES: usize = 8;
const LOW_BITS: u32 = 15;

impl Horizontal {
    fn new(taps: &Taps, width: usize) -> Self {
        let (mut low, mut high) = (Vec::new(), Vec::new());
        let mut outputs = Vec::with_capacity(taps.spans.len());
        for span in &taps.spans {
            let len = span.len.next_multiple_of(LANES);
            outputs.push(Strip { sample: span.start, weight: low.len(), len });
            low.extend(taps.weights(span).iter().map(|weight| (weight & ((1 << LOW_BITS) - 1)) as i16));
            high.extend(taps.weights(span).iter().map(|weight| (weight >> LOW_BITS) as i16));
            low.resize(low.len() + len - span.len, 0);
            high.resize(low.len(), 0);
        }
        Self { outputs, low, high, row: vec![0; width + LANES] }
    }

    fn run(&mut self, samples: &[u8], line: &mut [u8]) {
        for (wide, &sample) in self.row.iter_mut().zip(samples) {
            *wide = i16::from(sample);
        }
        for (output, strip) in line.iter_mut().zip(&self.outputs) {
            let row = &self.row[strip.sample..][..strip.len];
            let low = dot(row, &self.low[strip.weight..][..strip.len]);
            let high = dot(row, &self.high[strip.weight..][..strip.len]);
            *output = clip(HALF.wrapping_add(low).wrapping_add(high << LOW_BITS));
        }
    }
}

/// Both slices are whole strips. The sum within a group of lanes is what compilers turn into 16-bit multiply-adds.
fn dot(a: &[i16], b: &[i16]) -> i32 {
    let (a, _) = a.as_chunks::<LANES>();
    let (b, _) = b.as_chunks::<LANES>();
    a.iter().zip(b).fold(0_i32, |sum, (a, b)| {
        let products = a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b));
        sum.wrapping_add(products.fold(0, i32::wrapping_add))
    })
}
