//! The towers as graphs, one file a kind, and what the towers of a model share.

pub(crate) mod bert;
pub(crate) mod efficientnet_lite;
mod map;
pub(crate) mod resnet;
pub(crate) mod swin;

use std::ops::RangeInclusive;

use medclip_core::architecture::limits::SIZES;
use medclip_core::architecture::{Architecture, ImageTower, TextTower};
use medclip_core::graph as names;
use medclip_core::preprocess::PreprocessConfig;

use crate::error::ExportError;
use crate::graph::{Dimension, Graph, OnnxFile, Value};
use crate::metadata;
use crate::op::linear::{Linear, applied, stored};
use crate::op::norm::{self, BatchNorm, LayerNorm};
use crate::options::GraphOptions;
use crate::weights::{Parameter, Weights, WeightsError};
use map::Features;

const IMAGE_PREFIX: &str = "vision_model.";
const TEXT_PREFIX: &str = "text_model.";
const BATCH: Dimension = Dimension::Symbol("batch");
const SEQUENCE: Dimension = Dimension::Symbol("sequence");

/// The image tower as an ONNX file: `pixel_values` f32 `[batch, channels, side, side]` to `image_embeds` f32
/// `[batch, dim]` with rows of length 1, and `image_map` f32 `[batch, rows, columns, dim]`, the locations whose mean is the
/// embedding. The batch is dynamic, channels and side are those of `preprocess`.
///
/// The bytes depend on the arguments alone.
///
/// # Errors
/// [`ExportError::Architecture`] and [`ExportError::ImageSize`] for impossible sizes, [`ExportError::Weights`] for weights of another tower,
/// [`ExportError::NotFinite`] and [`ExportError::HalfOverflow`] for values that cannot be stored.
pub fn image_graph(
    architecture: &Architecture,
    preprocess: &PreprocessConfig,
    weights: &Weights,
    options: &GraphOptions,
) -> Result<OnnxFile, ExportError> {
    weights.check(IMAGE_PREFIX, &image_parameters(architecture)?)?;
    let taken = architecture.image.channels();
    check("preprocess.image_size", preprocess.image_size, SIZES)?;
    check("preprocess.channels", preprocess.channels, taken..=taken)?;

    let mut graph = Graph::new("image", options.storage);
    let side = preprocess.image_size;
    let shape = [BATCH, Dimension::Fixed(taken), Dimension::Fixed(side), Dimension::Fixed(side)];
    let pixels = graph.input(names::PIXELS, shape, "normalised pixels");
    let Features { pooled, locations, side: grid } = match &architecture.image {
        ImageTower::EfficientnetLite(config) => {
            efficientnet_lite::trunk(&mut graph, config, pixels, side, weights)?
        }
        ImageTower::Swin(config) => swin::trunk(&mut graph, config, pixels, side, weights)?,
        ImageTower::Resnet(config) => resnet::trunk(&mut graph, config, pixels, side, weights)?,
    };
    let projection = architecture.image.projection();
    let head = Linear { weight: weights.tensor(projection)?, bias: None };
    let name = projection.trim_end_matches(".weight");
    let Projected { embeddings, length, weight } = project(&mut graph, name, pooled, &head);
    let dim = architecture.embedding_dim;
    let map = map::map(&mut graph, &format!("{name}.map"), locations, [grid, dim], weight, length);
    let shape = [BATCH, Dimension::Fixed(dim)];
    graph.output(names::IMAGE_EMBEDDINGS, embeddings, shape, "unit-norm image embeddings");
    let shape = [BATCH, Dimension::Fixed(grid), Dimension::Fixed(grid), Dimension::Fixed(dim)];
    graph.output(names::IMAGE_MAP, map, shape, "locations, whose mean is the embedding");
    graph.finish(metadata::image(architecture, preprocess, weights)?)
}

/// The text tower as an ONNX file: `input_ids` and `attention_mask` i64 `[batch, sequence]` to `text_embeds` f32
/// `[batch, dim]` with rows of length 1. Batch and sequence are dynamic; a sequence is at most
/// `max_position_embeddings` long.
///
/// The bytes depend on the arguments alone.
///
/// # Errors
/// As [`image_graph`].
pub fn text_graph(
    architecture: &Architecture,
    weights: &Weights,
    options: &GraphOptions,
) -> Result<OnnxFile, ExportError> {
    weights.check(TEXT_PREFIX, &text_parameters(architecture)?)?;
    let TextTower::Bert(config) = &architecture.text;

    let mut graph = Graph::new("text", options.storage);
    let tokens = graph.input(names::TOKENS, [BATCH, SEQUENCE], "token ids");
    let mask = graph.input(names::MASK, [BATCH, SEQUENCE], "1 for a token, 0 for padding");
    let pooled = bert::trunk(&mut graph, config, tokens, mask, weights)?;
    let head = bert::head(config, weights)?;
    let Projected { embeddings, .. } = project(&mut graph, "text_model.projection_head", pooled, &head);
    let shape = [BATCH, Dimension::Fixed(architecture.embedding_dim)];
    graph.output(names::TEXT_EMBEDDINGS, embeddings, shape, "unit-norm text embeddings");
    graph.finish(metadata::text(architecture, weights)?)
}

/// Every tensor a checkpoint of this architecture holds, temperature included.
///
/// # Errors
/// [`ExportError::Architecture`] for sizes that no tower can have.
pub fn parameters(architecture: &Architecture) -> Result<Vec<Parameter>, ExportError> {
    let mut parameters = image_parameters(architecture)?;
    parameters.extend(text_parameters(architecture)?);
    parameters.push(Parameter::logit_scale());
    Ok(parameters)
}

fn image_parameters(architecture: &Architecture) -> Result<Vec<Parameter>, ExportError> {
    check("embedding_dim", architecture.embedding_dim, SIZES)?;
    match &architecture.image {
        ImageTower::EfficientnetLite(config) => {
            efficientnet_lite::parameters(config, architecture.embedding_dim)
        }
        ImageTower::Swin(config) => swin::parameters(config, architecture.embedding_dim),
        ImageTower::Resnet(config) => resnet::parameters(config, architecture.embedding_dim),
    }
}

fn text_parameters(architecture: &Architecture) -> Result<Vec<Parameter>, ExportError> {
    check("embedding_dim", architecture.embedding_dim, SIZES)?;
    let TextTower::Bert(config) = &architecture.text;
    bert::parameters(config, architecture.embedding_dim)
}

/// Features in the joint space.
struct Projected {
    /// Rows of length 1, `[batch, dim]`.
    embeddings: Value<f32, 2>,
    /// Their lengths before, `[batch, 1]`.
    length: Value<f32, 2>,
    /// The weight of the projection, `[features, dim]`.
    weight: Value<f32, 2>,
}

/// Features, `[batch, features]`, to unit-norm rows of the joint space.
fn project(graph: &mut Graph, name: &str, features: Value<f32, 2>, head: &Linear) -> Projected {
    let weight = stored(graph, name, head);
    let projected = applied(graph, name, features, weight, head);
    let (embeddings, length) = norm::l2(graph, &format!("{name}.normalized"), projected);
    Projected { embeddings, length, weight }
}

/// A dense layer called `name`, with its bias.
fn read_linear(weights: &Weights, name: &str) -> Result<Linear, WeightsError> {
    Ok(Linear {
        weight: weights.tensor(&format!("{name}.weight"))?,
        bias: Some(weights.tensor(&format!("{name}.bias"))?),
    })
}

/// The normalization called `name`, over the last axis.
fn read_layer_norm(weights: &Weights, name: &str, eps: f64) -> Result<LayerNorm, WeightsError> {
    let part = |part| weights.tensor(&format!("{name}.{part}"));
    Ok(LayerNorm { weight: part("weight")?, bias: part("bias")?, eps })
}

/// The batch normalization called `name`.
fn read_batch_norm(weights: &Weights, name: &str, eps: f64) -> Result<BatchNorm, WeightsError> {
    let part = |part| weights.tensor(&format!("{name}.{part}"));
    Ok(BatchNorm {
        weight: part("weight")?,
        bias: part("bias")?,
        mean: part("running_mean")?,
        variance: part("running_var")?,
        eps,
    })
}

/// The tensors of the batch normalization called `name`.
fn batch_norm_parameters(name: &str, channels: usize) -> [Parameter; 4] {
    ["weight", "bias", "running_mean", "running_var"]
        .map(|part| Parameter::new(format!("{name}.{part}"), [channels]))
}

fn check(field: impl Into<String>, value: usize, range: RangeInclusive<usize>) -> Result<(), ExportError> {
    if range.contains(&value) {
        return Ok(());
    }
    let (low, high) = range.into_inner();
    let requirement = if low == high { format!("{low}") } else { format!("{low} to {high}") };
    Err(ExportError::Architecture { field: field.into(), value, requirement })
}
