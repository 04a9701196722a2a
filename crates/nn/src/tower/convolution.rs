//! What the convolutional towers share: convolutions over rows of pixels, with a batch normalization after each.

use candle_core::{Result, Tensor, Var};

use crate::op::{
    BatchNormMode, BatchStatistics, Geometry, Padding, Rectifier, batch_norm, depthwise_conv, filter_rows,
    patches, pool, product,
};
use crate::params::{Init, ParameterStore};
use crate::tape::Tape;

/// Share of the new batch in the running statistics.
const MOMENTUM: f64 = 0.1;

/// How the batch normalizations behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Normalize by the batch and update the running statistics.
    Train,
    /// Normalize by the batch and leave the running statistics: the first of two passes over one batch.
    Preview,
    /// Normalize by the running statistics.
    Evaluate,
}

/// Pixels as rows, `[batch · height · width, channels]`.
#[derive(Clone)]
pub(super) struct Rows {
    pub(super) values: Tensor,
    pub(super) batch: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

impl Rows {
    /// From `[batch, channels, height, width]`, in the precision of activations.
    pub(super) fn from_pixels(tape: &mut Tape, pixels: &Tensor) -> Result<Self> {
        let (batch, channels, height, width) = pixels.dims4()?;
        let values = pixels.permute((0, 2, 3, 1))?.contiguous()?.reshape(((), channels))?;
        let values = tape.enter(&values)?;
        Ok(Self { values, batch, height, width })
    }

    /// A window over the pixels.
    pub(super) const fn geometry(&self, kernel: usize, stride: usize, padding: Padding) -> Geometry {
        Geometry { batch: self.batch, height: self.height, width: self.width, kernel, stride, padding }
    }

    /// What a window of this geometry makes of each place.
    pub(super) const fn outputs(geometry: &Geometry, values: Tensor) -> Self {
        Self { values, batch: geometry.batch, height: geometry.out_height(), width: geometry.out_width() }
    }

    /// Mean over the pixels of each image, `[batch, channels]`.
    pub(super) fn mean(&self, tape: &mut Tape) -> Result<Tensor> {
        let pixels = self.height * self.width;
        pool(tape, &self.values, self.batch, vec![1.0 / pixels as f32; self.batch * pixels])
    }

    /// The pixels of each image, `[batch, height · width, channels]`, with which the tape ends.
    pub(super) fn locations(self, tape: Tape) -> Result<Tensor> {
        by_image(&tape.finish(&self.values)?, self.batch)
    }
}

/// `[batch · rows, width]` to `[batch, rows, width]`.
pub(super) fn by_image(values: &Tensor, batch: usize) -> Result<Tensor> {
    let (rows, width) = values.dims2()?;
    values.reshape((batch, rows / batch, width))
}

/// A convolution without bias and the batch normalization after it.
pub(super) struct Convolution {
    /// `[out, in / groups, kernel, kernel]`.
    weight: Tensor,
    bn_weight: Tensor,
    bn_bias: Tensor,
    running_mean: Var,
    running_variance: Var,
    eps: f64,
}

impl Convolution {
    /// `CONV.weight`, and the normalization's tensors under `NORM`.
    pub(super) fn new(
        store: &mut ParameterStore,
        conv: &str,
        norm: &str,
        shape: [usize; 4],
        init: Init,
        eps: f64,
    ) -> Result<Self> {
        let [out, input, height, width] = shape;
        Ok(Self {
            weight: store.parameter(&format!("{conv}.weight"), (out, input, height, width), init)?,
            bn_weight: store.parameter(&format!("{norm}.weight"), out, Init::Constant(1.0))?,
            bn_bias: store.parameter(&format!("{norm}.bias"), out, Init::Constant(0.0))?,
            running_mean: store.buffer(&format!("{norm}.running_mean"), out, 0.0)?,
            running_variance: store.buffer(&format!("{norm}.running_var"), out, 1.0)?,
            eps,
        })
    }

    /// A convolution over all channels.
    pub(super) fn dense(
        &self,
        tape: &mut Tape,
        x: &Rows,
        stride: usize,
        padding: Padding,
        phase: Phase,
        rectifier: Rectifier,
    ) -> Result<Rows> {
        let (.., kernel) = self.weight.dims4()?;
        let geometry = x.geometry(kernel, stride, padding);
        let unfolded =
            if kernel == 1 && stride == 1 { x.values.clone() } else { patches(tape, &x.values, geometry)? };
        let filters = filter_rows(tape, &self.weight)?;
        let values = product(tape, &unfolded, &filters)?; // (B·H·W, k·k·in) · (k·k·in, out)
        Ok(Rows::outputs(&geometry, self.normalize(tape, &values, phase, rectifier)?))
    }

    /// A convolution of each channel by itself.
    pub(super) fn depthwise(
        &self,
        tape: &mut Tape,
        x: &Rows,
        stride: usize,
        phase: Phase,
        rectifier: Rectifier,
    ) -> Result<Rows> {
        let (.., kernel) = self.weight.dims4()?;
        let geometry = x.geometry(kernel, stride, Padding::Same);
        let values = depthwise_conv(tape, &x.values, &self.weight, geometry)?;
        Ok(Rows::outputs(&geometry, self.normalize(tape, &values, phase, rectifier)?))
    }

    fn normalize(&self, tape: &mut Tape, x: &Tensor, phase: Phase, rectifier: Rectifier) -> Result<Tensor> {
        let mode = match phase {
            Phase::Train | Phase::Preview => BatchNormMode::Batch,
            Phase::Evaluate => BatchNormMode::Fixed(BatchStatistics {
                mean: self.running_mean.to_vec1()?,
                variance: self.running_variance.to_vec1()?,
            }),
        };
        let (y, used) = batch_norm(tape, x, &self.bn_weight, &self.bn_bias, self.eps, mode, rectifier)?;
        if phase == Phase::Train {
            let rows = x.dim(0)? as f64;
            // Running variance is the unbiased one, as in PyTorch.
            let unbias = if rows > 1.0 { rows / (rows - 1.0) } else { 1.0 };
            blend(&self.running_mean, used.mean, 1.0)?;
            blend(&self.running_variance, used.variance, unbias)?;
        }
        Ok(y)
    }
}

fn blend(running: &Var, batch: Vec<f32>, factor: f64) -> Result<()> {
    let batch = Tensor::from_vec(batch, running.dims(), running.device())?;
    running.set(&(running.affine(1.0 - MOMENTUM, 0.0)? + batch.affine(MOMENTUM * factor, 0.0)?)?)
}
