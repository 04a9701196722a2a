//! Updates on the CPU, in one pass over a parameter.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, InplaceOp2, Layout, Result, Shape, Tensor, Var};
use rayon::prelude::*;

use super::rates::Rates;
use crate::cpu::{contiguous, contiguous_mut, kernel};

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
                kernel!(|values: &'a [f32]| -> f64 {
                    let (blocks, rest) = values.as_chunks::<LANES>();
                    let mut sums = [0.0_f32; LANES];
                    for block in blocks {
                        for lane in 0..LANES {
                            sums[lane] += block[lane] * block[lane];
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
                kernel!(|p: &'a mut [f32],
                         g: &'a [f32],
                         m: &'a mut [f32],
                         v: &'a mut [f32],
                         clip: f32,
                         beta1: f32,
                         beta2: f32,
                         step: f32,
                         inv_sqrt_correction2: f32,
                         eps: f32,
                         shrink: f32|
                 -> () {
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

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;
    use crate::stopwatch::{Comparison, alone, has_vectors, tensor, values};

    /// As the kernels of `op/speed.rs`.
    #[test]
    #[ignore = "compares times, which mean something in the release profile only"]
    fn speed_of_vector_code() {
        const COUNT: usize = 16 * 1024;
        if !has_vectors() {
            println!("this CPU has no vector instructions to compile for");
            return;
        }
        let (gradient, gs) = tensor([COUNT], 1);
        let mut all = Comparison::default();
        all.add(
            "squared norm",
            || squared_norm(&gradient).unwrap(),
            || gs.iter().map(|g| alone(*g) * g).sum::<f32>(),
        );
        let rates = Rates {
            clip: 0.5,
            beta1: 0.9,
            beta2: 0.999,
            step: 1e-3,
            inv_sqrt_correction2: 1.1,
            eps: 1e-8,
            shrink: 0.9999,
        };
        let parameter = Var::from_slice(&values(COUNT, 2), COUNT, &Device::Cpu).unwrap();
        let mut moments = HostMoments { first: vec![0.0; COUNT], second: vec![0.0; COUNT] };
        let (mut ps, mut first, mut second) = (values(COUNT, 2), vec![0.0_f32; COUNT], vec![0.0_f32; COUNT]);
        let [clip, beta1, beta2, step, correction, eps, shrink] =
            [0.5, 0.9, 0.999, 1e-3, 1.1, 1e-8, 0.9999_f32];
        all.add(
            "AdamW",
            || update(&parameter, &gradient, &mut moments, &rates).unwrap(),
            || {
                for (((p, g), m), v) in ps.iter_mut().zip(&gs).zip(&mut first).zip(&mut second) {
                    let g = alone(*g) * clip;
                    *m = beta1 * *m + (1.0 - beta1) * g;
                    *v = beta2 * *v + (1.0 - beta2) * g * g;
                    *p = *p * shrink - step * *m / (v.sqrt() * correction + eps);
                }
            },
        );
        all.check();
    }
}
