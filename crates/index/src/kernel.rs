//! Dot products.

use pulp::Arch;

/// Queries a row is multiplied with while it is in a register.
pub(crate) const LANES: usize = 4;

/// Products of every row of `rows` with `query`, both of width `query.len()`.
pub(crate) fn dots(rows: &[f32], query: &[f32], out: &mut [f32]) {
    Arch::new().dispatch(Dots { rows, query, out });
}

/// Position and value of the largest product of `row` with the rows of `centres`, the first of equal ones.
pub(crate) fn nearest(centers: &[f32], rows: &[f32], dim: usize, out: &mut [(u32, f32)]) {
    Arch::new().dispatch(Nearest { centers, rows, dim, out });
}

struct Dots<'a> {
    rows: &'a [f32],
    query: &'a [f32],
    out: &'a mut [f32],
}

impl pulp::WithSimd for Dots<'_> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "must be compiled for the instructions of the dispatch")]
    fn with_simd<S: pulp::Simd>(self, _simd: S) {
        for (row, out) in self.rows.chunks_exact(self.query.len()).zip(self.out) {
            *out = dot(row, self.query);
        }
    }
}

struct Nearest<'a> {
    centers: &'a [f32],
    rows: &'a [f32],
    dim: usize,
    out: &'a mut [(u32, f32)],
}

impl pulp::WithSimd for Nearest<'_> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "must be compiled for the instructions of the dispatch")]
    fn with_simd<S: pulp::Simd>(self, _simd: S) {
        let Self { centers, rows, dim, out } = self;
        for (block, out) in rows.chunks(LANES * dim).zip(out.chunks_mut(LANES)) {
            out.fill((0, f32::NEG_INFINITY));
            for (number, center) in centers.chunks_exact(dim).enumerate() {
                for (row, best) in block.chunks_exact(dim).zip(out.iter_mut()) {
                    let product = dot(row, center);
                    if product > best.1 {
                        *best = (number as u32, product);
                    }
                }
            }
        }
    }
}

/// Sums of 32 lanes side by side: four registers of eight, enough to hide an addition's latency.
#[inline(always)]
#[allow(clippy::inline_always, reason = "must be inlined where the CPU's widest instructions are on")]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const WIDTH: usize = 32;
    let mut sums = [0.0_f32; WIDTH];
    let ((a_chunks, a_rest), (b_chunks, b_rest)) = (a.as_chunks::<WIDTH>(), b.as_chunks::<WIDTH>());
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..WIDTH {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let mut width = WIDTH;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
    }
    sums[0] + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_double_precision() {
        for dim in [1, 3, 32, 33, 100, 512] {
            let value = |i: usize| ((i * 7919 % 1009) as f32 - 504.0) / 505.0;
            let rows: Vec<f32> = (0..5 * dim).map(value).collect();
            let query: Vec<f32> = (0..dim).map(|i| value(i + 37)).collect();
            let exact =
                |row: &[f32]| row.iter().zip(&query).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
            let mut found = [0.0; 5];
            dots(&rows, &query, &mut found);
            let mut best = [(0, 0.0); 5];
            nearest(&query, &rows, dim, &mut best);
            for (row, (found, best)) in rows.chunks(dim).zip(found.iter().zip(&best)) {
                assert!((f64::from(*found) - exact(row)).abs() < 1e-4, "{dim}");
                assert_eq!(best, &(0, *found));
            }
        }
    }
}
