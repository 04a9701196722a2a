//! Which layers stay in single precision.

use std::collections::BTreeSet;
use std::error::Error;

use medclip_core::quantization::{Form, LayerCost};
use thiserror::Error;

use super::{QuantizeError, Quantizer};
use crate::graph::OnnxFile;

/// What a graph does to the embeddings of the caller's inputs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Mean cosine with the unquantized embeddings.
    pub mean_cosine: f64,
    /// Whether it is good enough.
    pub passes: bool,
}

/// A graph that is good enough, and what it took.
#[derive(Debug)]
pub struct Choice {
    /// The graph.
    pub graph: OnnxFile,
    /// Layers in single precision, the most costly first.
    pub kept: Vec<LayerCost>,
    /// Layers of 8-bit products.
    pub layers: usize,
}

/// Why no graph was chosen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChooseError {
    /// A graph cannot be written.
    #[error(transparent)]
    Quantize(#[from] QuantizeError),
    /// The caller could not measure.
    #[error("a quantised graph cannot be measured")]
    Measure(#[source] Box<dyn Error + Send + Sync>),
    /// However many layers may stay in single precision, it is not good enough.
    #[error(
        "no graph is good enough with up to {max_kept} of {layers} layers in single precision; {} hurts most: quantised alone it costs a cosine of {:.2e}",
        worst.layer, worst.cost
    )]
    Hopeless {
        /// The layer that hurts most.
        worst: LayerCost,
        /// Layers that could stay in single precision.
        max_kept: usize,
        /// Layers in all.
        layers: usize,
    },
}

/// The graph with as few layers in single precision, and at most `max_kept`, as `measure` needs.
///
/// All layers are tried first. Where that is not good enough, some stay in single precision: one, two, three, four, then half as
/// many again. In the static form they are the first ones of the graph, as long as that is enough: their activations differ most
/// between channels, and an engine that changes the layout wherever precisions meet does so once. Otherwise, and in the
/// dynamic form, they are those that cost most when they are quantized alone.
///
/// # Errors
/// [`ChooseError`].
pub fn choose<E>(
    quantizer: &Quantizer,
    max_kept: usize,
    mut measure: impl FnMut(OnnxFile) -> Result<Measured, E>,
) -> Result<Choice, ChooseError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let layers = quantizer.layers().len();
    if call(&mut measure, quantizer.graph(|_| true)?)?.passes {
        return Ok(Choice { graph: quantizer.graph(|_| true)?, kept: Vec::new(), layers });
    }
    let limit = max_kept.min(layers.saturating_sub(1));
    if quantizer.form() == Form::Static {
        let first: Vec<&str> = quantizer.layers().iter().map(String::as_str).collect();
        if let Some((graph, count)) = fewest(quantizer, &first, limit, &mut measure)? {
            let kept = costs_of(quantizer, &first[..count], &mut measure)?;
            return Ok(Choice { graph, kept, layers: layers - count });
        }
    }
    let mut costs = costs(quantizer, &mut measure)?;
    let most_costly: Vec<&str> = costs.iter().map(|cost| cost.layer.as_str()).collect();
    if let Some((graph, count)) = fewest(quantizer, &most_costly, limit, &mut measure)? {
        costs.truncate(count);
        return Ok(Choice { graph, kept: costs, layers: layers - count });
    }
    let worst = costs.into_iter().next().ok_or(QuantizeError::NoLayers)?;
    Err(ChooseError::Hopeless { worst, max_kept, layers })
}

/// The graph with as few of the first layers of `order` in single precision as it takes, and how many those are; none where
/// `limit` of them are not enough.
fn fewest<E>(
    quantizer: &Quantizer,
    order: &[&str],
    limit: usize,
    measure: &mut impl FnMut(OnnxFile) -> Result<Measured, E>,
) -> Result<Option<(OnnxFile, usize)>, ChooseError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let mut count = 1;
    while count <= limit {
        let kept: BTreeSet<&str> = order.iter().take(count).copied().collect();
        let graph = || quantizer.graph(|layer| !kept.contains(layer));
        if call(measure, graph()?)?.passes {
            return Ok(Some((graph()?, count)));
        }
        count = if count == limit { limit + 1 } else { (count + 1).max(count * 3 / 2).min(limit) };
    }
    Ok(None)
}

/// What every layer costs when it alone is quantized, the most costly first; what is not a number costs most.
///
/// # Errors
/// As [`choose`].
pub fn costs<E>(
    quantizer: &Quantizer,
    mut measure: impl FnMut(OnnxFile) -> Result<Measured, E>,
) -> Result<Vec<LayerCost>, ChooseError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let layers: Vec<&str> = quantizer.layers().iter().map(String::as_str).collect();
    costs_of(quantizer, &layers, &mut measure)
}

fn costs_of<E>(
    quantizer: &Quantizer,
    layers: &[&str],
    mut measure: impl FnMut(OnnxFile) -> Result<Measured, E>,
) -> Result<Vec<LayerCost>, ChooseError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let mut costs = Vec::new();
    for &layer in layers {
        let Measured { mean_cosine, .. } = call(&mut measure, quantizer.graph(|other| other == layer)?)?;
        let cost = if mean_cosine.is_nan() { f64::MAX } else { 1.0 - mean_cosine };
        costs.push(LayerCost { layer: layer.to_owned(), cost });
    }
    costs.sort_by(|a, b| b.cost.total_cmp(&a.cost));
    Ok(costs)
}

fn call<E>(
    measure: &mut impl FnMut(OnnxFile) -> Result<Measured, E>,
    graph: OnnxFile,
) -> Result<Measured, ChooseError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    measure(graph).map_err(|error| ChooseError::Measure(error.into()))
}
