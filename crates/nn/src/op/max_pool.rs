//! Maximum over windows of pixel rows.

use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::geometry::Geometry;
use super::portable;
use crate::cpu::{contiguous, has_kernel, vectorized};
use crate::tape::Tape;

/// The largest value of each channel under the kernel, padding left out.
///
/// # Shapes
/// - `x`: `[batch · height · width, channels]`
/// - returns: `[batch · out_height · out_width, channels]`
/// # Errors
/// When `x` has not the rows `geometry` states.
/// # Source
/// `torch.nn.functional.max_pool2d`; the gradient goes to the first of equal values in raster order.
pub fn max_pool(tape: &mut Tape, x: &Tensor, geometry: Geometry) -> Result<Tensor> {
    if !has_kernel(x) {
        return portable::max_pool(tape, x, geometry);
    }
    tape.apply1(x, MaxPool { geometry })
}

struct MaxPool {
    geometry: Geometry,
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max-pool"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let g = self.geometry;
        let (rows, channels) = layout.shape().dims2()?;
        let x = contiguous(storage, layout)?;
        if rows != g.batch * g.height * g.width {
            bail!("pooling of {rows} pixels with {g:?}");
        }
        let (out_height, out_width) = (g.out_height(), g.out_width());
        let mut y = vec![f32::NEG_INFINITY; g.batch * out_height * out_width * channels];
        y.par_chunks_mut(out_width * channels).enumerate().for_each(|(line, y)| {
            let (image, oy) = (line / out_height, line % out_height);
            vectorized(|| {
                for (ox, y) in y.chunks_exact_mut(channels).enumerate() {
                    for pixel in pixels_under(&g, image, oy, ox) {
                        for (y, x) in y.iter_mut().zip(&x[pixel * channels..][..channels]) {
                            // Unlike `max`, this keeps not-a-number.
                            *y = if *x > *y || x.is_nan() { *x } else { *y };
                        }
                    }
                }
            });
        });
        Ok((CpuStorage::F32(y), Shape::from((g.batch * out_height * out_width, channels))))
    }

    fn bwd(&self, arg: &Tensor, res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let op = MaxPoolBackward { geometry: self.geometry };
        Ok(Some(arg.apply_op3_no_bwd(res, &grad.contiguous()?, &op)?))
    }
}

/// From input, output and the output's gradient, the input's.
struct MaxPoolBackward {
    geometry: Geometry,
}

impl CustomOp3 for MaxPoolBackward {
    fn name(&self) -> &'static str {
        "max-pool-backward"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let g = self.geometry;
        let (_, channels) = l1.shape().dims2()?;
        let (x, y, grad) = (contiguous(s1, l1)?, contiguous(s2, l2)?, contiguous(s3, l3)?);
        let (out_height, out_width) = (g.out_height(), g.out_width());
        let image_len = g.height * g.width * channels;
        let mut dx = vec![0.0_f32; x.len()];
        dx.par_chunks_mut(image_len).enumerate().for_each(|(image, dx)| {
            vectorized(|| {
                let mut rest = vec![0.0_f32; channels];
                for out in 0..out_height * out_width {
                    let at = (image * out_height * out_width + out) * channels;
                    let y = &y[at..][..channels];
                    rest.copy_from_slice(&grad[at..][..channels]);
                    for pixel in pixels_under(&g, image, out / out_width, out % out_width) {
                        let x = &x[pixel * channels..][..channels];
                        let dx = &mut dx[pixel * channels - image * image_len..][..channels];
                        for c in 0..channels {
                            let taken = if x[c] == y[c] { rest[c] } else { 0.0 };
                            dx[c] += taken;
                            rest[c] -= taken;
                        }
                    }
                }
            });
        });
        Ok((CpuStorage::F32(dx), l1.shape().clone()))
    }
}

/// Rows of the input that an output sees, in raster order.
#[inline]
fn pixels_under(g: &Geometry, image: usize, oy: usize, ox: usize) -> impl Iterator<Item = usize> {
    let (pad_y, pad_x) = g.pad_before();
    let (taps_y, top) = g.taps(oy, pad_y, g.height);
    let (taps_x, left) = g.taps(ox, pad_x, g.width);
    let (height, width) = (g.height, g.width);
    (0..taps_y.len()).flat_map(move |down| {
        let first = (image * height + top + down) * width + left;
        first..first + taps_x.len()
    })
}
