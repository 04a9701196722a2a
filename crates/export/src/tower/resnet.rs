//! ResNet of bottleneck blocks. Batch normalizations are folded into the convolutions before them.

use medclip_core::architecture::limits::{DEPTHS, SIZES, STAGES, WIDTHS};
use medclip_core::architecture::{ResNetBlock, ResNetConfig};

use super::map::{Features, Locations};
use super::{batch_norm_parameters, check, read_batch_norm};
use crate::error::ExportError;
use crate::graph::{Graph, Value};
use crate::op::conv::{Conv, Padding, conv};
use crate::op::{activation, math, pool};
use crate::weights::{Parameter, Weights, WeightsError};

const PREFIX: &str = "vision_model.model";
/// Kernel, stride and padding of the pooling after the first convolution.
const POOL: [usize; 3] = [3, 2, 1];

/// The tensors of the trunk and of its projection to `embedding_dim`.
pub(crate) fn parameters(config: &ResNetConfig, embedding_dim: usize) -> Result<Vec<Parameter>, ExportError> {
    validate(config)?;
    let mut parameters = ConvNorm::stem(config).parameters();
    for block in config.resolved() {
        let layers = BlockLayers::new(&block);
        let layers = layers.convolutions.iter().chain(&layers.shortcut);
        parameters.extend(layers.flat_map(ConvNorm::parameters));
    }
    parameters.push(Parameter::new(format!("{PREFIX}.fc.weight"), [embedding_dim, config.features()]));
    Ok(parameters)
}

/// Pixels `[batch, channels, side, side]` to the features of the last block.
pub(crate) fn trunk(
    graph: &mut Graph,
    config: &ResNetConfig,
    pixels: Value<f32, 4>,
    side: usize,
    weights: &Weights,
) -> Result<Features, WeightsError> {
    let mut trunk = Trunk { graph, weights, eps: config.batch_norm_eps };
    let x = trunk.activated(&ConvNorm::stem(config), pixels)?; // (B, width, side / 2, side / 2)
    let mut x = pool::max(trunk.graph, &format!("{PREFIX}.maxpool"), x, POOL);
    for block in config.resolved() {
        x = trunk.block(&block, x)?;
    }
    let pooled = pool::global_average(graph, &format!("{PREFIX}.avgpool"), x);
    // Each kernel is padded so that a stride of 2 halves a side, rounded up.
    let strides = config.resolved().into_iter().map(|block| block.stride).chain([2, 2]);
    let side = strides.fold(side, usize::div_ceil);
    Ok(Features { pooled, locations: Locations::Planes(x), side })
}

struct Trunk<'a> {
    graph: &'a mut Graph,
    weights: &'a Weights,
    eps: f64,
}

impl Trunk<'_> {
    /// 1×1, 3×3 and 1×1 convolution, the input or its 1×1 convolution added back, `ReLU`.
    fn block(&mut self, block: &ResNetBlock, input: Value<f32, 4>) -> Result<Value<f32, 4>, WeightsError> {
        let BlockLayers { name, convolutions: [narrow, spatial, wide], shortcut } = BlockLayers::new(block);
        let x = self.activated(&narrow, input)?;
        let x = self.activated(&spatial, x)?;
        let x = self.linear(&wide, x)?;
        let shortcut = match &shortcut {
            Some(shortcut) => self.linear(shortcut, input)?,
            None => input,
        };
        let sum = math::add(self.graph, &format!("{name}.sum"), x, shortcut);
        Ok(activation::relu(self.graph, &format!("{name}.relu"), sum))
    }

    /// Convolution, normalization, `ReLU`.
    fn activated(&mut self, layer: &ConvNorm, x: Value<f32, 4>) -> Result<Value<f32, 4>, WeightsError> {
        let x = self.linear(layer, x)?;
        Ok(activation::relu(self.graph, &format!("{}.relu", layer.conv), x))
    }

    /// Convolution and normalization.
    fn linear(&mut self, layer: &ConvNorm, x: Value<f32, 4>) -> Result<Value<f32, 4>, WeightsError> {
        let [_, _, kernel, _] = layer.weight;
        let weight = self.weights.tensor(&format!("{}.weight", layer.conv))?;
        let norm = read_batch_norm(self.weights, &layer.norm, self.eps)?;
        let folded = Conv::folded(&weight, &norm, layer.stride, 1, Padding::around(kernel / 2));
        Ok(conv(self.graph, &layer.conv, x, &folded))
    }
}

/// A convolution with the batch normalization after it.
#[derive(Debug)]
struct ConvNorm {
    conv: String,
    norm: String,
    /// `[out, in, kernel, kernel]`.
    weight: [usize; 4],
    stride: usize,
}

impl ConvNorm {
    fn stem(config: &ResNetConfig) -> Self {
        let weight = [config.width, config.channels, 7, 7];
        Self { conv: format!("{PREFIX}.conv1"), norm: format!("{PREFIX}.bn1"), weight, stride: 2 }
    }

    fn parameters(&self) -> Vec<Parameter> {
        let [channels, ..] = self.weight;
        let weight = Parameter::new(format!("{}.weight", self.conv), self.weight);
        [weight].into_iter().chain(batch_norm_parameters(&self.norm, channels)).collect()
    }
}

/// The layers of one bottleneck block.
#[derive(Debug)]
struct BlockLayers {
    name: String,
    convolutions: [ConvNorm; 3],
    shortcut: Option<ConvNorm>,
}

impl BlockLayers {
    fn new(block: &ResNetBlock) -> Self {
        let ResNetBlock { stage, index, input, inner, stride } = *block;
        let name = format!("{PREFIX}.layer{stage}.{index}");
        let layer = |conv: &str, norm: &str, weight, stride| ConvNorm {
            conv: format!("{name}.{conv}"),
            norm: format!("{name}.{norm}"),
            weight,
            stride,
        };
        let convolutions = [
            layer("conv1", "bn1", [inner, input, 1, 1], 1),
            layer("conv2", "bn2", [inner, inner, 3, 3], stride),
            layer("conv3", "bn3", [block.output(), inner, 1, 1], 1),
        ];
        let shortcut = block
            .downsamples()
            .then(|| layer("downsample.0", "downsample.1", [block.output(), input, 1, 1], stride));
        Self { name, convolutions, shortcut }
    }
}

fn validate(config: &ResNetConfig) -> Result<(), ExportError> {
    check("image.channels", config.channels, SIZES)?;
    check("image.width", config.width, WIDTHS)?;
    check("number of image.blocks", config.blocks.len(), STAGES)?;
    for (index, &blocks) in config.blocks.iter().enumerate() {
        check(format!("image.blocks[{index}]"), blocks, DEPTHS)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resnet50_has_the_published_number_of_parameters() {
        let parameters = parameters(&ResNetConfig::resnet50(3), 512).unwrap();
        let is_trained = |p: &&Parameter| !p.name.contains("running_") && !p.name.ends_with("fc.weight");
        let count: usize =
            parameters.iter().filter(is_trained).map(|p| p.shape.iter().product::<usize>()).sum();
        // 25,557,032 with the classifier of 2,049,000.
        assert_eq!(count, 23_508_032);
    }

    #[test]
    fn impossible_sizes_are_named() {
        let mut config = ResNetConfig::resnet50(1);
        config.blocks[1] = usize::MAX;
        let error = parameters(&config, 512).unwrap_err();
        assert!(matches!(error, ExportError::Architecture { ref field, .. } if field == "image.blocks[1]"));
        config.blocks = vec![1; 100];
        assert!(parameters(&config, 512).is_err());
    }
}
