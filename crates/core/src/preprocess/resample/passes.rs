//! Both passes of a resize, compiled for the widest vector instructions the CPU has.

use pulp::{Arch, Simd, WithSimd};

use super::{HALF, Taps, clip};
use crate::raster::GrayImage;

/// Fixed-point sums of all output samples, row by row, not yet rounded to 8 bits.
pub(super) fn run(image: &GrayImage, columns: &Taps, rows: &Taps) -> Vec<i32> {
    let mut sums = vec![HALF; columns.spans.len() * rows.spans.len()];
    let horizontal = Horizontal::new(columns, image.width() as usize);
    Arch::new().dispatch(Passes { image, horizontal, rows, sums: &mut sums });
    sums
}

struct Passes<'a> {
    image: &'a GrayImage,
    horizontal: Horizontal,
    rows: &'a Taps,
    sums: &'a mut [i32],
}

#[allow(clippy::inline_always, reason = "must be compiled for the instructions that were found")]
impl WithSimd for Passes<'_> {
    type Output = ();

    /// Rows stream through: each is shrunk or stretched sideways, then added to the output rows it takes part in.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { image, mut horizontal, rows, sums } = self;
        let width = horizontal.outputs.len();
        let mut line = vec![0_u8; width];
        let mut first = 0;
        for (y, samples) in image.pixels().chunks_exact(image.width() as usize).enumerate() {
            horizontal.run(samples, &mut line);
            while rows.spans.get(first).is_some_and(|span| span.end() <= y) {
                first += 1;
            }
            let outputs = sums.chunks_exact_mut(width).zip(&rows.spans).skip(first);
            for (sums, span) in outputs.take_while(|(_, span)| span.start <= y) {
                if let Some(&weight) = rows.weights(span).get(y - span.start) {
                    for (sum, &sample) in sums.iter_mut().zip(&line) {
                        *sum = sum.wrapping_add(weight.wrapping_mul(i32::from(sample)));
                    }
                }
            }
        }
    }
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

const LANES: usize = 16;
const LOW_BITS: u32 = 15;

#[allow(clippy::inline_always, reason = "must be compiled for the instructions that were found")]
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

    #[inline(always)]
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
#[inline(always)]
#[allow(clippy::inline_always, reason = "must be compiled for the instructions that were found")]
fn dot(a: &[i16], b: &[i16]) -> i32 {
    let (a, _) = a.as_chunks::<LANES>();
    let (b, _) = b.as_chunks::<LANES>();
    a.iter().zip(b).fold(0_i32, |sum, (a, b)| {
        let products = a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b));
        sum.wrapping_add(products.fold(0, i32::wrapping_add))
    })
}
