//! A tower's graph in another precision: choosing its layers, and judging the result.

use std::path::Path;

use medclip_core::quantization::{Calibration, GateReport, LayerCost, QuantizedTower};
use medclip_core::stop::Stopped;
use medclip_export::OnnxFile;
use medclip_export::quantize::{Measured, Quantizer, choose, costs, half};
use medclip_runtime::{Precision, TowerKind};

use super::error::TowerError;
use super::{Made, QuantizeOptions};
use crate::observer::{Observer, Progress, Work};

/// A graph in another precision.
pub(super) struct Converted {
    /// The graph.
    pub(super) graph: OnnxFile,
    /// Layers that stayed in single precision, the most costly first.
    kept: Vec<LayerCost>,
    /// Layers of 8-bit products.
    layers: usize,
    /// What made it; none in half precision.
    quantizer: Option<Quantizer>,
}

impl Converted {
    /// Chooses the layers of 8-bit products by `measure`; without a quantizer, stores weights in half precision.
    pub(super) fn new(
        source: &Path,
        quantizer: Option<Quantizer>,
        options: &QuantizeOptions,
        observer: &mut dyn Observer,
        measure: impl Fn(OnnxFile) -> Result<Measured, TowerError>,
    ) -> Result<Self, TowerError> {
        let Some(quantizer) = quantizer else {
            return Ok(Self { graph: half(source)?, kept: Vec::new(), layers: 0, quantizer: None });
        };
        let layers = quantizer.layers().len();
        observer.tell(Progress::Begin { work: Work::CompareGraphs, steps: layers });
        let mut stopped = false;
        let choice = choose(&quantizer, options.max_kept(layers), |graph| {
            observer.tell(Progress::Step);
            stopped = observer.is_stopped();
            if stopped { Err(Stopped.into()) } else { measure(graph) }
        });
        let choice =
            choice.map_err(|error| if stopped { TowerError::Stopped(Stopped) } else { error.into() })?;
        observer.tell(Progress::End);
        Ok(Self { graph: choice.graph, kept: choice.kept, layers: choice.layers, quantizer: Some(quantizer) })
    }

    /// Fails where the tower is past its limits, and names the layer that hurts most. `what` are the inputs.
    pub(super) fn pass(
        &self,
        gate: &GateReport,
        what: &'static str,
        measure: impl Fn(OnnxFile) -> Result<Measured, TowerError>,
    ) -> Result<(), TowerError> {
        let failures = gate.failures();
        if failures.is_empty() {
            return Ok(());
        }
        let worst = match &self.quantizer {
            Some(quantizer) => costs(quantizer, measure)?.into_iter().next(),
            None => None,
        };
        Err(TowerError::PastLimits { inputs: gate.inputs, what, failures, worst })
    }

    /// The graph with its report.
    pub(super) fn made(
        self,
        tower: TowerKind,
        precision: Precision,
        calibration: Option<Calibration>,
        gate: GateReport,
        golden_cosine: f64,
    ) -> Made {
        let report = QuantizedTower {
            tower,
            precision,
            medclip: env!("CARGO_PKG_VERSION").to_owned(),
            form: self.quantizer.as_ref().map(Quantizer::form),
            source_sha256: String::new(),
            graph_sha256: String::new(),
            bytes: [0; 2],
            calibration,
            layers: self.layers,
            kept: self.kept,
            gate,
            golden_cosine,
        };
        (report, self.graph)
    }
}
