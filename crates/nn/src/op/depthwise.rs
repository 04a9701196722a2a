//! Depthwise convolution over pixel rows.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::geometry::Geometry;
use super::portable;
use crate::cpu::{SideOutput, contiguous, has_kernel, kernel, sum_rows};
use crate::tape::Tape;

/// Channels handled together, one AVX-512 register.
const LANES: usize = 16;

/// Convolves each channel with a kernel of its own.
///
/// # Shapes
/// - `x`: `[batch · height · width, channels]`
/// - `weight`: `[channels, 1, kernel, kernel]`
/// - returns: `[batch · out_height · out_width, channels]`
/// # Errors
/// When the shapes disagree.
pub fn depthwise_conv(tape: &mut Tape, x: &Tensor, weight: &Tensor, geometry: Geometry) -> Result<Tensor> {
    if !has_kernel(x) {
        return portable::depthwise_conv(tape, x, weight, geometry);
    }
    tape.apply2(x, weight, Depthwise { geometry })
}

pub(super) struct Depthwise {
    pub(super) geometry: Geometry,
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
            let (taps_y, top) = g.taps(oy, pad_y, g.height);
            let mut pairs = Vec::with_capacity(g.kernel * g.kernel);
            for (ox, y) in y.chunks_exact_mut(channels).enumerate() {
                let (taps_x, left) = g.taps(ox, pad_x, g.width);
                pairs.clear();
                for (down, ky) in taps_y.clone().enumerate() {
                    for (right, kx) in taps_x.clone().enumerate() {
                        let pixel = (top + down) * g.width + left + right;
                        pairs.push([pixel * channels, (ky * g.kernel + kx) * channels]);
                    }
                }
                let (pairs, taps) = (pairs.as_slice(), taps.as_slice());
                kernel!(|y: &'a mut [f32], x: &'a [f32], taps: &'a [f32], pairs: &'a [[usize; 2]]| -> () {
                    weighted_sum(y, x, taps, pairs);
                });
            }
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
                let mut pairs = Vec::with_capacity(g.kernel * g.kernel);
                for (at, dx) in dx.chunks_exact_mut(channels).enumerate() {
                    let (iy, ix) = (at / g.width, at % g.width);
                    pairs.clear();
                    for (oy, ky) in outputs(iy, pad_y, &g, out_height) {
                        for (ox, kx) in outputs(ix, pad_x, &g, out_width) {
                            let out = oy * out_width + ox;
                            pairs.push([out * channels, (ky * g.kernel + kx) * channels]);
                        }
                    }
                    let (pairs, taps) = (pairs.as_slice(), self.taps.as_slice());
                    kernel!(|dx: &'a mut [f32],
                             grad: &'a [f32],
                             taps: &'a [f32],
                             pairs: &'a [[usize; 2]]|
                     -> () {
                        weighted_sum(dx, grad, taps, pairs);
                    });
                }
                let mut dtaps = vec![0.0_f32; self.taps.len()];
                for (oy, grad) in grad.chunks_exact(out_width * channels).enumerate() {
                    let (taps_y, top) = g.taps(oy, pad_y, g.height);
                    for (down, ky) in taps_y.enumerate() {
                        for kx in 0..g.kernel {
                            let Some((first, count)) = inside(kx, pad_x, &g, out_width) else { continue };
                            let left = (first * g.stride + kx).saturating_sub(pad_x);
                            let x = &x[((top + down) * g.width + left) * channels..];
                            let grad = &grad[first * channels..];
                            let sums = &mut dtaps[(ky * g.kernel + kx) * channels..][..channels];
                            let steps = [channels, g.stride * channels];
                            kernel!(|sums: &'a mut [f32],
                                     grad: &'a [f32],
                                     x: &'a [f32],
                                     steps: [usize; 2],
                                     count: usize|
                             -> () {
                                products_along(sums, grad, x, steps, count);
                            });
                        }
                    }
                }
                dtaps
            })
            .collect();
        self.dtaps.put(sum_rows(dtaps.iter(), self.taps.len()));
        Ok((CpuStorage::F32(dx), l1.shape().clone()))
    }
}

/// Outputs that see input position `at`, each with the tap it sees it through.
fn outputs(at: usize, pad: usize, g: &Geometry, count: usize) -> impl Iterator<Item = (usize, usize)> {
    let (kernel, stride) = (g.kernel, g.stride);
    (0..kernel.min(at + pad + 1)).filter_map(move |tap| {
        let start = at + pad - tap;
        let out = start / stride;
        (start.is_multiple_of(stride) && out < count).then_some((out, tap))
    })
}

/// The first of the outputs of a line whose tap `tap` falls on the image, and how many there are.
fn inside(tap: usize, pad: usize, g: &Geometry, count: usize) -> Option<(usize, usize)> {
    let first = pad.saturating_sub(tap).div_ceil(g.stride);
    let end = (g.width + pad).checked_sub(tap + 1)? / g.stride + 1;
    let length = end.min(count).checked_sub(first)?;
    (length > 0).then_some((first, length))
}

/// `y = Σ values · weights` over pairs of places in `values` and `weights`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
fn weighted_sum(y: &mut [f32], values: &[f32], weights: &[f32], pairs: &[[usize; 2]]) {
    let (blocks, rest) = y.as_chunks_mut::<LANES>();
    let whole = blocks.len() * LANES;
    for (index, block) in blocks.iter_mut().enumerate() {
        // In registers until every pair is in it.
        let mut sum = [0.0_f32; LANES];
        for [value, weight] in pairs {
            let (Some(value), Some(weight)) = (
                values[value + index * LANES..].first_chunk::<LANES>(),
                weights[weight + index * LANES..].first_chunk::<LANES>(),
            ) else {
                continue;
            };
            for lane in 0..LANES {
                sum[lane] = value[lane].mul_add(weight[lane], sum[lane]);
            }
        }
        *block = sum;
    }
    for (index, y) in rest.iter_mut().enumerate() {
        let at = whole + index;
        *y = pairs.iter().map(|[value, weight]| values[value + at] * weights[weight + at]).sum();
    }
}

/// `sums += Σ a · b` over `count` pixels, `steps` apart.
#[inline(always)]
#[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
fn products_along(sums: &mut [f32], a: &[f32], b: &[f32], [a_step, b_step]: [usize; 2], count: usize) {
    let (blocks, rest) = sums.as_chunks_mut::<LANES>();
    let whole = blocks.len() * LANES;
    for (index, block) in blocks.iter_mut().enumerate() {
        let mut sum = *block;
        for pixel in 0..count {
            let (Some(a), Some(b)) = (
                a[pixel * a_step + index * LANES..].first_chunk::<LANES>(),
                b[pixel * b_step + index * LANES..].first_chunk::<LANES>(),
            ) else {
                continue;
            };
            for lane in 0..LANES {
                sum[lane] = a[lane].mul_add(b[lane], sum[lane]);
            }
        }
        *block = sum;
    }
    for (index, s) in rest.iter_mut().enumerate() {
        let at = whole + index;
        *s += (0..count).map(|pixel| a[pixel * a_step + at] * b[pixel * b_step + at]).sum::<f32>();
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
