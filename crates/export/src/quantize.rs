//! Towers in further precisions, made of the graphs this crate wrote.
//!
//! [`half()`] stores weights in half precision. A [`Quantizer`] writes 8-bit layers: [`Quantizer::dynamic`] dense layers that
//! find the range of their input while they run, for transformers; [`Calibrator::finish`] convolutions in ranges measured
//! beforehand. [`choose()`] leaves layers in single precision, as few as the caller's measure needs.
//!
//! No engine runs here: the caller runs the graphs that a [`Calibrator`] and [`choose()`] hand out.

mod calibrate;
mod choose;
mod dynamic;
mod fixed;
mod half;
mod histogram;
mod place;
mod rewrite;
mod scale;
mod shape;

use std::collections::BTreeSet;
use std::path::Path;

use medclip_core::quantization::Form;
use thiserror::Error;

pub use calibrate::Calibrator;
pub use choose::{Choice, ChooseError, Measured, choose, costs};
pub use histogram::{RangeMethod, UnknownRangeMethod};
pub use place::add_towers;

use crate::error::ExportError;
use crate::graph::OnnxFile;
pub use crate::graph::stored::ReadGraphError;
use crate::graph::stored::StoredGraph;

/// Writes a graph with any of its layers quantized.
#[derive(Debug)]
pub struct Quantizer {
    source: StoredGraph,
    layers: Vec<String>,
    plan: Plan,
}

#[derive(Debug)]
enum Plan {
    Dynamic,
    Fixed(fixed::Ranges),
}

/// Why a graph cannot be quantized.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QuantizeError {
    /// The graph cannot be read back.
    #[error(transparent)]
    Read(#[from] ReadGraphError),
    /// The quantized graph cannot be written.
    #[error(transparent)]
    Write(#[from] ExportError),
    /// A graph without dense layers or convolutions.
    #[error("it has no layer to quantise")]
    NoLayers,
    /// An operator whose output's size is not known here.
    #[error("the size of {value}, which {operator} makes, cannot be told")]
    Shape {
        /// The value.
        value: String,
        /// What makes it.
        operator: String,
    },
    /// A row of activations of another length than the probe gives.
    #[error("{actual} activations, the probe gives {expected}")]
    Activations {
        /// Values given.
        actual: usize,
        /// Values a probe of this graph gives.
        expected: usize,
    },
    /// No activation was measured.
    #[error("no activation was measured; calibration needs at least one image")]
    Uncalibrated,
}

impl Quantizer {
    /// Of the dense layers of the graph in `path`, each finding the range of its input while it runs.
    ///
    /// # Errors
    /// [`QuantizeError::Read`], [`QuantizeError::NoLayers`].
    pub fn dynamic(path: &Path) -> Result<Self, QuantizeError> {
        let source = StoredGraph::open(path)?;
        let layers = dynamic::layers(&source);
        Self::new(source, layers, Plan::Dynamic)
    }

    fn new(source: StoredGraph, layers: Vec<String>, plan: Plan) -> Result<Self, QuantizeError> {
        if layers.is_empty() { Err(QuantizeError::NoLayers) } else { Ok(Self { source, layers, plan }) }
    }

    /// Layers that can be quantized, in the graph's order.
    pub fn layers(&self) -> &[String] {
        &self.layers
    }

    /// Where 8-bit numbers come in.
    pub const fn form(&self) -> Form {
        match self.plan {
            Plan::Dynamic => Form::Dynamic,
            Plan::Fixed(_) => Form::Static,
        }
    }

    /// The graph with every layer quantized for which `quantized` is true.
    ///
    /// # Errors
    /// [`QuantizeError::Write`].
    pub fn graph(&self, quantized: impl Fn(&str) -> bool) -> Result<OnnxFile, QuantizeError> {
        let quantized: BTreeSet<&str> =
            self.layers.iter().map(String::as_str).filter(|layer| quantized(layer)).collect();
        let graph = match &self.plan {
            Plan::Dynamic => dynamic::graph(&self.source, &quantized),
            Plan::Fixed(ranges) => fixed::graph(&self.source, ranges, &quantized),
        };
        Ok(self.source.file(graph)?)
    }
}

/// The graph in `path` with its weights stored in half precision; arithmetic stays single.
///
/// # Errors
/// [`QuantizeError::Read`], and [`QuantizeError::Write`] for a weight that half precision cannot hold.
pub fn half(path: &Path) -> Result<OnnxFile, QuantizeError> {
    let source = StoredGraph::open(path)?;
    Ok(source.file(half::graph(&source)?)?)
}
