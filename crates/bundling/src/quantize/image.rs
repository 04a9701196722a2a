//! The image tower in a further precision.

use std::path::Path;

use medclip_core::architecture::ImageTower;
use medclip_core::quantization::{Calibration, Form, GateReport};
use medclip_core::stop::Stopped;
use medclip_core::{Embeddings, ImageBatch};
use medclip_export::OnnxFile;
use medclip_export::quantize::{Calibrator, Measured, Quantizer};
use medclip_runtime::{Bundle, BundleFile, GraphSource, Precision, Probe, TowerKind};

use super::convert::Converted;
use super::error::TowerError;
use super::films::{Films, Part};
use super::{Made, QuantizeOptions, gate};
use crate::observer::{Observer, Progress, Work};

/// What is chosen uses this share of what the gate allows: the worst of more films is worse.
const MARGIN: f64 = 0.7;
/// How much farther than the limit the golden images may be: they are drawings, and there whatever the films are.
const GOLDEN_SLACK: f64 = 10.0;

pub(super) fn quantize(
    bundle: &Bundle,
    precision: Precision,
    films: &Films,
    options: &QuantizeOptions,
    observer: &mut dyn Observer,
) -> Result<Made, TowerError> {
    let source = bundle.path(BundleFile::IMAGE_GRAPH);
    let judge = Judge::new(bundle, films, options)?;
    let (quantizer, calibration) = match precision {
        Precision::Int8 => {
            let (quantizer, calibration) =
                quantizer_of(bundle, &source, &films.calibration, options, observer)?;
            (Some(quantizer), calibration)
        }
        _ => (None, None),
    };
    let measure = |graph: OnnxFile| judge.measure(graph);
    let converted = Converted::new(&source, quantizer, options, observer, measure)?;
    let (gate, golden_cosine) = judge.report(&converted.graph.clone().into_bytes())?;
    converted.pass(&gate, "films", measure)?;
    Ok(converted.made(TowerKind::Image, precision, calibration, gate, golden_cosine))
}

/// A quantizer of the form that fits the tower.
fn quantizer_of(
    bundle: &Bundle,
    source: &Path,
    films: &Part,
    options: &QuantizeOptions,
    observer: &mut dyn Observer,
) -> Result<(Quantizer, Option<Calibration>), TowerError> {
    let form = match bundle.config().architecture.image {
        ImageTower::Swin(_) => Form::Dynamic,
        ImageTower::EfficientnetLite(_) | ImageTower::Resnet(_) => Form::Static,
    };
    if form == Form::Dynamic {
        return Ok((Quantizer::dynamic(source)?, None));
    }
    let mut calibrator = Calibrator::open(source)?;
    let (graph, width) = calibrator.probe()?;
    let graph = graph.into_bytes();
    let probe = Probe::load(GraphSource::Bytes(&graph), bundle.config(), width, &options.model)?;
    observer.tell(Progress::Begin { work: Work::MeasureFilms, steps: 2 * films.len() });
    for pass in [Calibrator::widen, Calibrator::count] {
        for batch in &films.batches {
            for row in &probe.run(batch)? {
                pass(&mut calibrator, row)?;
                observer.tell(Progress::Step);
                if observer.is_stopped() {
                    return Err(Stopped.into());
                }
            }
        }
    }
    observer.tell(Progress::End);
    let method = options.ranges.to_string();
    let calibration = Calibration { method, images: films.len() };
    Ok((calibrator.finish(options.ranges)?, Some(calibration)))
}

/// Compares graphs with the model's own.
struct Judge<'a> {
    bundle: &'a Bundle,
    films: &'a Films,
    options: &'a QuantizeOptions,
    golden: ImageBatch,
    /// The model's own embeddings of the films that layers are chosen by.
    tuning: Embeddings,
    /// And of those that are for the gate.
    gate: Embeddings,
}

impl<'a> Judge<'a> {
    fn new(bundle: &'a Bundle, films: &'a Films, options: &'a QuantizeOptions) -> Result<Self, TowerError> {
        let golden = bundle.preprocessor().batch(bundle.golden().images())?;
        let source = bundle.path(BundleFile::IMAGE_GRAPH);
        let dim = bundle.config().architecture.embedding_dim;
        let probe = Probe::load(GraphSource::File(&source), bundle.config(), dim, &options.model)?;
        let tuning = embed(&probe, &films.calibration.batches)?;
        let gate = embed(&probe, &films.gate.batches)?;
        Ok(Self { bundle, films, options, golden, tuning, gate })
    }

    fn load(&self, graph: &[u8]) -> Result<Probe, TowerError> {
        let dim = self.bundle.config().architecture.embedding_dim;
        Probe::load(GraphSource::Bytes(graph), self.bundle.config(), dim, &self.options.model)
            .map_err(TowerError::LoadNew)
    }

    /// Whether a graph is well within the limits on the films that layers are chosen by, and sane on the golden images.
    fn measure(&self, graph: OnnxFile) -> Result<Measured, TowerError> {
        let probe = self.load(&graph.into_bytes())?;
        let found = embed(&probe, &self.films.calibration.batches)?;
        let (least, mean) = gate::cosines(&found, &self.tuning);
        let (golden, golden_mean) = self.golden(&probe)?;
        let allowed = 1.0 - self.options.limits.cosine;
        // One film may always change its first class: of a few it says nothing.
        let count = found.rows() as f64;
        let changed = (1.0 - gate::top1(&found, &self.tuning, self.bundle)) * count;
        let passes = 1.0 - least <= MARGIN * allowed
            && 1.0 - golden <= GOLDEN_SLACK * allowed
            && changed <= (MARGIN * (1.0 - self.options.limits.top1) * count).max(1.0);
        // Of all together: films that are all alike hide what a layer does.
        let drawn = self.bundle.golden().images().len() as f64;
        let mean_cosine = (count * mean + drawn * golden_mean) / (count + drawn);
        Ok(Measured { mean_cosine, passes })
    }

    /// What the gate says of a graph, and the least cosine of a golden image.
    fn report(&self, graph: &[u8]) -> Result<(GateReport, f64), TowerError> {
        let probe = self.load(graph)?;
        let found = embed(&probe, &self.films.gate.batches)?;
        let labels = &self.films.gate.labels;
        let report = gate::images(&found, &self.gate, labels, self.bundle, self.options.limits);
        Ok((report, self.golden(&probe)?.0))
    }

    fn golden(&self, probe: &Probe) -> Result<(f64, f64), TowerError> {
        Ok(gate::cosines(&probe.run(&self.golden)?, self.bundle.golden().image_embeddings()))
    }
}

fn embed(probe: &Probe, batches: &[ImageBatch]) -> Result<Embeddings, TowerError> {
    let mut values = Vec::new();
    let mut dim = 1;
    for batch in batches {
        let found = probe.run(batch)?;
        dim = found.dim();
        values.extend_from_slice(found.data());
    }
    Ok(Embeddings::new(values, dim)?)
}
