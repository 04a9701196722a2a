//! Updates on the CPU, in one pass over a parameter.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, InplaceOp2, Layout, Result, Shape, Tensor, Var};
use rayon::prelude::*;

use super::rates::Rates;
use crate::op::{contiguous, contiguous_mut, vectorised};

/// Values updated together by one thread.
const CHUNK: usize = 64 * 1024;

/// Running means of the gradient and of its square.
#[derive(Debug, Clone)]
pub(super) struct HostMoments {
    pub(super) first: Vec<f32>,
    pub(super) second: Vec<f32>,
}

/// Moves a parameter and its moments.
pub(super) fn update(
    parameter: &Var,
    gradient: &Tensor,
    moments: &mut HostMoments,
    rates: &Rates,
) -> Result<()> {
    parameter.inplace_op2(&gradient.contiguous()?, &Update { moments: Mutex::new(moments), rates: *rates })
}

/// `Σ g²`.
pub(super) fn squared_norm(gradient: &Tensor) -> Result<f64> {
    gradient.contiguous()?.apply_op1_no_bwd(&SquaredNorm)?.to_vec1::<f64>().map(|sums| sums.iter().sum())
}

/// Sums of squares, one for each chunk of values.
struct SquaredNorm;

impl CustomOp1 for SquaredNorm {
    fn name(&self) -> &'static str {
        "squared-norm"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        /// Independent partial sums.
        const LANES: usize = 16;
        let sums: Vec<f64> = contiguous(storage, layout)?
            .par_chunks(CHUNK)
            .map(|values| {
                vectorised(|| {
                    let (blocks, rest) = values.as_chunks::<LANES>();
                    let mut sums = [0.0_f32; LANES];
                    for block in blocks {
                        for (sum, value) in sums.iter_mut().zip(block) {
                            *sum += value * value;
                        }
                    }
                    sums.iter().chain(&[rest.iter().map(|v| v * v).sum()]).map(|sum| f64::from(*sum)).sum()
                })
            })
            .collect();
        let count = sums.len();
        Ok((CpuStorage::F64(sums), Shape::from(count)))
    }
}

struct Update<'a> {
    moments: Mutex<&'a mut HostMoments>,
    rates: Rates,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(&self, s1: &mut CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<()> {
        let parameter = contiguous_mut(s1, l1)?;
        let gradient = contiguous(s2, l2)?;
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let HostMoments { first, second } = &mut **moments;
        let Rates { clip, beta1, beta2, step, inv_sqrt_correction2, eps, shrink } = self.rates;
        let (clip, beta1, beta2) = (clip as f32, beta1 as f32, beta2 as f32);
        let (step, inv_sqrt_correction2) = (step as f32, inv_sqrt_correction2 as f32);
        let (eps, shrink) = (eps as f32, shrink as f32);
        parameter
            .par_chunks_mut(CHUNK)
            .zip(gradient.par_chunks(CHUNK))
            .zip(first.par_chunks_mut(CHUNK))
            .zip(second.par_chunks_mut(CHUNK))
            .for_each(|(((p, g), m), v)| {
                vectorised(|| {
                    for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
                        let g = g * clip;
                        *m = beta1 * *m + (1.0 - beta1) * g;
                        *v = beta2 * *v + (1.0 - beta2) * g * g;
                        let denominator = v.sqrt() * inv_sqrt_correction2 + eps;
                        *p = *p * shrink - step * *m / denominator;
                    }
                });
            });
        Ok(())
    }
}
