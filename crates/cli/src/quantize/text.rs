//! The text tower in a further precision.

use anyhow::bail;
use medclip_core::bundle::sha256;
use medclip_core::quantization::{Form, GateReport, QuantizedTower};
use medclip_core::{Embeddings, Tokenizer};
use medclip_export::OnnxFile;
use medclip_export::quantize::{Measured, Quantizer, choose, costs, half};
use medclip_runtime::{Bundle, BundleFile, GraphSource, ModelOptions, Precision, TowerKind, embed_sentences};

use super::{Made, QuantizeSettings, gate};
use crate::output::progress;

/// What is chosen uses this share of what the gate allows: the worst of more sentences is worse.
const MARGIN: f64 = 0.7;

pub(super) fn quantize(
    bundle: &Bundle,
    precision: Precision,
    settings: &QuantizeSettings,
    options: &ModelOptions,
) -> anyhow::Result<Made> {
    let source = bundle.path(BundleFile::TextGraph);
    let judge = Judge::new(bundle, options)?;
    let quantizer = match precision {
        Precision::Int8 => Some(Quantizer::dynamic(&source)?),
        _ => None,
    };
    let measure = |graph: OnnxFile| {
        let found = judge.embed(GraphSource::Bytes(&graph.into_bytes()), &judge.tuning)?;
        let (least, mean_cosine) = gate::cosines(&found, &judge.of_tuning);
        let passes = 1.0 - least <= MARGIN * (1.0 - settings.gate.cosine);
        anyhow::Ok(Measured { mean_cosine, passes })
    };
    let (graph, kept, layers) = match &quantizer {
        Some(quantizer) => {
            let bar = progress(quantizer.layers().len(), "graphs");
            let choice = choose(quantizer, settings.max_kept(quantizer.layers().len()), |graph| {
                bar.inc(1);
                measure(graph)
            })?;
            bar.finish_and_clear();
            (choice.graph, choice.kept, choice.layers)
        }
        None => (half(&source)?, Vec::new(), 0),
    };
    let bytes = graph.clone().into_bytes();
    let found = judge.embed(GraphSource::Bytes(&bytes), &judge.gate)?;
    let (least_cosine, mean_cosine) = gate::cosines(&found, &judge.of_gate);
    let inputs = found.rows();
    let gate =
        GateReport { inputs, limits: settings.gate, least_cosine, mean_cosine, ..GateReport::default() };
    let failures = gate.failures();
    if !failures.is_empty() {
        let worst = match &quantizer {
            Some(quantizer) => costs(quantizer, measure)?.into_iter().next(),
            None => None,
        };
        let worst = worst.map_or_else(String::new, |worst| {
            format!("; {} hurts most: quantised alone it costs a cosine of {:.2e}", worst.layer, worst.cost)
        });
        bail!("on {inputs} sentences: {}{worst}", failures.join(", "));
    }
    let golden: Vec<&str> = bundle.golden().sentences().iter().map(String::as_str).collect();
    let of_golden = judge.embed(GraphSource::Bytes(&bytes), &golden)?;
    let (golden_cosine, _) = gate::cosines(&of_golden, bundle.golden().text_embeddings());
    let report = QuantizedTower {
        tower: TowerKind::Text,
        precision,
        medclip: env!("CARGO_PKG_VERSION").to_owned(),
        form: quantizer.as_ref().map(|_| Form::Dynamic),
        source_sha256: String::new(),
        graph_sha256: String::new(),
        bytes: [0; 2],
        calibration: None,
        layers,
        kept,
        gate,
        golden_cosine,
    };
    Ok((report, graph))
}

/// Compares graphs with the model's own, on the model's prompts.
struct Judge<'a> {
    bundle: &'a Bundle,
    options: &'a ModelOptions,
    tokenizer: Tokenizer,
    tuning: Vec<&'a str>,
    gate: Vec<&'a str>,
    of_tuning: Embeddings,
    of_gate: Embeddings,
}

impl<'a> Judge<'a> {
    fn new(bundle: &'a Bundle, options: &'a ModelOptions) -> anyhow::Result<Self> {
        let classes = bundle.bank().classes().iter();
        let mut sentences: Vec<&str> = classes
            .flat_map(|class| class.positive.iter().chain(&class.negative))
            .map(String::as_str)
            .collect();
        sentences.sort_unstable();
        sentences.dedup();
        let is_for_tuning = |sentence: &&str| {
            let sum = sha256(sentence.as_bytes());
            u32::from_str_radix(&sum[..8], 16).is_ok_and(|number| number.is_multiple_of(3))
        };
        let (tuning, gate): (Vec<&str>, Vec<&str>) = sentences.iter().partition(|line| is_for_tuning(line));
        if tuning.is_empty() || gate.is_empty() {
            bail!("{} prompts are too few to choose by some and judge by others", sentences.len());
        }
        let tokenizer = bundle.tokenizer()?;
        let empty = || Embeddings::new(Vec::new(), 1);
        let mut judge =
            Self { bundle, options, tokenizer, tuning, gate, of_tuning: empty()?, of_gate: empty()? };
        let path = bundle.path(BundleFile::TextGraph);
        judge.of_tuning = judge.embed(GraphSource::File(&path), &judge.tuning)?;
        judge.of_gate = judge.embed(GraphSource::File(&path), &judge.gate)?;
        Ok(judge)
    }

    fn embed(&self, graph: GraphSource<'_>, sentences: &[&str]) -> anyhow::Result<Embeddings> {
        let config = self.bundle.config();
        Ok(embed_sentences(graph, config, &self.tokenizer, &[sentences], self.options.clone())?)
    }
}
