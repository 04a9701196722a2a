//! Normalizations of layers and of batches.

use candle_core::{DType, Result, Tensor, bail};

use super::cast::{like, wide};
use crate::op::batch_norm::mode::{BatchNormMode, Rectifier};
use crate::op::batch_norm::statistics::BatchStatistics;
use crate::tape::Tape;

/// [`layer_norm`](crate::op::layer_norm()).
pub(in crate::op) fn layer_norm(
    tape: &mut Tape,
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
) -> Result<Tensor> {
    let kept = x.detach();
    let values = wide(&kept)?;
    let (scale, shift) = (like(weight, &values)?, like(bias, &values)?);
    let y = standardized(&values, eps)?.0.broadcast_mul(&scale)?.broadcast_add(&shift)?;
    let y = y.to_dtype(x.dtype())?;
    let parameter = weight.dtype();
    tape.record(&[x, weight, bias], &y, move |gradient, _| {
        let (normed, inv_std) = standardized(&wide(&kept)?, eps)?;
        let gradient = wide(&gradient)?;
        let dweight = (&gradient * &normed)?.sum(0)?.to_dtype(parameter)?;
        let dbias = gradient.sum(0)?.to_dtype(parameter)?;
        let scaled = gradient.broadcast_mul(&scale)?;
        let slope = (&scaled * &normed)?.mean_keepdim(1)?;
        let dx = scaled.broadcast_sub(&scaled.mean_keepdim(1)?)? - normed.broadcast_mul(&slope)?;
        let dx = dx?.broadcast_mul(&inv_std)?.to_dtype(kept.dtype())?;
        Ok(vec![Some(dx), Some(dweight), Some(dbias)])
    });
    Ok(y)
}

/// Each row less its mean over its standard deviation, and one over that, `[rows, 1]`.
fn standardized(x: &Tensor, eps: f64) -> Result<(Tensor, Tensor)> {
    let centered = x.broadcast_sub(&x.mean_keepdim(1)?)?;
    let inv_std = (centered.sqr()?.mean_keepdim(1)? + eps)?.sqrt()?.recip()?;
    Ok((centered.broadcast_mul(&inv_std)?, inv_std))
}

/// [`batch_norm`](crate::op::batch_norm()).
pub(in crate::op) fn batch_norm(
    tape: &mut Tape,
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
    mode: &BatchNormMode,
    rectifier: Rectifier,
) -> Result<(Tensor, BatchStatistics)> {
    let (rows, channels) = x.dims2()?;
    if rows == 0 || weight.dims() != [channels] || bias.dims() != [channels] {
        bail!(
            "batch norm of {rows}×{channels} with {:?} weights and {:?} biases",
            weight.dims(),
            bias.dims()
        );
    }
    let kept = x.detach();
    let values = wide(&kept)?;
    let (mean, variance) = match mode {
        BatchNormMode::Batch => {
            let mean = values.mean(0)?;
            let variance = values.broadcast_sub(&mean)?.sqr()?.mean(0)?;
            (mean, variance)
        }
        BatchNormMode::Fixed(BatchStatistics { mean, variance }) => {
            let row = |row: &[f32]| Tensor::from_slice(row, channels, x.device())?.to_dtype(values.dtype());
            (row(mean)?, row(variance)?)
        }
    };
    let inv_std = (&variance + eps)?.sqrt()?.recip()?;
    let (scale, shift) = (like(weight, &values)?, like(bias, &values)?);
    let normed = values.broadcast_sub(&mean)?.broadcast_mul(&inv_std)?;
    let y = normed.broadcast_mul(&scale)?.broadcast_add(&shift)?;
    let y = match rectifier {
        Rectifier::None => y,
        Rectifier::Relu => y.relu()?,
        Rectifier::Relu6 => y.clamp(0.0, 6.0)?,
    };
    let y = y.to_dtype(x.dtype())?;

    let host = |row: &Tensor| row.to_dtype(DType::F32)?.to_vec1();
    let statistics = BatchStatistics { mean: host(&mean)?, variance: host(&variance)? };
    let (parameter, through_statistics) = (weight.dtype(), matches!(mode, BatchNormMode::Batch));
    tape.record(&[x, weight, bias], &y, move |gradient, _| {
        let normed = wide(&kept)?.broadcast_sub(&mean)?.broadcast_mul(&inv_std)?;
        let z = normed.broadcast_mul(&scale)?.broadcast_add(&shift)?;
        let gradient = gated(wide(&gradient)?, &z, rectifier)?;
        let dweight = (&gradient * &normed)?.sum(0)?;
        let dbias = gradient.sum(0)?;
        let mut dx = gradient;
        if through_statistics {
            let count = rows as f64;
            dx = dx.broadcast_sub(&(&dbias / count)?)?;
            dx = (dx - normed.broadcast_mul(&(&dweight / count)?)?)?;
        }
        let dx = dx.broadcast_mul(&(&scale * &inv_std)?)?.to_dtype(kept.dtype())?;
        Ok(vec![Some(dx), Some(dweight.to_dtype(parameter)?), Some(dbias.to_dtype(parameter)?)])
    });
    Ok((y, statistics))
}

/// The gradient where the rectifier of `z` lets it through.
fn gated(gradient: Tensor, z: &Tensor, rectifier: Rectifier) -> Result<Tensor> {
    let open = match rectifier {
        Rectifier::None => return Ok(gradient),
        Rectifier::Relu => z.gt(0.0)?,
        Rectifier::Relu6 => (z.gt(0.0)? * z.lt(6.0)?)?,
    };
    gradient * open.to_dtype(z.dtype())?
}
