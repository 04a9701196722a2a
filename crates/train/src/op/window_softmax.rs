//! Scaled softmax of attention scores within windows, with a trained bias for every pair of tokens.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::side::{SideOutput, sum_rows};
use super::simd::vectorised;
use super::softmax::{softmax_backward, softmax_in_place};
use super::storage::contiguous;

/// Windows whose gradients of the bias are summed before the rest.
const CHUNK_WINDOWS: usize = 16;

/// `softmax(scale · scores + bias + mask)` over keys.
///
/// # Shapes
/// - `scores`: `[batch · windows, heads, queries, keys]`
/// - `bias`: `[heads, queries, keys]`
/// - `mask`: `windows · queries · keys` constants, or none
/// - returns: `[batch · windows, heads, queries, keys]`, each row summing to 1
/// # Errors
/// When the shapes disagree or a tensor is not contiguous `f32` on the CPU.
/// # Source
/// Liu et al. 2021, equation 4 and figure 4.
pub fn window_softmax(scores: &Tensor, bias: &Tensor, mask: Option<Vec<f32>>, scale: f32) -> Result<Tensor> {
    scores.apply_op2(bias, WindowSoftmax { scale, mask })
}

struct WindowSoftmax {
    scale: f32,
    mask: Option<Vec<f32>>,
}

impl CustomOp2 for WindowSoftmax {
    fn name(&self) -> &'static str {
        "window-softmax"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (windows, heads, queries, keys) = l1.shape().dims4()?;
        let (x, bias) = (contiguous(s1, l1)?, contiguous(s2, l2)?);
        let pairs = queries * keys;
        let masked = self.mask.as_ref().map_or(1, |mask| mask.len() / pairs.max(1));
        if l2.dims() != [heads, queries, keys] || masked == 0 || !windows.is_multiple_of(masked) {
            bail!("scores of {:?} with a bias of {:?} and {masked} masks", l1.dims(), l2.dims());
        }
        let mut y = vec![0.0_f32; x.len()];
        let window_len = heads * pairs;
        y.par_chunks_mut(window_len).zip(x.par_chunks(window_len)).enumerate().for_each(
            |(window, (y, x))| {
                vectorised(|| {
                    for ((y, x), bias) in y.iter_mut().zip(x).zip(bias) {
                        *y = x * self.scale + bias;
                    }
                    if let Some(mask) = &self.mask {
                        let mask = &mask[window % masked * pairs..][..pairs];
                        for y in y.chunks_exact_mut(pairs) {
                            for (y, mask) in y.iter_mut().zip(mask) {
                                *y += mask;
                            }
                        }
                    }
                    for y in y.chunks_exact_mut(keys) {
                        softmax_in_place(y);
                    }
                });
            },
        );
        Ok((CpuStorage::F32(y), l1.shape().clone()))
    }

    fn bwd(
        &self,
        _scores: &Tensor,
        bias: &Tensor,
        res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let op = WindowSoftmaxBackward { scale: self.scale, dbias: SideOutput::default() };
        let dscores = res.apply_op2_no_bwd(&grad.contiguous()?, &op)?;
        let dbias = Tensor::from_vec(op.dbias.take(), bias.dims(), bias.device())?;
        Ok((Some(dscores), Some(dbias)))
    }
}

struct WindowSoftmaxBackward {
    scale: f32,
    /// Gradient of the bias, left here by the pass over the windows.
    dbias: SideOutput<Vec<f32>>,
}

impl CustomOp2 for WindowSoftmaxBackward {
    fn name(&self) -> &'static str {
        "window-softmax-backward"
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
        let window_len = heads * queries * keys;
        let chunk = CHUNK_WINDOWS * window_len;
        let mut dx = vec![0.0_f32; y.len()];
        let dbias: Vec<Vec<f32>> = dx
            .par_chunks_mut(chunk)
            .zip(y.par_chunks(chunk))
            .zip(grad.par_chunks(chunk))
            .map(|((dx, y), grad)| {
                vectorised(|| {
                    for ((dx, y), g) in
                        dx.chunks_exact_mut(keys).zip(y.chunks_exact(keys)).zip(grad.chunks_exact(keys))
                    {
                        softmax_backward(dx, y, g);
                    }
                    let mut dbias = vec![0.0_f32; window_len];
                    for dx in dx.chunks_exact_mut(window_len) {
                        for (db, dx) in dbias.iter_mut().zip(dx) {
                            *db += *dx;
                            *dx *= self.scale;
                        }
                    }
                    dbias
                })
            })
            .collect();
        self.dbias.put(sum_rows(dbias.iter(), window_len));
        Ok((CpuStorage::F32(dx), l1.shape().clone()))
    }
}
