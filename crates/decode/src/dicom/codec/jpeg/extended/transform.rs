//! The inverse cosine transform of a block.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::{BLOCK, SIDE};

/// Cosines times scale: `basis[x][u] = ½ C(u) cos((2x + 1) u π / 16)`.
#[derive(Debug)]
pub(super) struct Transform {
    basis: [[f32; SIDE]; SIDE],
}

impl Transform {
    pub(super) fn new() -> Self {
        let mut basis = [[0.0; SIDE]; SIDE];
        for (x, row) in basis.iter_mut().enumerate() {
            for (u, value) in row.iter_mut().enumerate() {
                let scale = if u == 0 { FRAC_1_SQRT_2 } else { 1.0 };
                *value = (0.5 * scale * ((2 * x + 1) as f64 * u as f64 * PI / 16.0).cos()) as f32;
            }
        }
        Self { basis }
    }

    /// Samples around zero of coefficients, both row by row.
    pub(super) fn inverse(&self, coefficients: &[f32; BLOCK]) -> [f32; BLOCK] {
        let rows = self.pass(coefficients);
        self.pass(&rows)
    }

    /// Transforms every row and transposes.
    fn pass(&self, block: &[f32; BLOCK]) -> [f32; BLOCK] {
        let mut result = [0.0; BLOCK];
        for (y, row) in block.as_chunks::<SIDE>().0.iter().enumerate() {
            for (x, basis) in self.basis.iter().enumerate() {
                result[x * SIDE + y] = row.iter().zip(basis).map(|(a, b)| a * b).sum();
            }
        }
        result
    }
}
