//! Products of small matrices, for one attention head at a time.
//!
//! The sums of a tile are vectors by type, not arrays for the compiler to vectorize: whether it keeps such arrays in registers
//! depends on the order in which it unrolls the loops around them, and so on the profile.

use pulp::Simd;

/// Rows of a tile.
const ROWS: usize = 4;
/// Vectors of a row of a wide tile: with four rows, eight independent sums hide the latency of a fused multiply-add.
const WIDE: usize = 2;

/// A matrix within a slice: entry (i, j) is at `i · row + j · column`.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) values: &'a [f32],
    pub(super) row: usize,
    pub(super) column: usize,
}

/// `c = a · b`: `[rows, depth] · [depth, columns]`, `b` and `c` with rows of contiguous values `b_row` and `c_row` apart.
#[inline(always)]
#[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
pub(super) fn multiply<S: Simd>(
    simd: S,
    [rows, depth, columns]: [usize; 3],
    a: View,
    (b, b_row): (&[f32], usize),
    (c, c_row): (&mut [f32], usize),
) {
    let mut j = 0;
    while j + WIDE * S::F32_LANES <= columns {
        band::<S, WIDE>(simd, [rows, depth], a, (&b[j..], b_row), (&mut c[j..], c_row));
        j += WIDE * S::F32_LANES;
    }
    while j + S::F32_LANES <= columns {
        band::<S, 1>(simd, [rows, depth], a, (&b[j..], b_row), (&mut c[j..], c_row));
        j += S::F32_LANES;
    }
    if j < columns {
        for i in 0..rows {
            let c = &mut c[i * c_row + j..i * c_row + columns];
            c.fill(0.0);
            for k in 0..depth {
                let a = a.values[i * a.row + k * a.column];
                for (c, b) in c.iter_mut().zip(&b[k * b_row + j..k * b_row + columns]) {
                    *c = a.mul_add(*b, *c);
                }
            }
        }
    }
}

/// `V` vectors of every row.
#[inline(always)]
#[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
fn band<S: Simd, const V: usize>(
    simd: S,
    [rows, depth]: [usize; 2],
    a: View,
    b: (&[f32], usize),
    (c, c_row): (&mut [f32], usize),
) {
    let mut i = 0;
    while i + ROWS <= rows {
        tile::<S, ROWS, V>(simd, depth, i, a, b, (c, c_row));
        i += ROWS;
    }
    while i < rows {
        tile::<S, 1, V>(simd, depth, i, a, b, (c, c_row));
        i += 1;
    }
}

/// Rows from `top` of the product, which stay in registers over the whole depth.
#[inline(always)]
#[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
#[allow(
    clippy::needless_range_loop,
    reason = "through iterators the sums leave the registers: a quarter of the speed"
)]
fn tile<S: Simd, const M: usize, const V: usize>(
    simd: S,
    depth: usize,
    top: usize,
    a: View,
    (b, b_row): (&[f32], usize),
    (c, c_row): (&mut [f32], usize),
) {
    let mut sums = [[simd.splat_f32s(0.0); V]; M];
    for k in 0..depth {
        let Some(b) = S::as_simd_f32s(&b[k * b_row..]).0.first_chunk::<V>() else { return };
        for i in 0..M {
            let a = simd.splat_f32s(a.values[(top + i) * a.row + k * a.column]);
            for v in 0..V {
                sums[i][v] = simd.mul_add_f32s(a, b[v], sums[i][v]);
            }
        }
    }
    for (i, sums) in sums.iter().enumerate() {
        let row = S::as_mut_simd_f32s(&mut c[(top + i) * c_row..]).0;
        if let Some(row) = row.first_chunk_mut::<V>() {
            *row = *sums;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::kernel;

    #[test]
    fn products_of_every_remainder() {
        for (rows, depth, columns) in [(1, 1, 1), (4, 3, 16), (9, 7, 49), (6, 49, 32), (5, 2, 81)] {
            let value = |i: usize| ((i * 37 + 11) % 17) as f32 - 8.0;
            let a: Vec<f32> = (0..rows * depth).map(value).collect();
            let b: Vec<f32> = (0..depth * (columns + 2)).map(value).collect();
            let by_columns: Vec<f32> = (0..depth * rows).map(|i| a[i % rows * depth + i / rows]).collect();
            for view in [
                View { values: &a, row: depth, column: 1 },
                View { values: &by_columns, row: 1, column: rows },
            ] {
                let mut c = vec![f32::NAN; rows * (columns + 1)];
                let sizes = [rows, depth, columns];
                let (values, product) = (b.as_slice(), c.as_mut_slice());
                kernel!(simd, |sizes: [usize; 3],
                               view: View<'a>,
                               values: &'a [f32],
                               product: &'a mut [f32],
                               columns: usize|
                 -> () {
                    multiply(simd, sizes, view, (values, columns + 2), (product, columns + 1));
                });
                for i in 0..rows {
                    for j in 0..columns {
                        let exact: f32 =
                            (0..depth).map(|k| a[i * depth + k] * b[k * (columns + 2) + j]).sum();
                        assert_eq!(c[i * (columns + 1) + j], exact, "{sizes:?} at {i}, {j}");
                    }
                }
            }
        }
    }
}
