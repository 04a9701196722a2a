//! The patches a dense convolution sees, as rows of a matrix.

use candle_core::{Result, Tensor, bail};
use rayon::prelude::*;

use super::depthwise::Geometry;

/// Unfolds pixels so that a dense convolution is `patches · weightᵀ`; constant for the gradient.
///
/// # Shapes
/// - `pixels`: `[batch, channels, height, width]`, row-major
/// - returns: `[batch · out_height · out_width, channels · kernel²]`, columns ordered as a flattened
///   `[channels, kernel, kernel]` filter
/// # Errors
/// When `pixels` does not have the size `geometry` states.
pub fn patches(pixels: &Tensor, geometry: Geometry) -> Result<Tensor> {
    let (batch, channels, height, width) = pixels.dims4()?;
    let g = geometry;
    if (batch, height, width) != (g.batch, g.height, g.width) {
        bail!("patches of {:?} with {g:?}", pixels.dims());
    }
    let x: Vec<f32> = pixels.detach().flatten_all()?.to_vec1()?;
    let (out_height, out_width) = (g.out_height(), g.out_width());
    let (pad_y, pad_x) = g.pad_before();
    let columns = channels * g.kernel * g.kernel;
    let mut rows = vec![0.0_f32; batch * out_height * out_width * columns];
    rows.par_chunks_mut(out_width * columns).enumerate().for_each(|(line, rows)| {
        let (image, oy) = (line / out_height, line % out_height);
        for (ox, row) in rows.chunks_exact_mut(columns).enumerate() {
            for c in 0..channels {
                let plane = &x[(image * channels + c) * height * width..][..height * width];
                for ky in 0..g.kernel {
                    let Some(iy) = Geometry::input(oy, ky, g.stride, pad_y, height) else { continue };
                    for kx in 0..g.kernel {
                        let Some(ix) = Geometry::input(ox, kx, g.stride, pad_x, width) else { continue };
                        row[(c * g.kernel + ky) * g.kernel + kx] = plane[iy * width + ix];
                    }
                }
            }
        }
    });
    Tensor::from_vec(rows, (batch * out_height * out_width, columns), pixels.device())
}
