//! Weighted means over the tokens or pixels of each item of a batch.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::portable;
use crate::cpu::{contiguous, has_kernel, vectorized};
use crate::tape::Tape;

/// `Σ weights · x` over the rows of each item.
///
/// # Shapes
/// - `x`: `[batch · rows, width]`
/// - `weights`: `batch · rows` constants
/// - returns: `[batch, width]`, `f32` where `x` is narrower
/// # Errors
/// When the sizes disagree.
pub fn pool(tape: &mut Tape, x: &Tensor, batch: usize, weights: Vec<f32>) -> Result<Tensor> {
    let (rows, _) = x.dims2()?;
    if batch == 0 || rows == 0 || rows != weights.len() || !rows.is_multiple_of(batch) {
        bail!("means over {rows} rows by {} weights for {batch} items", weights.len());
    }
    if !has_kernel(x) {
        return portable::pool(tape, x, batch, weights);
    }
    tape.apply1(x, Pool { batch, weights: weights.into() })
}

struct Pool {
    batch: usize,
    weights: Arc<[f32]>,
}

impl CustomOp1 for Pool {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let x = contiguous(storage, layout)?;
        let each = rows / self.batch;
        let mut y = vec![0.0_f32; self.batch * width];
        y.par_chunks_mut(width).zip(x.par_chunks(each * width)).zip(self.weights.par_chunks(each)).for_each(
            |((y, x), weights)| {
                vectorized(|| {
                    for (x, weight) in x.chunks_exact(width).zip(weights) {
                        for (y, x) in y.iter_mut().zip(x) {
                            *y += weight * x;
                        }
                    }
                });
            },
        );
        Ok((CpuStorage::F32(y), Shape::from((self.batch, width))))
    }

    fn bwd(&self, _arg: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let op = PoolBackward { weights: Arc::clone(&self.weights) };
        Ok(Some(grad.apply_op1_no_bwd(&op)?))
    }
}

struct PoolBackward {
    weights: Arc<[f32]>,
}

impl CustomOp1 for PoolBackward {
    fn name(&self) -> &'static str {
        "pool-backward"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, width) = layout.shape().dims2()?;
        let grad = contiguous(storage, layout)?;
        let each = self.weights.len() / batch;
        let mut dx = vec![0.0_f32; self.weights.len() * width];
        dx.par_chunks_mut(each * width)
            .zip(grad.par_chunks(width))
            .zip(self.weights.par_chunks(each))
            .for_each(|((dx, grad), weights)| {
                vectorized(|| {
                    for (dx, weight) in dx.chunks_exact_mut(width).zip(weights) {
                        for (dx, g) in dx.iter_mut().zip(grad) {
                            *dx = weight * g;
                        }
                    }
                });
            });
        Ok((CpuStorage::F32(dx), Shape::from((self.weights.len(), width))))
    }
}
