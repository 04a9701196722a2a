//! Scaled, masked softmax of attention scores.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::simd::{exp, vectorised};
use super::storage::contiguous;

/// Added to the score of a masked key, whose weight is then below 10⁻³⁷.
const MASKED: f32 = -1e4;

/// `softmax(scale · scores)` over keys, leaving out the keys whose mask is 0.
///
/// # Shapes
/// - `scores`: `[batch, heads, queries, keys]`
/// - `mask`: `batch · keys` values, 1 to attend and 0 to leave out
/// - returns: `[batch, heads, queries, keys]`, each row summing to 1
/// # Errors
/// When the mask's length disagrees or a tensor is not contiguous `f32` on the CPU.
/// # Source
/// Vaswani et al. 2017, equation 1.
pub fn attention_softmax(scores: &Tensor, mask: &[i64], scale: f32) -> Result<Tensor> {
    let penalty = mask.iter().map(|m| if *m == 0 { MASKED } else { 0.0 }).collect();
    scores.apply_op1(AttentionSoftmax { scale, penalty })
}

struct AttentionSoftmax {
    scale: f32,
    penalty: Vec<f32>,
}

impl CustomOp1 for AttentionSoftmax {
    fn name(&self) -> &'static str {
        "attention-softmax"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, heads, queries, keys) = layout.shape().dims4()?;
        let x = contiguous(storage, layout)?;
        if self.penalty.len() != batch * keys {
            bail!("attention mask of {} values for {batch} sentences of {keys}", self.penalty.len());
        }
        let per_sentence = heads * queries * keys;
        let mut y = vec![0.0_f32; x.len()];
        y.par_chunks_mut(per_sentence)
            .zip(x.par_chunks(per_sentence))
            .zip(self.penalty.par_chunks(keys))
            .for_each(|((y, x), penalty)| {
                vectorised(|| {
                    for (y, x) in y.chunks_exact_mut(keys).zip(x.chunks_exact(keys)) {
                        for ((y, x), p) in y.iter_mut().zip(x).zip(penalty) {
                            *y = x * self.scale + p;
                        }
                        softmax_in_place(y);
                    }
                });
            });
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, _arg: &Tensor, res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let op = AttentionSoftmaxBackward { scale: self.scale };
        Ok(Some(res.apply_op2_no_bwd(&grad.contiguous()?, &op)?))
    }
}

/// `dx = scale · y · (g − Σ g·y)`.
struct AttentionSoftmaxBackward {
    scale: f32,
}

impl CustomOp2 for AttentionSoftmaxBackward {
    fn name(&self) -> &'static str {
        "attention-softmax-backward"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, heads, queries, keys) = l1.shape().dims4()?;
        let (y, grad) = (contiguous(s1, l1)?, contiguous(s2, l2)?);
        let per_sentence = heads * queries * keys;
        let mut dx = vec![0.0_f32; y.len()];
        dx.par_chunks_mut(per_sentence)
            .zip(y.par_chunks(per_sentence))
            .zip(grad.par_chunks(per_sentence))
            .for_each(|((dx, y), grad)| {
                vectorised(|| {
                    for ((dx, y), g) in
                        dx.chunks_exact_mut(keys).zip(y.chunks_exact(keys)).zip(grad.chunks_exact(keys))
                    {
                        softmax_backward(dx, y, g);
                        for dx in dx {
                            *dx *= self.scale;
                        }
                    }
                });
            });
        Ok((CpuStorage::F32(dx), l1.shape().clone()))
    }
}

/// One row of scores becomes weights that sum to 1.
#[inline(always)]
#[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
pub(super) fn softmax_in_place(row: &mut [f32]) {
    let max = row.iter().fold(f32::NEG_INFINITY, |max, value| max.max(*value));
    for value in row.iter_mut() {
        *value = exp(*value - max);
    }
    let inv_sum = 1.0 / row.iter().sum::<f32>();
    for value in row {
        *value *= inv_sum;
    }
}

/// The gradient of a row of scores, `y · (g − Σ g·y)`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
pub(super) fn softmax_backward(dx: &mut [f32], y: &[f32], g: &[f32]) {
    let dot: f32 = y.iter().zip(g).map(|(y, g)| y * g).sum();
    for ((dx, y), g) in dx.iter_mut().zip(y).zip(g) {
        *dx = y * (g - dot);
    }
}
