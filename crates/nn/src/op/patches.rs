//! The patches a dense convolution sees, as rows of a matrix.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::geometry::Geometry;
use super::portable;
use crate::cpu::{contiguous, has_kernel, vectorized};
use crate::tape::Tape;

/// Unfolds rows of pixels so that a dense convolution is `patches · filtersᵀ`, with [`filter_rows`].
///
/// # Shapes
/// - `x`: `[batch · height · width, channels]`
/// - returns: `[batch · out_height · out_width, kernel · kernel · channels]`, zeros for padding
/// # Errors
/// When `x` has not the rows `geometry` states.
pub fn patches(tape: &mut Tape, x: &Tensor, geometry: Geometry) -> Result<Tensor> {
    if !has_kernel(x) {
        return portable::patches(tape, x, geometry);
    }
    tape.apply1(x, Patches { geometry })
}

/// Filters `[out, channels, kernel, kernel]` in the order of the columns of [`patches`]:
/// `[out, kernel · kernel · channels]`.
///
/// # Errors
/// When `weight` has other than four axes.
pub fn filter_rows(tape: &mut Tape, weight: &Tensor) -> Result<Tensor> {
    let (out, channels, height, width) = weight.dims4()?;
    let rows = weight.detach().permute((0, 2, 3, 1))?.contiguous()?.reshape((out, ()))?;
    tape.record(&[weight], &rows, move |gradient, _| {
        let gradient = gradient.reshape((out, height, width, channels))?;
        Ok(vec![Some(gradient.permute((0, 3, 1, 2))?.contiguous()?)])
    });
    Ok(rows)
}

struct Patches {
    geometry: Geometry,
}

impl CustomOp1 for Patches {
    fn name(&self) -> &'static str {
        "patches"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let g = self.geometry;
        let (rows, channels) = layout.shape().dims2()?;
        let x = contiguous(storage, layout)?;
        if rows != g.batch * g.height * g.width {
            bail!("patches of {rows} pixels with {g:?}");
        }
        let (out_height, out_width) = (g.out_height(), g.out_width());
        let (pad_y, pad_x) = g.pad_before();
        let columns = g.kernel * g.kernel * channels;
        let mut y = vec![0.0_f32; g.batch * out_height * out_width * columns];
        y.par_chunks_mut(out_width * columns).enumerate().for_each(|(line, y)| {
            let (image, oy) = (line / out_height, line % out_height);
            let (taps_y, top) = g.taps(oy, pad_y, g.height);
            for (ox, y) in y.chunks_exact_mut(columns).enumerate() {
                let (taps_x, left) = g.taps(ox, pad_x, g.width);
                let len = taps_x.len() * channels;
                for (down, ky) in taps_y.clone().enumerate() {
                    let from = ((image * g.height + top + down) * g.width + left) * channels;
                    let to = (ky * g.kernel + taps_x.start) * channels;
                    y[to..to + len].copy_from_slice(&x[from..from + len]);
                }
            }
        });
        Ok((CpuStorage::F32(y), Shape::from((g.batch * out_height * out_width, columns))))
    }

    fn bwd(&self, _arg: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let op = PatchesBackward { geometry: self.geometry };
        Ok(Some(grad.contiguous()?.apply_op1_no_bwd(&op)?))
    }
}

/// Every pixel collects the gradients of its copies.
struct PatchesBackward {
    geometry: Geometry,
}

impl CustomOp1 for PatchesBackward {
    fn name(&self) -> &'static str {
        "patches-backward"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let g = self.geometry;
        let (_, columns) = layout.shape().dims2()?;
        let grad = contiguous(storage, layout)?;
        let channels = columns / (g.kernel * g.kernel);
        let (out_height, out_width) = (g.out_height(), g.out_width());
        let (pad_y, pad_x) = g.pad_before();
        let mut dx = vec![0.0_f32; g.batch * g.height * g.width * channels];
        dx.par_chunks_mut(g.width * channels).enumerate().for_each(|(line, dx)| {
            let (image, iy) = (line / g.height, line % g.height);
            vectorized(|| {
                for ky in 0..g.kernel.min(iy + pad_y + 1) {
                    let start = iy + pad_y - ky;
                    let oy = start / g.stride;
                    if start % g.stride != 0 || oy >= out_height {
                        continue;
                    }
                    for ox in 0..out_width {
                        let (taps_x, left) = g.taps(ox, pad_x, g.width);
                        let len = taps_x.len() * channels;
                        let row = ((image * out_height + oy) * out_width + ox) * columns;
                        let from = row + (ky * g.kernel + taps_x.start) * channels;
                        let to = left * channels;
                        for (dx, grad) in dx[to..to + len].iter_mut().zip(&grad[from..from + len]) {
                            *dx += grad;
                        }
                    }
                }
            });
        });
        Ok((CpuStorage::F32(dx), Shape::from((g.batch * g.height * g.width, channels))))
    }
}
