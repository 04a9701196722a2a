//! Functions of two values, over whole tensors.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::simd::vectorized;
use super::storage::{contiguous, has_kernel};

/// Values handled together.
const CHUNK: usize = 32 * 1024;

/// `a + b`, without a gradient.
pub(crate) fn add_values(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if a.shape() != b.shape() {
        bail!("sum of {:?} and {:?}", a.dims(), b.dims());
    }
    if has_kernel(a) && has_kernel(b) { a.apply_op2_no_bwd(b, &Add) } else { a.detach() + b.detach() }
}

struct Add;

impl CustomOp2 for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        pointwise(s1, l1, s2, l2, |a, b| a + b)
    }
}

/// `f` of the values of two tensors of one shape.
pub(crate) fn pointwise(
    s1: &CpuStorage,
    l1: &Layout,
    s2: &CpuStorage,
    l2: &Layout,
    f: impl Fn(f32, f32) -> f32 + Sync,
) -> Result<(CpuStorage, Shape)> {
    let (a, b) = (contiguous(s1, l1)?, contiguous(s2, l2)?);
    let mut y = vec![0.0_f32; a.len()];
    y.par_chunks_mut(CHUNK).zip(a.par_chunks(CHUNK)).zip(b.par_chunks(CHUNK)).for_each(|((y, a), b)| {
        vectorized(|| {
            for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
                *y = f(*a, *b);
            }
        });
    });
    Ok((CpuStorage::F32(y), l1.shape().clone()))
}
