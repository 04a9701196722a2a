//! EfficientNet-Lite. Batch normalizations are folded into the convolutions before them.

use medclip_core::architecture::limits::{DEPTHS, FACTORS, SIZES, STRIDES};
use medclip_core::architecture::{EfficientNetBlock, EfficientNetConfig};

use super::map::{Features, Locations};
use super::{batch_norm_parameters, check, read_batch_norm};
use crate::error::ExportError;
use crate::graph::{Graph, Value};
use crate::op::conv::{Conv, Padding, conv};
use crate::op::{activation, math, pool};
use crate::weights::{Parameter, Weights, WeightsError};

const PREFIX: &str = "vision_model.model";

/// The tensors of the trunk and of its projection to `embedding_dim`.
pub(crate) fn parameters(
    config: &EfficientNetConfig,
    embedding_dim: usize,
) -> Result<Vec<Parameter>, ExportError> {
    validate(config)?;
    let mut parameters = ConvNorm::stem(config).parameters();
    for (index, block) in config.blocks().iter().enumerate() {
        let layers = BlockLayers::new(index, block);
        let layers = layers.expand.iter().chain([&layers.depthwise, &layers.project]);
        parameters.extend(layers.flat_map(ConvNorm::parameters));
    }
    parameters.extend(ConvNorm::head(config).parameters());
    parameters.push(Parameter::new("vision_model.projection_head.weight", [embedding_dim, config.head]));
    Ok(parameters)
}

/// Pixels `[batch, channels, side, side]` to `head` features.
pub(crate) fn trunk(
    graph: &mut Graph,
    config: &EfficientNetConfig,
    pixels: Value<f32, 4>,
    side: usize,
    weights: &Weights,
) -> Result<Features, WeightsError> {
    let mut trunk = Trunk { graph, weights, eps: config.batch_norm_eps, side };
    let mut x = trunk.activated(&ConvNorm::stem(config), pixels)?;
    for (index, block) in config.blocks().iter().enumerate() {
        x = trunk.block(index, block, x)?;
    }
    let x = trunk.activated(&ConvNorm::head(config), x)?; // (B, head, side / 32, side / 32)
    let side = trunk.side;
    let pooled = pool::global_average(graph, &format!("{PREFIX}.mean"), x);
    Ok(Features { pooled, locations: Locations::Planes(x), side })
}

/// The graph, and how large the image is by now.
struct Trunk<'a> {
    graph: &'a mut Graph,
    weights: &'a Weights,
    eps: f64,
    side: usize,
}

impl Trunk<'_> {
    /// Expansion, depthwise convolution and projection, with the input added back where shapes allow.
    fn block(
        &mut self,
        index: usize,
        block: &EfficientNetBlock,
        input: Value<f32, 4>,
    ) -> Result<Value<f32, 4>, WeightsError> {
        let layers = BlockLayers::new(index, block);
        let x = match &layers.expand {
            Some(expand) => self.activated(expand, input)?,
            None => input,
        };
        let x = self.activated(&layers.depthwise, x)?;
        let x = self.linear(&layers.project, x)?;
        Ok(if block.residual {
            math::add(self.graph, &format!("{PREFIX}.blocks.{index}"), x, input)
        } else {
            x
        })
    }

    /// Convolution, normalization, `ReLU6`.
    fn activated(&mut self, layer: &ConvNorm, x: Value<f32, 4>) -> Result<Value<f32, 4>, WeightsError> {
        let x = self.linear(layer, x)?;
        Ok(activation::relu6(self.graph, &format!("{}.relu6", layer.name), x))
    }

    /// Convolution and normalization.
    fn linear(&mut self, layer: &ConvNorm, x: Value<f32, 4>) -> Result<Value<f32, 4>, WeightsError> {
        let [_, _, kernel, _] = layer.weight;
        let padding = Padding::same(self.side, kernel, layer.stride);
        self.side = self.side.div_ceil(layer.stride);
        let weight = self.weights.tensor(&format!("{}.conv.weight", layer.name))?;
        let norm = read_batch_norm(self.weights, &format!("{}.bn", layer.name), self.eps)?;
        let folded = Conv::folded(&weight, &norm, layer.stride, layer.groups, padding);
        Ok(conv(self.graph, &format!("{}.conv", layer.name), x, &folded))
    }
}

/// A convolution `NAME.conv` with the batch normalization `NAME.bn` after it.
#[derive(Debug)]
struct ConvNorm {
    name: String,
    /// `[out, in / groups, kernel, kernel]`.
    weight: [usize; 4],
    stride: usize,
    groups: usize,
}

impl ConvNorm {
    fn stem(config: &EfficientNetConfig) -> Self {
        let weight = [config.stem, config.channels, 3, 3];
        Self { name: format!("{PREFIX}.stem"), weight, stride: 2, groups: 1 }
    }

    fn head(config: &EfficientNetConfig) -> Self {
        let input = config.stages.last().map_or(config.stem, |stage| stage.channels);
        Self::pointwise(format!("{PREFIX}.head"), input, config.head)
    }

    fn pointwise(name: String, input: usize, output: usize) -> Self {
        Self { name, weight: [output, input, 1, 1], stride: 1, groups: 1 }
    }

    fn parameters(&self) -> Vec<Parameter> {
        let [channels, ..] = self.weight;
        let weight = Parameter::new(format!("{}.conv.weight", self.name), self.weight);
        let norm = batch_norm_parameters(&format!("{}.bn", self.name), channels);
        [weight].into_iter().chain(norm).collect()
    }
}

/// The layers of one inverted-residual block.
#[derive(Debug)]
struct BlockLayers {
    expand: Option<ConvNorm>,
    depthwise: ConvNorm,
    project: ConvNorm,
}

impl BlockLayers {
    fn new(index: usize, block: &EfficientNetBlock) -> Self {
        let name = |part| format!("{PREFIX}.blocks.{index}.{part}");
        Self {
            expand: block.expands.then(|| ConvNorm::pointwise(name("expand"), block.input, block.hidden)),
            depthwise: ConvNorm {
                name: name("depthwise"),
                weight: [block.hidden, 1, block.kernel, block.kernel],
                stride: block.stride,
                groups: block.hidden,
            },
            project: ConvNorm::pointwise(name("project"), block.hidden, block.output),
        }
    }
}

fn validate(config: &EfficientNetConfig) -> Result<(), ExportError> {
    check("image.channels", config.channels, SIZES)?;
    check("image.stem", config.stem, SIZES)?;
    check("image.head", config.head, SIZES)?;
    check("number of image.stages", config.stages.len(), DEPTHS)?;
    for (index, stage) in config.stages.iter().enumerate() {
        let field = |name| format!("image.stages[{index}].{name}");
        check(field("blocks"), stage.blocks, DEPTHS)?;
        check(field("kernel"), stage.kernel, FACTORS)?;
        check(field("stride"), stage.stride, STRIDES)?;
        check(field("expand"), stage.expand, FACTORS)?;
        check(field("channels"), stage.channels, SIZES)?;
    }
    let depth = config.stages.iter().map(|stage| stage.blocks).sum();
    check("blocks of all image.stages", depth, DEPTHS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lite0_has_the_published_number_of_parameters() {
        let parameters = parameters(&EfficientNetConfig::lite0(3), 512).unwrap();
        let is_trained = |p: &&Parameter| !p.name.contains("running_") && p.name.starts_with(PREFIX);
        let count: usize =
            parameters.iter().filter(is_trained).map(|p| p.shape.iter().product::<usize>()).sum();
        // 4,652,008 with the classifier of 1,281,000.
        assert_eq!(count, 3_371_008);
    }

    #[test]
    fn impossible_sizes_are_named() {
        let mut config = EfficientNetConfig::lite0(1);
        config.stages[3].blocks = usize::MAX;
        let error = parameters(&config, 512).unwrap_err();
        assert!(
            matches!(error, ExportError::Architecture { ref field, .. } if field == "image.stages[3].blocks")
        );
        config.stages.clear();
        assert!(parameters(&config, 512).is_err());
    }
}
