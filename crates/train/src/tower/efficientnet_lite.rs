//! EfficientNet-Lite, an image tower for edge devices.

use candle_core::{Result, Tensor, Var, bail};
use medclip_core::EfficientNetConfig;
use medclip_core::architecture::EfficientNetBlock;

use crate::op::{BatchNormMode, BatchStatistics, Geometry, batch_norm, depthwise_conv, patches};
use crate::params::{Init, ParameterStore};

/// Share of the new batch in the running statistics.
const MOMENTUM: f64 = 0.1;

/// How the batch normalisations behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Normalise by the batch and update the running statistics.
    Train,
    /// Normalise by the running statistics.
    Evaluate,
}

/// The trunk: grey pixels to features averaged over the image.
pub struct EfficientNetLite {
    config: EfficientNetConfig,
    stem: Convolution,
    blocks: Vec<InvertedResidual>,
    head: Convolution,
    frozen_blocks: usize,
}

/// Pixels as rows, `[batch · height · width, channels]`.
#[derive(Clone)]
struct Rows {
    values: Tensor,
    batch: usize,
    height: usize,
    width: usize,
}

impl EfficientNetLite {
    /// Adds the trunk's parameters to `store` under `prefix`.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(config: &EfficientNetConfig, store: &mut ParameterStore, prefix: &str) -> Result<Self> {
        let eps = config.batch_norm_eps;
        let stem =
            Convolution::new(store, &format!("{prefix}stem"), [config.stem, config.channels, 3, 3], eps)?;
        let mut blocks = Vec::new();
        for (index, block) in config.blocks().into_iter().enumerate() {
            blocks.push(InvertedResidual::new(store, &format!("{prefix}blocks.{index}"), block, eps)?);
        }
        let last = config.stages.last().map_or(config.stem, |stage| stage.channels);
        let head = Convolution::new(store, &format!("{prefix}head"), [config.head, last, 1, 1], eps)?;
        Ok(Self { config: config.clone(), stem, blocks, head, frozen_blocks: 0 })
    }

    /// Keeps the stem and the first `blocks` blocks at their running statistics while training; their parameters must
    /// be frozen in the store too.
    #[must_use]
    pub fn with_frozen_blocks(self, blocks: usize) -> Self {
        Self { frozen_blocks: blocks, ..self }
    }

    /// Features of a batch.
    ///
    /// # Shapes
    /// - `pixels`: `[batch, channels, height, width]`
    /// - returns: `[batch, head]`
    /// # Errors
    /// When the channels differ from the configuration.
    pub fn forward(&self, pixels: &Tensor, phase: Phase) -> Result<Tensor> {
        let (batch, channels, height, width) = pixels.dims4()?;
        if channels != self.config.channels {
            bail!("image tower takes {} channels, got {channels}", self.config.channels);
        }
        let geometry = Geometry { batch, height, width, kernel: 3, stride: 2 };
        let unfolded = Rows {
            values: patches(pixels, geometry)?,
            batch,
            height: geometry.out_height(),
            width: geometry.out_width(),
        };
        let frozen = |blocks: usize| if blocks < self.frozen_blocks { Phase::Evaluate } else { phase };
        let mut x = self.stem.dense(&unfolded, frozen(0), true)?;
        for (index, block) in self.blocks.iter().enumerate() {
            x = block.forward(&x, frozen(index))?;
        }
        let x = self.head.dense(&x, phase, true)?;
        x.values.reshape((batch, x.height * x.width, self.config.head))?.mean(1)
    }
}

struct InvertedResidual {
    block: EfficientNetBlock,
    expand: Option<Convolution>,
    depthwise: Convolution,
    project: Convolution,
}

impl InvertedResidual {
    fn new(store: &mut ParameterStore, prefix: &str, block: EfficientNetBlock, eps: f64) -> Result<Self> {
        let EfficientNetBlock { input, hidden, output, kernel, .. } = block;
        let expand = block
            .expands
            .then(|| Convolution::new(store, &format!("{prefix}.expand"), [hidden, input, 1, 1], eps))
            .transpose()?;
        let depthwise =
            Convolution::new(store, &format!("{prefix}.depthwise"), [hidden, 1, kernel, kernel], eps)?;
        let project = Convolution::new(store, &format!("{prefix}.project"), [output, hidden, 1, 1], eps)?;
        Ok(Self { block, expand, depthwise, project })
    }

    fn forward(&self, x: &Rows, phase: Phase) -> Result<Rows> {
        let expanded = match &self.expand {
            Some(expand) => expand.dense(x, phase, true)?,
            None => x.clone(),
        };
        let filtered = self.depthwise.depthwise(&expanded, self.block.kernel, self.block.stride, phase)?;
        let mut projected = self.project.dense(&filtered, phase, false)?;
        if self.block.residual {
            projected.values = (projected.values + &x.values)?;
        }
        Ok(projected)
    }
}

/// A convolution without bias and the batch normalisation after it.
struct Convolution {
    weight: Tensor,
    bn_weight: Tensor,
    bn_bias: Tensor,
    running_mean: Var,
    running_variance: Var,
    eps: f64,
}

impl Convolution {
    fn new(store: &mut ParameterStore, prefix: &str, shape: [usize; 4], eps: f64) -> Result<Self> {
        let [out, input, kernel_height, kernel_width] = shape;
        // He et al. 2015, fan-out as EfficientNet initialises; a depthwise filter's fan-out is its own area.
        let fan_out = if input == 1 { 1 } else { out } * kernel_height * kernel_width;
        let init = Init::Normal((2.0 / fan_out as f32).sqrt());
        Ok(Self {
            weight: store.parameter(
                &format!("{prefix}.conv.weight"),
                (out, input, kernel_height, kernel_width),
                init,
            )?,
            bn_weight: store.parameter(&format!("{prefix}.bn.weight"), out, Init::Constant(1.0))?,
            bn_bias: store.parameter(&format!("{prefix}.bn.bias"), out, Init::Constant(0.0))?,
            running_mean: store.buffer(&format!("{prefix}.bn.running_mean"), out, 0.0)?,
            running_variance: store.buffer(&format!("{prefix}.bn.running_var"), out, 1.0)?,
            eps,
        })
    }

    /// Over rows that already hold the patches: a 1×1 convolution, or the unfolded stem.
    fn dense(&self, x: &Rows, phase: Phase, relu6: bool) -> Result<Rows> {
        let (out, ..) = self.weight.dims4()?;
        let weight = self.weight.reshape((out, ()))?;
        let values = x.values.matmul(&weight.t()?)?; // (B·H·W, in) · (in, out)
        Ok(Rows { values: self.normalise(&values, phase, relu6)?, ..*x })
    }

    fn depthwise(&self, x: &Rows, kernel: usize, stride: usize, phase: Phase) -> Result<Rows> {
        let geometry = Geometry { batch: x.batch, height: x.height, width: x.width, kernel, stride };
        let values = depthwise_conv(&x.values, &self.weight, geometry)?;
        Ok(Rows {
            values: self.normalise(&values, phase, true)?,
            batch: x.batch,
            height: geometry.out_height(),
            width: geometry.out_width(),
        })
    }

    fn normalise(&self, x: &Tensor, phase: Phase, relu6: bool) -> Result<Tensor> {
        let mode = match phase {
            Phase::Train => BatchNormMode::Batch,
            Phase::Evaluate => BatchNormMode::Fixed(BatchStatistics {
                mean: self.running_mean.to_vec1()?,
                variance: self.running_variance.to_vec1()?,
            }),
        };
        let (y, used) = batch_norm(x, &self.bn_weight, &self.bn_bias, self.eps, mode, relu6)?;
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
