//! Bias and activation in one pass.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::side::{SideOutput, sum_rows};
use super::simd::{normal, vectorised};
use super::storage::contiguous;

/// Rows handled together.
const CHUNK_ROWS: usize = 32;

/// What follows the bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// x·Φ(x), the exact Gaussian error linear unit (Hendrycks and Gimpel 2016).
    Gelu,
}

/// `activation(x + bias)`.
///
/// # Shapes
/// - `x`: `[rows, width]`
/// - `bias`: `[width]`
/// - returns: `[rows, width]`
/// # Errors
/// When the widths differ or a tensor is not contiguous `f32` on the CPU.
pub fn bias_activation(x: &Tensor, bias: &Tensor, activation: Activation) -> Result<Tensor> {
    x.apply_op2(bias, BiasActivation { activation })
}

struct BiasActivation {
    activation: Activation,
}

impl CustomOp2 for BiasActivation {
    fn name(&self) -> &'static str {
        "bias-activation"
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
        if bias.len() != width {
            bail!("bias of {} values for rows of {width}", bias.len());
        }
        let mut y = vec![0.0_f32; x.len()];
        y.par_chunks_mut(CHUNK_ROWS * width).zip(x.par_chunks(CHUNK_ROWS * width)).for_each(|(y, x)| {
            vectorised(|| {
                for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                    match self.activation {
                        Activation::Identity => {
                            for ((y, x), b) in y.iter_mut().zip(x).zip(bias) {
                                *y = x + b;
                            }
                        }
                        Activation::Gelu => {
                            for ((y, x), b) in y.iter_mut().zip(x).zip(bias) {
                                let z = x + b;
                                *y = z * normal(z).0;
                            }
                        }
                    }
                }
            });
        });
        Ok((CpuStorage::F32(y), l1.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        bias: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let op = BiasActivationBackward {
            activation: self.activation,
            bias: bias.to_vec1()?,
            dbias: SideOutput::default(),
        };
        let dx = x.apply_op2_no_bwd(&grad.contiguous()?, &op)?;
        let dbias = op.dbias.take();
        let width = dbias.len();
        Ok((Some(dx), Some(Tensor::from_vec(dbias, width, x.device())?)))
    }
}

struct BiasActivationBackward {
    activation: Activation,
    bias: Vec<f32>,
    /// Gradient of the bias, left here by the pass over the rows.
    dbias: SideOutput<Vec<f32>>,
}

impl CustomOp2 for BiasActivationBackward {
    fn name(&self) -> &'static str {
        "bias-activation-backward"
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
                vectorised(|| {
                    let mut dbias = vec![0.0_f32; width];
                    for ((dx, x), grad) in
                        dx.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(grad.chunks_exact(width))
                    {
                        match self.activation {
                            Activation::Identity => dx.copy_from_slice(grad),
                            Activation::Gelu => {
                                for (((dx, x), b), g) in dx.iter_mut().zip(x).zip(&self.bias).zip(grad) {
                                    let z = x + b;
                                    let (cdf, density) = normal(z);
                                    *dx = g * (cdf + z * density);
                                }
                            }
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
