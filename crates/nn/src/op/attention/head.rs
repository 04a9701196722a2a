//! One attention head over one group of tokens.

use pulp::Simd;

use crate::cpu::simd::exp;
use crate::op::tile::{View, multiply};

/// One AVX-512 register; rows of scores are padded to whole ones.
const LANES: usize = 16;

/// The score of a column of padding.
const OUTSIDE: f32 = -1e30;

/// What a thread keeps between heads.
pub(super) struct Scratch {
    /// Columns of a row of scores: the tokens and padding.
    columns: usize,
    /// `[size, columns]`.
    transposed: Vec<f32>,
    /// `[tokens, columns]`.
    weights: Vec<f32>,
    /// `[tokens, columns]`.
    gradients: Vec<f32>,
}

impl Scratch {
    pub(super) fn new(tokens: usize, size: usize) -> Self {
        let columns = tokens.next_multiple_of(LANES);
        let square = vec![0.0; tokens * columns];
        Self { columns, transposed: vec![0.0; size * columns], gradients: square.clone(), weights: square }
    }
}

/// A head's place in the projections of its group, `[tokens, 3 · width]`.
pub(super) struct Head<'a> {
    pub(super) tokens: usize,
    pub(super) size: usize,
    /// Width over all heads.
    pub(super) width: usize,
    /// First column of the head.
    pub(super) at: usize,
    pub(super) projections: &'a [f32],
    /// `[tokens, tokens]`.
    pub(super) bias: Option<&'a [f32]>,
    /// `[tokens]`.
    pub(super) keys: Option<&'a [f32]>,
    /// `[tokens, tokens]`.
    pub(super) pairs: Option<&'a [f32]>,
}

impl Head<'_> {
    /// Mixed values into the head's columns of `y`, `[tokens, width]`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
    pub(super) fn forward<S: Simd>(&self, simd: S, scratch: &mut Scratch, y: &mut [f32]) {
        self.weights(simd, scratch);
        let weights = View { values: &scratch.weights, row: scratch.columns, column: 1 };
        let values = &self.projections[2 * self.width + self.at..];
        multiply(
            simd,
            [self.tokens, self.tokens, self.size],
            weights,
            (values, 3 * self.width),
            (&mut y[self.at..], self.width),
        );
    }

    /// From the gradient of the mixed values, `[tokens, width]`, those of the projections, and of the bias, to which it
    /// is added.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
    pub(super) fn backward<S: Simd>(
        &self,
        simd: S,
        scratch: &mut Scratch,
        gradient: &[f32],
        dx: &mut [f32],
        dbias: Option<&mut [f32]>,
    ) {
        let (tokens, size, width, stride) = (self.tokens, self.size, self.width, 3 * self.width);
        self.weights(simd, scratch);
        let columns = scratch.columns;
        let gradient = &gradient[self.at..];

        // dV = Pᵀ·dY
        let transposed = View { values: &scratch.weights, row: 1, column: columns };
        let dvalues = &mut dx[2 * width + self.at..];
        multiply(simd, [tokens, tokens, size], transposed, (gradient, width), (dvalues, stride));

        // dP = dY·Vᵀ
        self.transpose(2 * width + self.at, &mut scratch.transposed, columns);
        let rows = View { values: gradient, row: width, column: 1 };
        let dweights = (scratch.gradients.as_mut_slice(), columns);
        multiply(simd, [tokens, size, columns], rows, (&scratch.transposed, columns), dweights);

        // dS = P ∘ (dP − Σ P∘dP)
        for (d, p) in scratch.gradients.chunks_exact_mut(columns).zip(scratch.weights.chunks_exact(columns)) {
            let mut dots = [0.0_f32; LANES];
            for (d, p) in d.as_chunks::<LANES>().0.iter().zip(p.as_chunks::<LANES>().0) {
                for lane in 0..LANES {
                    dots[lane] += d[lane] * p[lane];
                }
            }
            let dot: f32 = dots.iter().sum();
            for (d, p) in d.iter_mut().zip(p) {
                *d = p * (*d - dot);
            }
        }
        if let Some(dbias) = dbias {
            for (db, d) in dbias.chunks_exact_mut(tokens).zip(scratch.gradients.chunks_exact(columns)) {
                for (db, d) in db.iter_mut().zip(d) {
                    *db += d;
                }
            }
        }
        let scale = self.scale();
        for d in &mut scratch.gradients {
            *d *= scale;
        }

        // dQ = dS·K and dK = dSᵀ·Q
        let rows = View { values: &scratch.gradients, row: columns, column: 1 };
        let keys = &self.projections[width + self.at..];
        multiply(simd, [tokens, tokens, size], rows, (keys, stride), (&mut dx[self.at..], stride));
        let transposed = View { values: &scratch.gradients, row: 1, column: columns };
        let queries = &self.projections[self.at..];
        multiply(
            simd,
            [tokens, tokens, size],
            transposed,
            (queries, stride),
            (&mut dx[width + self.at..], stride),
        );
    }

    /// Attention weights, rows summing to 1.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
    fn weights<S: Simd>(&self, simd: S, scratch: &mut Scratch) {
        let (tokens, columns) = (self.tokens, scratch.columns);
        self.transpose(self.width + self.at, &mut scratch.transposed, columns);
        let queries = View { values: &self.projections[self.at..], row: 3 * self.width, column: 1 };
        multiply(
            simd,
            [tokens, self.size, columns],
            queries,
            (&scratch.transposed, columns),
            (&mut scratch.weights, columns),
        );
        let scale = self.scale();
        for (query, row) in scratch.weights.chunks_exact_mut(columns).enumerate() {
            let (inside, outside) = row.split_at_mut(tokens);
            for s in inside.iter_mut() {
                *s *= scale;
            }
            let rows = [
                self.bias.map(|bias| &bias[query * tokens..][..tokens]),
                self.keys,
                self.pairs.map(|pairs| &pairs[query * tokens..][..tokens]),
            ];
            for added in rows.into_iter().flatten() {
                for (s, added) in inside.iter_mut().zip(added) {
                    *s += added;
                }
            }
            outside.fill(OUTSIDE);
            softmax(row);
        }
    }

    /// The head's columns from `start` of the projections, transposed; padding stays zero.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
    fn transpose(&self, start: usize, transposed: &mut [f32], columns: usize) {
        for (token, row) in self.projections.chunks_exact(3 * self.width).enumerate() {
            for (d, value) in row[start..start + self.size].iter().enumerate() {
                transposed[d * columns + token] = *value;
            }
        }
    }

    fn scale(&self) -> f32 {
        1.0 / (self.size as f32).sqrt()
    }
}

/// Whole registers of scores become weights that sum to 1.
#[inline(always)]
#[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
fn softmax(row: &mut [f32]) {
    let row = row.as_chunks_mut::<LANES>().0;
    let mut maxima = [f32::NEG_INFINITY; LANES];
    for block in row.iter() {
        for lane in 0..LANES {
            // Keeps not-a-number, which `max` would drop.
            maxima[lane] = if maxima[lane] > block[lane] { maxima[lane] } else { block[lane] };
        }
    }
    let max = maxima.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let mut sums = [0.0_f32; LANES];
    for block in row.iter_mut() {
        for lane in 0..LANES {
            block[lane] = exp(block[lane] - max);
            sums[lane] += block[lane];
        }
    }
    let inverse = 1.0 / sums.iter().sum::<f32>();
    for s in row.as_flattened_mut() {
        *s *= inverse;
    }
}
