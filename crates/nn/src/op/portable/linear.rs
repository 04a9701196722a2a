//! What follows a matrix product.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use candle_core::{Result, Tensor};

use super::cast::{like, wide};

/// Every row of `y` with `bias` added.
pub(in crate::op) fn with_bias(y: &Tensor, bias: &Tensor) -> Result<Tensor> {
    y.broadcast_add(&like(bias, y)?)
}

/// `[rows, width]` to `[width]`.
pub(in crate::op) fn column_sums(x: &Tensor) -> Result<Tensor> {
    wide(x)?.sum(0)
}

/// `z·Φ(z)` of `z = x + bias`.
pub(in crate::op) fn gelu(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    with_bias(&wide(x)?, bias)?.gelu_erf()?.to_dtype(x.dtype())
}

/// Gradients of `x` and `bias`.
pub(in crate::op) fn gelu_backward(x: &Tensor, bias: &Tensor, gradient: &Tensor) -> Result<(Tensor, Tensor)> {
    let z = with_bias(&wide(x)?, bias)?;
    let cdf = ((&z * FRAC_1_SQRT_2)?.erf()? * 0.5)?.affine(1.0, 0.5)?;
    let density = ((z.sqr()? * -0.5)?.exp()? * (2.0 * PI).sqrt().recip())?;
    let slope = (cdf + (z * density)?)?;
    let dx = (slope * wide(gradient)?)?;
    Ok((dx.to_dtype(x.dtype())?, column_sums(&dx)?.to_dtype(bias.dtype())?))
}
