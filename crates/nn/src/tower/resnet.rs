//! ResNet of bottleneck blocks, an image tower of the published model.

use candle_core::{Result, Tensor, bail};
use medclip_core::architecture::{ResNetBlock, ResNetConfig};

use crate::compute::ComputePrecision;
use crate::op::{Padding, Rectifier, add_relu, max_pool};
use crate::params::{Init, ParameterStore};
use crate::tape::Tape;
use crate::tower::convolution::{Convolution, Phase, Rows};

/// The trunk: pixels to features averaged over the image.
pub struct ResNet {
    config: ResNetConfig,
    stem: Convolution,
    blocks: Vec<Bottleneck>,
    frozen_blocks: usize,
    precision: ComputePrecision,
}

impl ResNet {
    /// Adds the trunk's parameters to `store` under `prefix`.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(config: &ResNetConfig, store: &mut ParameterStore, prefix: &str) -> Result<Self> {
        let eps = config.batch_norm_eps;
        let shape = [config.width, config.channels, 7, 7];
        let stem = convolution(store, &format!("{prefix}conv1"), &format!("{prefix}bn1"), shape, eps)?;
        let blocks = config.resolved();
        let blocks = blocks
            .into_iter()
            .map(|block| Bottleneck::new(store, prefix, block, eps))
            .collect::<Result<_>>()?;
        Ok(Self { config: config.clone(), stem, blocks, frozen_blocks: 0, precision: store.precision() })
    }

    /// Keeps the first convolution and the first `blocks` blocks at their running statistics while training; their
    /// parameters must be frozen in the store too.
    #[must_use]
    pub fn with_frozen_blocks(self, blocks: usize) -> Self {
        Self { frozen_blocks: blocks, ..self }
    }

    /// Features of a batch.
    ///
    /// # Shapes
    /// - `pixels`: `[batch, channels, height, width]`
    /// - returns: `[batch, features]`
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
        let frozen = |block: usize| if block < self.frozen_blocks { Phase::Evaluate } else { phase };
        let pixels = Rows::from_pixels(tape, pixels)?;
        let x = self.stem.dense(tape, &pixels, 2, Padding::around(3), frozen(0), Rectifier::Relu)?;
        let pool = x.geometry(3, 2, Padding::around(1));
        let mut x = Rows::outputs(&pool, max_pool(tape, &x.values, pool)?);
        for (index, block) in self.blocks.iter().enumerate() {
            x = block.forward(tape, &x, frozen(index))?;
        }
        Ok(x)
    }
}

/// 1×1, 3×3 and 1×1 convolution, the input or its 1×1 convolution added back.
struct Bottleneck {
    stride: usize,
    narrow: Convolution,
    spatial: Convolution,
    wide: Convolution,
    shortcut: Option<Convolution>,
}

impl Bottleneck {
    fn new(store: &mut ParameterStore, prefix: &str, block: ResNetBlock, eps: f64) -> Result<Self> {
        let ResNetBlock { stage, index, input, inner, stride } = block;
        let name = format!("{prefix}layer{stage}.{index}");
        let mut layer = |conv: &str, norm: &str, shape| {
            convolution(store, &format!("{name}.{conv}"), &format!("{name}.{norm}"), shape, eps)
        };
        Ok(Self {
            stride,
            narrow: layer("conv1", "bn1", [inner, input, 1, 1])?,
            spatial: layer("conv2", "bn2", [inner, inner, 3, 3])?,
            wide: layer("conv3", "bn3", [block.output(), inner, 1, 1])?,
            shortcut: block
                .downsamples()
                .then(|| layer("downsample.0", "downsample.1", [block.output(), input, 1, 1]))
                .transpose()?,
        })
    }

    fn forward(&self, tape: &mut Tape, input: &Rows, phase: Phase) -> Result<Rows> {
        let none = Padding::around(0);
        let x = self.narrow.dense(tape, input, 1, none, phase, Rectifier::Relu)?;
        let x = self.spatial.dense(tape, &x, self.stride, Padding::around(1), phase, Rectifier::Relu)?;
        let x = self.wide.dense(tape, &x, 1, none, phase, Rectifier::None)?;
        let shortcut = match &self.shortcut {
            Some(shortcut) => shortcut.dense(tape, input, self.stride, none, phase, Rectifier::None)?.values,
            None => input.values.clone(),
        };
        Ok(Rows { values: add_relu(tape, &x.values, &shortcut)?, ..x })
    }
}

/// A convolution with fresh weights as torchvision draws them (He et al. 2015, fan-out).
fn convolution(
    store: &mut ParameterStore,
    conv: &str,
    norm: &str,
    shape: [usize; 4],
    eps: f64,
) -> Result<Convolution> {
    let [out, _, height, width] = shape;
    let init = Init::Normal((2.0 / (out * height * width) as f32).sqrt());
    Convolution::new(store, conv, norm, shape, init, eps)
}
