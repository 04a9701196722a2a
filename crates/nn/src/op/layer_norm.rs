//! Layer normalization over the last axis, with the gradient candle's fused form lacks.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::portable;
use crate::cpu::{SideOutput, contiguous, has_kernel, kernel, sum_rows};
use crate::tape::Tape;

/// Rows handled together.
const CHUNK_ROWS: usize = 32;

/// `y = γ · (x − mean) / √(variance + ε) + β` over each row.
///
/// # Shapes
/// - `x`: `[rows, width]`
/// - `weight` γ and `bias` β: `[width]`
/// - returns: `[rows, width]`
/// # Errors
/// When the widths differ.
/// # Source
/// Ba et al. 2016, with the biased variance as PyTorch has it.
pub fn layer_norm(tape: &mut Tape, x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    if !has_kernel(x) {
        return portable::layer_norm(tape, x, weight, bias, eps);
    }
    tape.apply3(x, weight, bias, LayerNorm { eps: eps as f32 })
}

pub(super) struct LayerNorm {
    pub(super) eps: f32,
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, width) = l1.shape().dims2()?;
        let (x, weight, bias) = (contiguous(s1, l1)?, contiguous(s2, l2)?, contiguous(s3, l3)?);
        if weight.len() != width || bias.len() != width {
            bail!("layer norm of width {width} with {} weights and {} biases", weight.len(), bias.len());
        }
        let mut y = vec![0.0_f32; x.len()];
        y.par_chunks_mut(CHUNK_ROWS * width).zip(x.par_chunks(CHUNK_ROWS * width)).for_each(|(y, x)| {
            let eps = self.eps;
            kernel!(|y: &'a mut [f32],
                     x: &'a [f32],
                     weight: &'a [f32],
                     bias: &'a [f32],
                     width: usize,
                     eps: f32|
             -> () {
                for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                    let (mean, inv_std) = moments(x, eps);
                    for (((y, x), w), b) in y.iter_mut().zip(x).zip(weight).zip(bias) {
                        *y = (x - mean) * inv_std * w + b;
                    }
                }
            });
        });
        Ok((CpuStorage::F32(y), l1.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let op = LayerNormBackward { eps: self.eps, weight: weight.to_vec1()?, sums: SideOutput::default() };
        let dx = x.apply_op2_no_bwd(&grad.contiguous()?, &op)?;
        let (dweight, dbias) = op.sums.take();
        let width = dweight.len();
        Ok((
            Some(dx),
            Some(Tensor::from_vec(dweight, width, x.device())?),
            Some(Tensor::from_vec(dbias, width, x.device())?),
        ))
    }
}

struct LayerNormBackward {
    eps: f32,
    weight: Vec<f32>,
    /// Gradients of weight and bias, left here by the pass over the rows.
    sums: SideOutput<(Vec<f32>, Vec<f32>)>,
}

impl CustomOp2 for LayerNormBackward {
    fn name(&self) -> &'static str {
        "layer-norm-backward"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, width) = l1.shape().dims2()?;
        let (x, grad) = (contiguous(s1, l1)?, contiguous(s2, l2)?);
        let weight = &self.weight[..width];
        let chunk = CHUNK_ROWS * width;
        let mut dx = vec![0.0_f32; x.len()];
        let partial: Vec<(Vec<f32>, Vec<f32>)> = dx
            .par_chunks_mut(chunk)
            .zip(x.par_chunks(chunk))
            .zip(grad.par_chunks(chunk))
            .map(|((dx, x), grad)| {
                let eps = self.eps;
                kernel!(|dx: &'a mut [f32],
                         x: &'a [f32],
                         grad: &'a [f32],
                         weight: &'a [f32],
                         width: usize,
                         eps: f32|
                 -> (Vec<f32>, Vec<f32>) {
                    let (mut dweight, mut dbias) = (vec![0.0_f32; width], vec![0.0_f32; width]);
                    for ((dx, x), g) in
                        dx.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(grad.chunks_exact(width))
                    {
                        let (mean, inv_std) = moments(x, eps);
                        // A loop for each result: of one loop that writes all three, the compiler gives up proving that
                        // they do not overlap.
                        for (dx, x) in dx.iter_mut().zip(x) {
                            *dx = (x - mean) * inv_std;
                        }
                        for ((dw, g), normed) in dweight.iter_mut().zip(g).zip(dx.iter()) {
                            *dw += g * normed;
                        }
                        for (db, g) in dbias.iter_mut().zip(g) {
                            *db += g;
                        }
                        let (sum, dot) = weighted_sums(g, weight, dx);
                        let (mean_g, mean_gx) = (sum / width as f32, dot / width as f32);
                        for ((dx, g), w) in dx.iter_mut().zip(g).zip(weight) {
                            *dx = inv_std * (g * w - mean_g - *dx * mean_gx);
                        }
                    }
                    (dweight, dbias)
                })
            })
            .collect();
        self.sums.put((
            sum_rows(partial.iter().map(|p| &p.0), width),
            sum_rows(partial.iter().map(|p| &p.1), width),
        ));
        Ok((CpuStorage::F32(dx), l1.shape().clone()))
    }
}

/// Independent partial sums, so that a reduction vectorizes without reordering floating-point sums.
const LANES: usize = 16;

/// `Σ g·w` and `Σ g·w·x`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
fn weighted_sums(g: &[f32], weight: &[f32], x: &[f32]) -> (f32, f32) {
    let (mut sum, mut dot) = ([0.0_f32; LANES], [0.0_f32; LANES]);
    let ((g, g_rest), (w, w_rest), (x, x_rest)) =
        (g.as_chunks::<LANES>(), weight.as_chunks::<LANES>(), x.as_chunks::<LANES>());
    for ((g, w), x) in g.iter().zip(w).zip(x) {
        for lane in 0..LANES {
            let weighted = g[lane] * w[lane];
            sum[lane] += weighted;
            dot[lane] += weighted * x[lane];
        }
    }
    for (lane, ((g, w), x)) in g_rest.iter().zip(w_rest).zip(x_rest).enumerate() {
        sum[lane] += g * w;
        dot[lane] += g * w * x;
    }
    (sum.iter().sum(), dot.iter().sum())
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
fn moments(x: &[f32], eps: f32) -> (f32, f32) {
    let width = x.len() as f32;
    let (blocks, rest) = x.as_chunks::<LANES>();
    let mut sum = [0.0_f32; LANES];
    for block in blocks {
        for lane in 0..LANES {
            sum[lane] += block[lane];
        }
    }
    for (sum, x) in sum.iter_mut().zip(rest) {
        *sum += x;
    }
    let mean = sum.iter().sum::<f32>() / width;
    let mut squares = [0.0_f32; LANES];
    for block in blocks {
        for lane in 0..LANES {
            squares[lane] += (block[lane] - mean) * (block[lane] - mean);
        }
    }
    for (square, x) in squares.iter_mut().zip(rest) {
        *square += (x - mean) * (x - mean);
    }
    let variance = squares.iter().sum::<f32>() / width;
    (mean, 1.0 / (variance + eps).sqrt())
}
