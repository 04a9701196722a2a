//! Ranges of activations, measured on images.

use std::path::Path;

use medclip_core::graph::IMAGE_EMBEDDINGS;

use super::histogram::{Histogram, RangeMethod};
use super::scale::Affine;
use super::shape::{Sizes, sizes};
use super::{Plan, QuantizeError, Quantizer, fixed};
use crate::graph::stored::StoredGraph;
use crate::graph::{Dimension, OnnxFile, attribute, value};
use medclip_onnx::{GraphProto, NodeProto};

/// Measures activations of a convolutional tower: once [`Calibrator::widen`], then [`Calibrator::count`], every image.
#[derive(Debug)]
pub struct Calibrator {
    source: StoredGraph,
    observed: Vec<Observed>,
    width: usize,
}

/// An activation and where it is in a probe's row.
#[derive(Debug)]
struct Observed {
    value: String,
    start: usize,
    end: usize,
    histogram: Histogram,
}

impl Calibrator {
    /// Of the graph in `path`.
    ///
    /// # Errors
    /// [`QuantizeError::Read`]; [`QuantizeError::Shape`] for a tower that is not of convolutions.
    pub fn open(path: &Path) -> Result<Self, QuantizeError> {
        let source = StoredGraph::open(path)?;
        let values = fixed::measured(&source);
        let sizes = sizes(&source, &values)?;
        let mut width = 0;
        let mut observed = Vec::new();
        for value in values {
            let start = width;
            width += sizes.get(value).map_or(0, |sizes: &Sizes| sizes.iter().product());
            observed.push(Observed {
                value: value.to_owned(),
                start,
                end: width,
                histogram: Histogram::new(),
            });
        }
        Ok(Self { source, observed, width })
    }

    /// A graph with the model's input and contract whose one output holds every activation of an image in a row:
    /// `[batch, width]` under the name of the embeddings, with the width beside it.
    ///
    /// # Errors
    /// [`QuantizeError::Write`], [`QuantizeError::NoLayers`].
    pub fn probe(&self) -> Result<(OnnxFile, usize), QuantizeError> {
        if self.observed.is_empty() {
            return Err(QuantizeError::NoLayers);
        }
        let old = self.source.graph();
        let is_output = |name: &String| name == IMAGE_EMBEDDINGS;
        let mut nodes: Vec<NodeProto> =
            old.node.iter().filter(|node| !node.output.iter().any(is_output)).cloned().collect();
        let node = |operator: &str, input: Vec<String>, output: String| NodeProto {
            input,
            name: Some(output.clone()),
            output: vec![output],
            op_type: Some(operator.to_owned()),
            attribute: vec![attribute::int("axis", 1)],
        };
        let rows: Vec<String> = self.observed.iter().map(|each| format!("{}.observed", each.value)).collect();
        for (each, row) in self.observed.iter().zip(&rows) {
            nodes.push(node("Flatten", vec![each.value.clone()], row.clone()));
        }
        nodes.push(node("Concat", rows, IMAGE_EMBEDDINGS.to_owned()));
        let shape = [Dimension::Symbol("batch"), Dimension::Fixed(self.width)];
        let graph = GraphProto {
            node: nodes,
            output: vec![value::info::<f32>(IMAGE_EMBEDDINGS, &shape, "activations")],
            ..old.clone()
        };
        Ok((self.source.file(graph)?, self.width))
    }

    /// Takes note of the smallest and largest activations of an image: a row of the probe's output.
    ///
    /// # Errors
    /// [`QuantizeError::Activations`].
    pub fn widen(&mut self, row: &[f32]) -> Result<(), QuantizeError> {
        self.each(row, Histogram::widen)
    }

    /// Counts the activations of an image, between extremes that all images together have.
    ///
    /// # Errors
    /// [`QuantizeError::Activations`].
    pub fn count(&mut self, row: &[f32]) -> Result<(), QuantizeError> {
        self.each(row, Histogram::count)
    }

    fn each(&mut self, row: &[f32], take: impl Fn(&mut Histogram, &[f32])) -> Result<(), QuantizeError> {
        if row.len() != self.width {
            return Err(QuantizeError::Activations { actual: row.len(), expected: self.width });
        }
        for each in &mut self.observed {
            take(&mut each.histogram, &row[each.start..each.end]);
        }
        Ok(())
    }

    /// A quantizer with ranges chosen by `method`.
    ///
    /// # Errors
    /// [`QuantizeError::Uncalibrated`], [`QuantizeError::NoLayers`].
    pub fn finish(self, method: RangeMethod) -> Result<Quantizer, QuantizeError> {
        let mut ranges = fixed::Ranges::new();
        for each in self.observed {
            let [low, high] = each.histogram.range(method).ok_or(QuantizeError::Uncalibrated)?;
            ranges.insert(each.value, Affine::new(low, high));
        }
        let layers = fixed::layers(&self.source);
        Quantizer::new(self.source, layers, Plan::Fixed(ranges))
    }
}
