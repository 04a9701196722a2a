//! Depthwise convolution over pixel rows.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::geometry::Geometry;
use super::side::{SideOutput, sum_rows};
use super::simd::vectorised;
use super::storage::contiguous;

/// Channels handled together, one AVX-512 register.
const LANES: usize = 16;

/// Convolves each channel with a kernel of its own.
///
/// # Shapes
/// - `x`: `[batch · height · width, channels]`
/// - `weight`: `[channels, 1, kernel, kernel]`
/// - returns: `[batch · out_height · out_width, channels]`
/// # Errors
/// When the shapes disagree or a tensor is not contiguous `f32` on the CPU.
pub fn depthwise_conv(x: &Tensor, weight: &Tensor, geometry: Geometry) -> Result<Tensor> {
    x.apply_op2(weight, Depthwise { geometry })
}

struct Depthwise {
    geometry: Geometry,
}

impl Depthwise {
    fn check(&self, x: &Layout, weight: &Layout) -> Result<usize> {
        let g = &self.geometry;
        let (rows, channels) = x.shape().dims2()?;
        if weight.dims() != [channels, 1, g.kernel, g.kernel] || rows != g.batch * g.height * g.width {
            bail!("depthwise convolution of {:?} by {:?} with {g:?}", x.dims(), weight.dims());
        }
        Ok(channels)
    }
}

impl CustomOp2 for Depthwise {
    fn name(&self) -> &'static str {
        "depthwise-conv"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let channels = self.check(l1, l2)?;
        let g = self.geometry;
        let x = contiguous(s1, l1)?;
        let taps = taps_first(contiguous(s2, l2)?, channels);
        let (out_height, out_width) = (g.out_height(), g.out_width());
        let (pad_y, pad_x) = g.pad_before();
        let mut y = vec![0.0_f32; g.batch * out_height * out_width * channels];
        y.par_chunks_mut(out_width * channels).enumerate().for_each(|(row, y)| {
            let (image, oy) = (row / out_height, row % out_height);
            let x = &x[image * g.height * g.width * channels..][..g.height * g.width * channels];
            vectorised(|| {
                for (ox, y) in y.chunks_exact_mut(channels).enumerate() {
                    for ky in 0..g.kernel {
                        let Some(iy) = Geometry::input(oy, ky, g.stride, pad_y, g.height) else { continue };
                        for kx in 0..g.kernel {
                            let Some(ix) = Geometry::input(ox, kx, g.stride, pad_x, g.width) else {
                                continue;
                            };
                            let x = &x[(iy * g.width + ix) * channels..][..channels];
                            let w = &taps[(ky * g.kernel + kx) * channels..][..channels];
                            multiply_add(y, x, w);
                        }
                    }
                }
            });
        });
        Ok((CpuStorage::F32(y), Shape::from((g.batch * out_height * out_width, channels))))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let channels = weight.dim(0)?;
        let op = DepthwiseBackward {
            geometry: self.geometry,
            taps: taps_first(&weight.flatten_all()?.to_vec1::<f32>()?, channels),
            dtaps: SideOutput::default(),
        };
        let dx = x.apply_op2_no_bwd(&grad.contiguous()?, &op)?;
        let dtaps = op.dtaps.take();
        let k = self.geometry.kernel;
        let dweight = Tensor::from_vec(dtaps, (k * k, channels), x.device())?
            .t()?
            .contiguous()?
            .reshape((channels, 1, k, k))?;
        Ok((Some(dx), Some(dweight)))
    }
}

struct DepthwiseBackward {
    geometry: Geometry,
    /// `[kernel², channels]`.
    taps: Vec<f32>,
    /// Gradient of the taps, left here by the pass over the images.
    dtaps: SideOutput<Vec<f32>>,
}

impl CustomOp2 for DepthwiseBackward {
    fn name(&self) -> &'static str {
        "depthwise-conv-backward"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let g = self.geometry;
        let (_, channels) = l1.shape().dims2()?;
        let (x, grad) = (contiguous(s1, l1)?, contiguous(s2, l2)?);
        let (out_height, out_width) = (g.out_height(), g.out_width());
        let (pad_y, pad_x) = g.pad_before();
        let mut dx = vec![0.0_f32; x.len()];
        let in_len = g.height * g.width * channels;
        let out_len = out_height * out_width * channels;
        let dtaps: Vec<Vec<f32>> = dx
            .par_chunks_mut(in_len)
            .zip(x.par_chunks(in_len))
            .zip(grad.par_chunks(out_len))
            .map(|((dx, x), grad)| {
                vectorised(|| {
                    let mut dtaps = vec![0.0_f32; self.taps.len()];
                    for (at, grad) in grad.chunks_exact(channels).enumerate() {
                        let (oy, ox) = (at / out_width, at % out_width);
                        for ky in 0..g.kernel {
                            let Some(iy) = Geometry::input(oy, ky, g.stride, pad_y, g.height) else {
                                continue;
                            };
                            for kx in 0..g.kernel {
                                let Some(ix) = Geometry::input(ox, kx, g.stride, pad_x, g.width) else {
                                    continue;
                                };
                                let tap = (ky * g.kernel + kx) * channels;
                                let pixel = (iy * g.width + ix) * channels;
                                multiply_add(
                                    &mut dx[pixel..][..channels],
                                    grad,
                                    &self.taps[tap..][..channels],
                                );
                                multiply_add(&mut dtaps[tap..][..channels], grad, &x[pixel..][..channels]);
                            }
                        }
                    }
                    dtaps
                })
            })
            .collect();
        self.dtaps.put(sum_rows(dtaps.iter(), self.taps.len()));
        Ok((CpuStorage::F32(dx), l1.shape().clone()))
    }
}

/// `acc += a · b`, in blocks the compiler keeps in registers.
#[inline(always)]
#[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
fn multiply_add(acc: &mut [f32], a: &[f32], b: &[f32]) {
    let (acc_blocks, acc_rest) = acc.as_chunks_mut::<LANES>();
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for ((acc, a), b) in acc_blocks.iter_mut().zip(a_blocks).zip(b_blocks) {
        for i in 0..LANES {
            acc[i] += a[i] * b[i];
        }
    }
    for ((acc, a), b) in acc_rest.iter_mut().zip(a_rest).zip(b_rest) {
        *acc += a * b;
    }
}

/// `[channels, 1, k, k]` to `[k², channels]`, so that a tap's weights are contiguous over channels.
fn taps_first(weight: &[f32], channels: usize) -> Vec<f32> {
    let taps = weight.len() / channels.max(1);
    let mut out = vec![0.0; weight.len()];
    for (c, kernel) in weight.chunks_exact(taps.max(1)).enumerate() {
        for (t, w) in kernel.iter().enumerate() {
            out[t * channels + c] = *w;
        }
    }
    out
}
