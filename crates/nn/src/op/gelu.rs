//! Bias and Gaussian error linear unit in one pass.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::portable;
use crate::cpu::simd::normal;
use crate::cpu::{SideOutput, contiguous, has_kernel, kernel, sum_rows};

/// Rows handled together.
const CHUNK_ROWS: usize = 32;

/// `z·Φ(z)` of `z = x + bias`, rows of `bias`' width.
pub(super) fn gelu(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    if has_kernel(x) { x.apply_op2_no_bwd(bias, &Gelu) } else { portable::gelu(x, bias) }
}

/// Gradients of `x` and `bias`.
pub(super) fn gelu_backward(x: &Tensor, bias: &Tensor, gradient: &Tensor) -> Result<(Tensor, Tensor)> {
    if !has_kernel(x) {
        return portable::gelu_backward(x, bias, gradient);
    }
    let op = GeluBackward { bias: bias.to_vec1()?, dbias: SideOutput::default() };
    let dx = x.apply_op2_no_bwd(gradient, &op)?;
    let dbias = op.dbias.take();
    let width = dbias.len();
    Ok((dx, Tensor::from_vec(dbias, width, x.device())?))
}

struct Gelu;

impl CustomOp2 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, width) = l1.shape().dims2()?;
        let (x, bias) = (contiguous(s1, l1)?, contiguous(s2, l2)?);
        if width == 0 || bias.len() != width {
            bail!("bias of {} values for rows of {width}", bias.len());
        }
        let mut y = vec![0.0_f32; x.len()];
        y.par_chunks_mut(CHUNK_ROWS * width).zip(x.par_chunks(CHUNK_ROWS * width)).for_each(|(y, x)| {
            kernel!(|y: &'a mut [f32], x: &'a [f32], bias: &'a [f32], width: usize| -> () {
                for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                    for ((y, x), b) in y.iter_mut().zip(x).zip(bias) {
                        let z = x + b;
                        *y = z * normal(z).0;
                    }
                }
            });
        });
        Ok((CpuStorage::F32(y), l1.shape().clone()))
    }
}

struct GeluBackward {
    bias: Vec<f32>,
    /// Gradient of the bias, left here by the pass over the rows.
    dbias: SideOutput<Vec<f32>>,
}

impl CustomOp2 for GeluBackward {
    fn name(&self) -> &'static str {
        "gelu-backward"
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
        let mut dx = vec![0.0_f32; x.len()];
        let chunk = CHUNK_ROWS * width;
        let dbias: Vec<Vec<f32>> = dx
            .par_chunks_mut(chunk)
            .zip(x.par_chunks(chunk))
            .zip(grad.par_chunks(chunk))
            .map(|((dx, x), grad)| {
                let bias = self.bias.as_slice();
                kernel!(|dx: &'a mut [f32],
                         x: &'a [f32],
                         grad: &'a [f32],
                         bias: &'a [f32],
                         width: usize|
                 -> Vec<f32> {
                    let mut dbias = vec![0.0_f32; width];
                    for ((dx, x), grad) in
                        dx.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(grad.chunks_exact(width))
                    {
                        for (((dx, x), b), g) in dx.iter_mut().zip(x).zip(bias).zip(grad) {
                            let z = x + b;
                            let (cdf, density) = normal(z);
                            *dx = g * (cdf + z * density);
                        }
                        for (db, dx) in dbias.iter_mut().zip(dx.iter()) {
                            *db += dx;
                        }
                    }
                    dbias
                })
            })
            .collect();
        self.dbias.put(sum_rows(dbias.iter(), width));
        Ok((CpuStorage::F32(dx), l1.shape().clone()))
    }
}
