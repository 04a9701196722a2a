//! Sums of two tensors.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::portable::has_kernel;
use super::residual::pointwise;
use crate::tape::Tape;

/// `a + b`.
///
/// # Shapes
/// - `a`, `b`, returns: one shape
/// # Errors
/// When the shapes differ.
pub fn add(tape: &mut Tape, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let sum = add_values(a, b)?;
    tape.record(&[a, b], &sum, |gradient, _| Ok(vec![Some(gradient.clone()), Some(gradient)]));
    Ok(sum)
}

/// [`add`] without a gradient.
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
