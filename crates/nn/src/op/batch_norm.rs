//! Batch normalization over rows, fused with the rectifier after it.

pub(super) mod mode;
pub(super) mod statistics;

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use self::mode::{BatchNormMode, Rectifier};
use self::statistics::{BatchStatistics, batch_statistics, chunk_values};
use super::portable;
use crate::cpu::{SideOutput, contiguous, has_kernel, kernel, sum_rows};
use crate::tape::Tape;

/// `y = γ · (x − μ) / √(σ² + ε) + β`, then `rectifier`.
///
/// # Shapes
/// - `x`: `[rows, channels]`
/// - `weight` γ and `bias` β: `[channels]`
/// - returns: `[rows, channels]`, and the statistics that were used
/// # Errors
/// When the shapes disagree or there are no rows.
/// # Source
/// Ioffe and Szegedy 2015; gradient by the chain rule through μ and σ² when they are the batch's.
pub fn batch_norm(
    tape: &mut Tape,
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
    mode: BatchNormMode,
    rectifier: Rectifier,
) -> Result<(Tensor, BatchStatistics)> {
    if !has_kernel(x) {
        return portable::batch_norm(tape, x, weight, bias, eps, &mode, rectifier);
    }
    let used = Arc::new(SideOutput::default());
    let op = BatchNorm { eps: eps as f32, mode, rectifier, used: Arc::clone(&used) };
    let y = tape.apply3(x, weight, bias, op)?;
    let statistics = used.get();
    match statistics {
        Some(statistics) => Ok((y, statistics)),
        None => bail!("batch norm left no statistics"),
    }
}

pub(super) struct BatchNorm {
    pub(super) eps: f32,
    pub(super) mode: BatchNormMode,
    pub(super) rectifier: Rectifier,
    pub(super) used: Arc<SideOutput<Option<BatchStatistics>>>,
}

impl CustomOp3 for BatchNorm {
    fn name(&self) -> &'static str {
        "batch-norm"
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
        let (rows, channels) = l1.shape().dims2()?;
        let (x, weight, bias) = (contiguous(s1, l1)?, contiguous(s2, l2)?, contiguous(s3, l3)?);
        if rows == 0 || weight.len() != channels || bias.len() != channels {
            bail!("batch norm of {rows}×{channels} with {} weights and {} biases", weight.len(), bias.len());
        }
        let statistics = match &self.mode {
            BatchNormMode::Batch => batch_statistics(x, channels),
            BatchNormMode::Fixed(fixed) => fixed.clone(),
        };
        let affine = Affine::new(&statistics, weight, bias, self.eps);
        let mut y = vec![0.0_f32; x.len()];
        let chunk = chunk_values(channels);
        y.par_chunks_mut(chunk).zip(x.par_chunks(chunk)).for_each(|(y, x)| {
            let (affine, rectifier) = (&affine, self.rectifier);
            kernel!(|affine: &'a Affine, x: &'a [f32], y: &'a mut [f32], rectifier: Rectifier| -> () {
                affine.apply(x, y, rectifier);
            });
        });
        self.used.put(Some(statistics));
        Ok((CpuStorage::F32(y), l1.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let statistics = self.used.get();
        let Some(statistics) = statistics else { bail!("batch norm ran backward before forward") };
        let op = BatchNormBackward {
            weight: weight.to_vec1()?,
            bias: bias.to_vec1()?,
            statistics,
            eps: self.eps,
            rectifier: self.rectifier,
            through_statistics: matches!(self.mode, BatchNormMode::Batch),
            sums: SideOutput::default(),
        };
        let dx = x.apply_op2_no_bwd(&grad.contiguous()?, &op)?;
        let (dweight, dbias) = op.sums.take();
        let channels = dweight.len();
        let device = x.device();
        Ok((
            Some(dx),
            Some(Tensor::from_vec(dweight, channels, device)?),
            Some(Tensor::from_vec(dbias, channels, device)?),
        ))
    }
}

/// `y = x·scale + shift` and, for the backward pass, what it was made of.
struct Affine {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl Affine {
    fn new(statistics: &BatchStatistics, weight: &[f32], bias: &[f32], eps: f32) -> Self {
        let scale: Vec<f32> =
            weight.iter().zip(&statistics.variance).map(|(w, v)| w / (v + eps).sqrt()).collect();
        let shift = bias.iter().zip(&statistics.mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
        Self { scale, shift }
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
    fn apply(&self, x: &[f32], y: &mut [f32], rectifier: Rectifier) {
        let channels = self.scale.len();
        let (scale, shift) = (&self.scale[..channels], &self.shift[..channels]);
        let (low, high) = rectifier.range();
        for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            for c in 0..channels {
                y[c] = (x[c] * scale[c] + shift[c]).clamp(low, high);
            }
        }
    }
}

struct BatchNormBackward {
    weight: Vec<f32>,
    bias: Vec<f32>,
    statistics: BatchStatistics,
    eps: f32,
    rectifier: Rectifier,
    through_statistics: bool,
    /// Gradients of weight and bias, left here by the pass that also needs them.
    sums: SideOutput<(Vec<f32>, Vec<f32>)>,
}

impl CustomOp2 for BatchNormBackward {
    fn name(&self) -> &'static str {
        "batch-norm-backward"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, channels) = l1.shape().dims2()?;
        let (x, grad) = (contiguous(s1, l1)?, contiguous(s2, l2)?);
        let inv_std: Vec<f32> =
            self.statistics.variance.iter().map(|v| 1.0 / (v + self.eps).sqrt()).collect();
        let affine = Affine::new(&self.statistics, &self.weight, &self.bias, self.eps);
        let mean = &self.statistics.mean;
        let range = self.rectifier.range();
        let chunk = chunk_values(channels);

        let partial: Vec<(Vec<f32>, Vec<f32>)> = x
            .par_chunks(chunk)
            .zip(grad.par_chunks(chunk))
            .map(|(x, grad)| {
                let (affine, mean, inv_std) = (&affine, mean.as_slice(), inv_std.as_slice());
                kernel!(|affine: &'a Affine,
                         mean: &'a [f32],
                         inv_std: &'a [f32],
                         channels: usize,
                         range: (f32, f32),
                         x: &'a [f32],
                         grad: &'a [f32]|
                 -> (Vec<f32>, Vec<f32>) {
                    let (mut dweight, mut dbias) = (vec![0.0_f32; channels], vec![0.0_f32; channels]);
                    let (dw, db) = (&mut dweight[..channels], &mut dbias[..channels]);
                    let (mean, inv_std) = (&mean[..channels], &inv_std[..channels]);
                    let (scale, shift) = (&affine.scale[..channels], &affine.shift[..channels]);
                    for (x, g) in x.chunks_exact(channels).zip(grad.chunks_exact(channels)) {
                        for c in 0..channels {
                            let g = gate(g[c], x[c], scale[c], shift[c], range);
                            db[c] += g;
                            dw[c] += g * (x[c] - mean[c]) * inv_std[c];
                        }
                    }
                    (dweight, dbias)
                })
            })
            .collect();
        let dweight = sum_rows(partial.iter().map(|p| &p.0), channels);
        let dbias = sum_rows(partial.iter().map(|p| &p.1), channels);

        // dx = scale·(g − mean(g) − x̂·mean(g·x̂)) = scale·g + x·slope + offset, per channel.
        let mut slope = vec![0.0_f32; channels];
        let mut offset = vec![0.0_f32; channels];
        if self.through_statistics {
            let n = rows as f32;
            for c in 0..channels {
                slope[c] = -affine.scale[c] * dweight[c] * inv_std[c] / n;
                offset[c] = -affine.scale[c] * dbias[c] / n - slope[c] * mean[c];
            }
        }
        let mut dx = vec![0.0_f32; x.len()];
        dx.par_chunks_mut(chunk).zip(x.par_chunks(chunk)).zip(grad.par_chunks(chunk)).for_each(
            |((dx, x), grad)| {
                let (affine, slope, offset) = (&affine, slope.as_slice(), offset.as_slice());
                kernel!(|affine: &'a Affine,
                         slope: &'a [f32],
                         offset: &'a [f32],
                         channels: usize,
                         range: (f32, f32),
                         dx: &'a mut [f32],
                         x: &'a [f32],
                         grad: &'a [f32]|
                 -> () {
                    let (slope, offset) = (&slope[..channels], &offset[..channels]);
                    let (scale, shift) = (&affine.scale[..channels], &affine.shift[..channels]);
                    for ((dx, x), g) in dx
                        .chunks_exact_mut(channels)
                        .zip(x.chunks_exact(channels))
                        .zip(grad.chunks_exact(channels))
                    {
                        for c in 0..channels {
                            let g = gate(g[c], x[c], scale[c], shift[c], range);
                            dx[c] = scale[c] * g + x[c] * slope[c] + offset[c];
                        }
                    }
                });
            },
        );
        self.sums.put((dweight, dbias));
        Ok((CpuStorage::F32(dx), l1.shape().clone()))
    }
}

/// The gradient where the rectifier lets it through.
#[inline(always)]
#[allow(clippy::inline_always, reason = "must be inlined into the caller's vector loop")]
fn gate(grad: f32, x: f32, scale: f32, shift: f32, (low, high): (f32, f32)) -> f32 {
    let z = x * scale + shift;
    if z > low && z < high { grad } else { 0.0 }
}
