//! Types that values are brought to.

use candle_core::{DType, Result, Tensor};

/// In a type that sums may be formed in.
pub(super) fn wide(x: &Tensor) -> Result<Tensor> {
    match x.dtype() {
        DType::F64 => Ok(x.clone()),
        _ => x.to_dtype(DType::F32),
    }
}

/// A parameter's values in the type of `x`.
pub(super) fn like(parameter: &Tensor, x: &Tensor) -> Result<Tensor> {
    parameter.detach().to_dtype(x.dtype())
}
