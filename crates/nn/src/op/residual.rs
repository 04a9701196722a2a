//! A shortcut added and rectified in one pass.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::portable;
use crate::cpu::{has_kernel, pointwise};
use crate::tape::Tape;

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
