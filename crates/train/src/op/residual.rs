//! A shortcut added and rectified in one pass.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::portable::{self, has_kernel};
use super::simd::vectorised;
use super::storage::contiguous;
use crate::tape::Tape;

/// Values handled together.
const CHUNK: usize = 32 * 1024;

/// `max(x + shortcut, 0)`, without a gradient where the sum is not positive.
///
/// # Shapes
/// - `x`, `shortcut`, returns: one shape
/// # Errors
/// When the shapes differ.
pub fn add_relu(tape: &mut Tape, x: &Tensor, shortcut: &Tensor) -> Result<Tensor> {
    if x.shape() != shortcut.shape() {
        bail!("shortcut of {:?} for {:?}", shortcut.dims(), x.dims());
    }
    if !has_kernel(x) {
        return portable::add_relu(tape, x, shortcut);
    }
    tape.apply2(x, shortcut, AddRelu)
}

struct AddRelu;

impl CustomOp2 for AddRelu {
    fn name(&self) -> &'static str {
        "add-relu"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        pointwise(s1, l1, s2, l2, |a, b| (a + b).clamp(0.0, f32::INFINITY))
    }

    fn bwd(
        &self,
        _x: &Tensor,
        _shortcut: &Tensor,
        res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let gradient = res.apply_op2_no_bwd(&grad.contiguous()?, &AddReluBackward)?;
        Ok((Some(gradient.clone()), Some(gradient)))
    }
}

/// From the output and its gradient, that of both summands.
struct AddReluBackward;

impl CustomOp2 for AddReluBackward {
    fn name(&self) -> &'static str {
        "add-relu-backward"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        pointwise(s1, l1, s2, l2, |y, grad| if y > 0.0 { grad } else { 0.0 })
    }
}

pub(super) fn pointwise(
    s1: &CpuStorage,
    l1: &Layout,
    s2: &CpuStorage,
    l2: &Layout,
    f: impl Fn(f32, f32) -> f32 + Sync,
) -> Result<(CpuStorage, Shape)> {
    let (a, b) = (contiguous(s1, l1)?, contiguous(s2, l2)?);
    let mut y = vec![0.0_f32; a.len()];
    y.par_chunks_mut(CHUNK).zip(a.par_chunks(CHUNK)).zip(b.par_chunks(CHUNK)).for_each(|((y, a), b)| {
        vectorised(|| {
            for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
                *y = f(*a, *b);
            }
        });
    });
    Ok((CpuStorage::F32(y), l1.shape().clone()))
}
