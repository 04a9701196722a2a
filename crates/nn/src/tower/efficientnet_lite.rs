//! EfficientNet-Lite, an image tower for edge devices.

use candle_core::{Result, Tensor, bail};
use medclip_core::EfficientNetConfig;
use medclip_core::architecture::EfficientNetBlock;

use crate::compute::ComputePrecision;
use crate::op::{Padding, Rectifier, add};
use crate::params::{Init, ParameterStore};
use crate::tape::Tape;
use crate::tower::convolution::{Convolution, Phase, Rows};

/// The trunk: gray pixels to features averaged over the image.
pub struct EfficientNetLite {
    config: EfficientNetConfig,
    stem: Convolution,
    blocks: Vec<InvertedResidual>,
    head: Convolution,
    frozen_blocks: usize,
    precision: ComputePrecision,
}

impl EfficientNetLite {
    /// Adds the trunk's parameters to `store` under `prefix`.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(config: &EfficientNetConfig, store: &mut ParameterStore, prefix: &str) -> Result<Self> {
        let eps = config.batch_norm_eps;
        let stem = convolution(store, &format!("{prefix}stem"), [config.stem, config.channels, 3, 3], eps)?;
        let mut blocks = Vec::new();
        for (index, block) in config.blocks().into_iter().enumerate() {
            blocks.push(InvertedResidual::new(store, &format!("{prefix}blocks.{index}"), block, eps)?);
        }
        let last = config.stages.last().map_or(config.stem, |stage| stage.channels);
        let head = convolution(store, &format!("{prefix}head"), [config.head, last, 1, 1], eps)?;
        Ok(Self {
            config: config.clone(),
            stem,
            blocks,
            head,
            frozen_blocks: 0,
            precision: store.precision(),
        })
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
        let tape = &mut Tape::new().with_precision(self.precision);
        let features = self.last_map(tape, pixels, phase)?.mean(tape)?;
        std::mem::take(tape).finish(&features)
    }

    /// Features at every location, row by row, with running statistics.
    ///
    /// # Shapes
    /// - `pixels`: `[batch, channels, side, side]`
    /// - returns: `[batch, locations, features]`
    /// # Errors
    /// As [`Self::forward`].
    pub fn locations(&self, pixels: &Tensor) -> Result<Tensor> {
        let mut tape = Tape::new().with_precision(self.precision);
        self.last_map(&mut tape, pixels, Phase::Evaluate)?.locations(tape)
    }

    fn last_map(&self, tape: &mut Tape, pixels: &Tensor, phase: Phase) -> Result<Rows> {
        let (_, channels, ..) = pixels.dims4()?;
        if channels != self.config.channels {
            bail!("image tower takes {} channels, got {channels}", self.config.channels);
        }
        let frozen = |blocks: usize| if blocks < self.frozen_blocks { Phase::Evaluate } else { phase };
        let pixels = Rows::from_pixels(tape, pixels)?;
        let mut x = self.stem.dense(tape, &pixels, 2, Padding::Same, frozen(0), Rectifier::Relu6)?;
        for (index, block) in self.blocks.iter().enumerate() {
            x = block.forward(tape, &x, frozen(index))?;
        }
        self.head.dense(tape, &x, 1, Padding::Same, phase, Rectifier::Relu6)
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
            .then(|| convolution(store, &format!("{prefix}.expand"), [hidden, input, 1, 1], eps))
            .transpose()?;
        let depthwise = convolution(store, &format!("{prefix}.depthwise"), [hidden, 1, kernel, kernel], eps)?;
        let project = convolution(store, &format!("{prefix}.project"), [output, hidden, 1, 1], eps)?;
        Ok(Self { block, expand, depthwise, project })
    }

    fn forward(&self, tape: &mut Tape, x: &Rows, phase: Phase) -> Result<Rows> {
        let expanded = match &self.expand {
            Some(expand) => expand.dense(tape, x, 1, Padding::Same, phase, Rectifier::Relu6)?,
            None => x.clone(),
        };
        let filtered =
            self.depthwise.depthwise(tape, &expanded, self.block.stride, phase, Rectifier::Relu6)?;
        let mut projected = self.project.dense(tape, &filtered, 1, Padding::Same, phase, Rectifier::None)?;
        if self.block.residual {
            projected.values = add(tape, &projected.values, &x.values)?;
        }
        Ok(projected)
    }
}

/// The convolution `PREFIX.conv` with `PREFIX.bn`.
fn convolution(store: &mut ParameterStore, prefix: &str, shape: [usize; 4], eps: f64) -> Result<Convolution> {
    let [out, input, kernel_height, kernel_width] = shape;
    // He et al. 2015, fan-out as EfficientNet initializes; a depthwise filter's fan-out is its own area.
    let fan_out = if input == 1 { 1 } else { out } * kernel_height * kernel_width;
    let init = Init::Normal((2.0 / fan_out as f32).sqrt());
    Convolution::new(store, &format!("{prefix}.conv"), &format!("{prefix}.bn"), shape, init, eps)
}
