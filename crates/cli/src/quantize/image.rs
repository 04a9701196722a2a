//! The image tower in a further precision.

use std::path::Path;

use anyhow::{Context, bail};
use medclip_core::architecture::ImageTower;
use medclip_core::quantization::{Calibration, Form, GateReport, QuantizedTower};
use medclip_core::{Embeddings, ImageBatch};
use medclip_export::OnnxFile;
use medclip_export::quantize::{Calibrator, Measured, Quantizer, choose, costs, half};
use medclip_runtime::{Bundle, BundleFile, GraphSource, ModelOptions, Precision, Probe, TowerKind};

use super::films::{Films, Part};
use super::{Made, QuantizeSettings, gate};
use crate::output::progress;

/// What is chosen uses this share of what the gate allows: the worst of more films is worse.
const MARGIN: f64 = 0.7;
/// How much farther than the limit the golden images may be: they are drawings, and there whatever the films are.
const GOLDEN_SLACK: f64 = 10.0;

pub(super) fn quantize(
    bundle: &Bundle,
    precision: Precision,
    films: &Films,
    settings: &QuantizeSettings,
    options: &ModelOptions,
) -> anyhow::Result<Made> {
    let source = bundle.path(BundleFile::ImageGraph);
    let judge = Judge::new(bundle, films, settings, options)?;
    let (graph, form, calibration, layers, kept);
    let mut quantizer = None;
    if precision == Precision::Int8 {
        let (made, how) = quantizer_of(bundle, &source, &films.calibration, settings, options)?;
        form = Some(made.form());
        calibration = how;
        let bar = progress(made.layers().len(), "graphs");
        let measure = |graph: OnnxFile| {
            bar.inc(1);
            judge.measure(graph)
        };
        let choice = choose(&made, settings.max_kept(made.layers().len()), measure)?;
        bar.finish_and_clear();
        (graph, kept, layers) = (choice.graph, choice.kept, choice.layers);
        quantizer = Some(made);
    } else {
        graph = half(&source)?;
        (form, calibration, kept, layers) = (None, None, Vec::new(), 0);
    }
    let bytes = graph.clone().into_bytes();
    let (gate, golden_cosine) = judge.report(&bytes)?;
    let failures = gate.failures();
    if !failures.is_empty() {
        let worst = match &quantizer {
            Some(quantizer) => costs(quantizer, |graph| judge.measure(graph))?.into_iter().next(),
            None => None,
        };
        let worst = worst.map_or_else(String::new, |worst| {
            format!("; {} hurts most: quantised alone it costs a cosine of {:.2e}", worst.layer, worst.cost)
        });
        bail!("on {} films: {}{worst}", gate.inputs, failures.join(", "));
    }
    let report = QuantizedTower {
        tower: TowerKind::Image,
        precision,
        medclip: env!("CARGO_PKG_VERSION").to_owned(),
        form,
        source_sha256: String::new(),
        graph_sha256: String::new(),
        bytes: [0; 2],
        calibration,
        layers,
        kept,
        gate,
        golden_cosine,
    };
    Ok((report, graph))
}

/// A quantiser of the form that fits the tower.
fn quantizer_of(
    bundle: &Bundle,
    source: &Path,
    films: &Part,
    settings: &QuantizeSettings,
    options: &ModelOptions,
) -> anyhow::Result<(Quantizer, Option<Calibration>)> {
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
    let probe = Probe::load(GraphSource::Bytes(&graph), bundle.config(), width, options)?;
    let bar = progress(2 * films.len(), "films measured");
    for pass in [Calibrator::widen, Calibrator::count] {
        for batch in &films.batches {
            for row in &probe.run(batch)? {
                pass(&mut calibrator, row)?;
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    let method = settings.ranges.to_string();
    let calibration = Calibration { method, images: films.len() };
    Ok((calibrator.finish(settings.ranges)?, Some(calibration)))
}

/// Compares graphs with the model's own.
struct Judge<'a> {
    bundle: &'a Bundle,
    films: &'a Films,
    settings: &'a QuantizeSettings,
    options: &'a ModelOptions,
    golden: ImageBatch,
    /// The model's own embeddings of the films that layers are chosen by.
    tuning: Embeddings,
    /// And of those that are for the gate.
    gate: Embeddings,
}

impl<'a> Judge<'a> {
    fn new(
        bundle: &'a Bundle,
        films: &'a Films,
        settings: &'a QuantizeSettings,
        options: &'a ModelOptions,
    ) -> anyhow::Result<Self> {
        let golden = bundle.preprocessor().batch(bundle.golden().images())?;
        let source = bundle.path(BundleFile::ImageGraph);
        let dim = bundle.config().architecture.embedding_dim;
        let probe = Probe::load(GraphSource::File(&source), bundle.config(), dim, options)?;
        let tuning = embed(&probe, &films.calibration.batches)?;
        let gate = embed(&probe, &films.gate.batches)?;
        Ok(Self { bundle, films, settings, options, golden, tuning, gate })
    }

    fn load(&self, graph: &[u8]) -> anyhow::Result<Probe> {
        let dim = self.bundle.config().architecture.embedding_dim;
        Probe::load(GraphSource::Bytes(graph), self.bundle.config(), dim, self.options)
            .context("the quantised graph cannot be loaded")
    }

    /// Whether a graph is well within the limits on the films that layers are chosen by, and sane on the golden images.
    fn measure(&self, graph: OnnxFile) -> anyhow::Result<Measured> {
        let probe = self.load(&graph.into_bytes())?;
        let found = embed(&probe, &self.films.calibration.batches)?;
        let (least, mean) = gate::cosines(&found, &self.tuning);
        let (golden, golden_mean) = self.golden(&probe)?;
        let allowed = 1.0 - self.settings.gate.cosine;
        // One film may always change its first class: of a few it says nothing.
        let count = found.rows() as f64;
        let changed = (1.0 - gate::top1(&found, &self.tuning, self.bundle)) * count;
        let passes = 1.0 - least <= MARGIN * allowed
            && 1.0 - golden <= GOLDEN_SLACK * allowed
            && changed <= (MARGIN * (1.0 - self.settings.gate.top1) * count).max(1.0);
        // Of all together: films that are all alike hide what a layer does.
        let drawn = self.bundle.golden().images().len() as f64;
        let mean_cosine = (count * mean + drawn * golden_mean) / (count + drawn);
        Ok(Measured { mean_cosine, passes })
    }

    /// What the gate says of a graph, and the least cosine of a golden image.
    fn report(&self, graph: &[u8]) -> anyhow::Result<(GateReport, f64)> {
        let probe = self.load(graph)?;
        let found = embed(&probe, &self.films.gate.batches)?;
        let labels = &self.films.gate.labels;
        let report = gate::images(&found, &self.gate, labels, self.bundle, self.settings.gate);
        Ok((report, self.golden(&probe)?.0))
    }

    fn golden(&self, probe: &Probe) -> anyhow::Result<(f64, f64)> {
        Ok(gate::cosines(&probe.run(&self.golden)?, self.bundle.golden().image_embeddings()))
    }
}

fn embed(probe: &Probe, batches: &[ImageBatch]) -> anyhow::Result<Embeddings> {
    let mut values = Vec::new();
    let mut dim = 1;
    for batch in batches {
        let found = probe.run(batch)?;
        dim = found.dim();
        values.extend_from_slice(found.data());
    }
    Ok(Embeddings::new(values, dim)?)
}
