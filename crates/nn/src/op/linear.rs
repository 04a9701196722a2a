//! Dense layers: a matrix product with what follows it.

use candle_core::{
    CpuStorage, CustomOp1, DType, InplaceOp2, InplaceOp3, Layout, Result, Shape, Tensor, bail,
};
use rayon::prelude::*;

use super::gelu::{gelu, gelu_backward};
use super::portable;
use crate::cpu::{contiguous, contiguous_mut, has_kernel, sum_rows, vectorized};
use crate::tape::Tape;

/// Rows handled together.
const CHUNK_ROWS: usize = 32;

/// `x · weightᵀ`.
///
/// # Shapes
/// - `x`: `[rows, input]`
/// - `weight`: `[out, input]`
/// - returns: `[rows, out]`
/// # Errors
/// When the widths differ.
pub fn product(tape: &mut Tape, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let (x_values, weight_values) = (x.detach(), weight.detach().to_dtype(x.dtype())?);
    let y = x_values.matmul(&weight_values.t()?)?;
    tape.record(&[x, weight], &y, move |gradient, needed| {
        product_backward(&x_values, &weight_values, &gradient, needed)
    });
    Ok(y)
}

/// `x · weightᵀ + bias`.
///
/// # Shapes
/// - `x`: `[rows, input]`
/// - `weight`: `[out, input]`
/// - `bias`: `[out]`
/// - returns: `[rows, out]`
/// # Errors
/// When the widths differ.
pub fn linear(tape: &mut Tape, x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (x_values, weight_values) = (x.detach(), weight.detach().to_dtype(x.dtype())?);
    let y = with_bias(x_values.matmul(&weight_values.t()?)?, &bias.detach())?;
    tape.record(&[x, weight, bias], &y, move |gradient, needed| {
        let mut found = product_backward(&x_values, &weight_values, &gradient, needed)?;
        found.push(column_sums(&gradient, needed[2])?);
        Ok(found)
    });
    Ok(y)
}

/// `x · weightᵀ + bias + shortcut`.
///
/// # Shapes
/// - `shortcut`: `[rows, out]`, the rest as [`linear`]
/// # Errors
/// As [`linear`].
pub fn linear_add(
    tape: &mut Tape,
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    shortcut: &Tensor,
) -> Result<Tensor> {
    let (x_values, weight_values) = (x.detach(), weight.detach().to_dtype(x.dtype())?);
    let y = x_values.matmul(&weight_values.t()?)?;
    if y.shape() != shortcut.shape() {
        bail!("shortcut of {:?} for {:?}", shortcut.dims(), y.dims());
    }
    let y = if has_kernel(&y) {
        y.inplace_op3(&bias.detach(), &shortcut.detach(), &AddBiasAndShortcut)?;
        y
    } else {
        (portable::with_bias(&y, bias)? + shortcut.detach())?
    };
    tape.record(&[x, weight, bias, shortcut], &y, move |gradient, needed| {
        let mut found = product_backward(&x_values, &weight_values, &gradient, needed)?;
        found.push(column_sums(&gradient, needed[2])?);
        found.push(Some(gradient));
        Ok(found)
    });
    Ok(y)
}

/// `gelu(x · weightᵀ + bias)` with the exact Gaussian error linear unit, x·Φ(x) (Hendrycks and Gimpel 2016).
///
/// # Shapes
/// As [`linear`].
/// # Errors
/// As [`linear`].
pub fn linear_gelu(tape: &mut Tape, x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (x_values, weight_values) = (x.detach(), weight.detach().to_dtype(x.dtype())?);
    let bias_values = bias.detach();
    let inner = x_values.matmul(&weight_values.t()?)?;
    let y = gelu(&inner, &bias_values)?;
    tape.record(&[x, weight, bias], &y, move |gradient, needed| {
        let (gradient, bias) = gelu_backward(&inner, &bias_values, &gradient)?;
        drop(inner);
        let mut found = product_backward(&x_values, &weight_values, &gradient, needed)?;
        found.push(Some(bias));
        Ok(found)
    });
    Ok(y)
}

/// Three [`linear`] layers of one input, side by side: `[rows, 3 · out]`.
///
/// # Errors
/// As [`linear`], or when the layers differ in size.
pub fn linear3(tape: &mut Tape, x: &Tensor, weights: [&Tensor; 3], biases: [&Tensor; 3]) -> Result<Tensor> {
    let x_values = x.detach();
    let weight = Tensor::cat(&weights.map(Tensor::detach), 0)?.to_dtype(x.dtype())?;
    let bias = Tensor::cat(&biases.map(Tensor::detach), 0)?;
    let y = with_bias(x_values.matmul(&weight.t()?)?, &bias)?;
    let inputs = [x, weights[0], weights[1], weights[2], biases[0], biases[1], biases[2]];
    let out = bias.dim(0)? / 3;
    tape.record(&inputs, &y, move |gradient, needed| {
        let weights_needed = needed[1..4].iter().any(|needed| *needed);
        let product = product_backward(&x_values, &weight, &gradient, &[needed[0], weights_needed])?;
        let bias = column_sums(&gradient, needed[4..].iter().any(|needed| *needed))?;
        let mut found = vec![product[0].clone()];
        for whole in [&product[1], &bias] {
            for part in 0..3 {
                found.push(whole.as_ref().map(|whole| whole.narrow(0, part * out, out)).transpose()?);
            }
        }
        Ok(found)
    });
    Ok(y)
}

/// Gradients of `x` and of `weight` where they are needed.
fn product_backward(
    x: &Tensor,
    weight: &Tensor,
    gradient: &Tensor,
    needed: &[bool],
) -> Result<Vec<Option<Tensor>>> {
    // Parameters are `f32`, whatever passes through.
    let by_weight = || gradient.t()?.matmul(x)?.to_dtype(DType::F32); // (out, rows) · (rows, input)
    let weight_gradient = needed[1].then(by_weight).transpose()?;
    let x_gradient = needed[0].then(|| gradient.matmul(weight)).transpose()?; // (rows, out) · (out, input)
    Ok(vec![x_gradient, weight_gradient])
}

fn column_sums(gradient: &Tensor, needed: bool) -> Result<Option<Tensor>> {
    let sums = || {
        if has_kernel(gradient) {
            gradient.apply_op1_no_bwd(&ColumnSums)
        } else {
            portable::column_sums(gradient)?.to_dtype(DType::F32)
        }
    };
    needed.then(sums).transpose()
}

/// `bias` added to every row of a product that nothing else holds.
fn with_bias(y: Tensor, bias: &Tensor) -> Result<Tensor> {
    if !has_kernel(&y) {
        return portable::with_bias(&y, bias);
    }
    y.inplace_op2(bias, &AddBias)?;
    Ok(y)
}

pub(super) struct AddBias;

impl InplaceOp2 for AddBias {
    fn name(&self) -> &'static str {
        "add-bias"
    }

    fn cpu_fwd(&self, s1: &mut CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<()> {
        let width = width(l1, l2)?;
        let (y, bias) = (contiguous_mut(s1, l1)?, contiguous(s2, l2)?);
        y.par_chunks_mut(CHUNK_ROWS * width).for_each(|y| {
            vectorized(|| {
                for y in y.chunks_exact_mut(width) {
                    for (y, b) in y.iter_mut().zip(bias) {
                        *y += b;
                    }
                }
            });
        });
        Ok(())
    }
}

struct AddBiasAndShortcut;

impl InplaceOp3 for AddBiasAndShortcut {
    fn name(&self) -> &'static str {
        "add-bias-and-shortcut"
    }

    fn cpu_fwd(
        &self,
        s1: &mut CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<()> {
        let width = width(l1, l2)?;
        let (y, bias, shortcut) = (contiguous_mut(s1, l1)?, contiguous(s2, l2)?, contiguous(s3, l3)?);
        let chunk = CHUNK_ROWS * width;
        y.par_chunks_mut(chunk).zip(shortcut.par_chunks(chunk)).for_each(|(y, shortcut)| {
            vectorized(|| {
                for (y, shortcut) in y.chunks_exact_mut(width).zip(shortcut.chunks_exact(width)) {
                    for ((y, s), b) in y.iter_mut().zip(shortcut).zip(bias) {
                        *y += s + b;
                    }
                }
            });
        });
        Ok(())
    }
}

fn width(rows: &Layout, bias: &Layout) -> Result<usize> {
    let (_, width) = rows.shape().dims2()?;
    if width == 0 || bias.dims() != [width] {
        bail!("bias of {:?} for rows of {width}", bias.dims());
    }
    Ok(width)
}

/// `[rows, width]` to `[width]`.
pub(super) struct ColumnSums;

impl CustomOp1 for ColumnSums {
    fn name(&self) -> &'static str {
        "column-sums"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, width) = layout.shape().dims2()?;
        let x = contiguous(storage, layout)?;
        let partial: Vec<Vec<f32>> = x
            .par_chunks(CHUNK_ROWS * width)
            .map(|x| {
                vectorized(|| {
                    let mut sum = vec![0.0_f32; width];
                    for x in x.chunks_exact(width) {
                        for (s, x) in sum.iter_mut().zip(x) {
                            *s += x;
                        }
                    }
                    sum
                })
            })
            .collect();
        Ok((CpuStorage::F32(sum_rows(partial.iter(), width)), Shape::from(width)))
    }
}
