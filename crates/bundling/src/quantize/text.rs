//! The text tower in a further precision.

use medclip_core::quantization::GateReport;
use medclip_core::{Embeddings, Tokenizer};
use medclip_export::OnnxFile;
use medclip_export::quantize::{Measured, Quantizer};
use medclip_files::sha256;
use medclip_runtime::{Bundle, BundleFile, GraphSource, ModelOptions, Precision, TowerKind, embed_sentences};

use super::convert::Converted;
use super::error::TowerError;
use super::{Made, QuantizeOptions, gate};
use crate::observer::Observer;

/// What is chosen uses this share of what the gate allows: the worst of more sentences is worse.
const MARGIN: f64 = 0.7;

pub(super) fn quantize(
    bundle: &Bundle,
    precision: Precision,
    options: &QuantizeOptions,
    observer: &mut dyn Observer,
) -> Result<Made, TowerError> {
    let source = bundle.path(BundleFile::TEXT_GRAPH);
    let judge = Judge::new(bundle, &options.model)?;
    let quantizer = match precision {
        Precision::Int8 => Some(Quantizer::dynamic(&source)?),
        _ => None,
    };
    let measure = |graph: OnnxFile| {
        let found = judge.embed(GraphSource::Bytes(&graph.into_bytes()), &judge.tuning)?;
        let (least, mean_cosine) = gate::cosines(&found, &judge.of_tuning);
        let passes = 1.0 - least <= MARGIN * (1.0 - options.limits.cosine);
        Ok(Measured { mean_cosine, passes })
    };
    let converted = Converted::new(&source, quantizer, options, observer, measure)?;
    let bytes = converted.graph.clone().into_bytes();
    let found = judge.embed(GraphSource::Bytes(&bytes), &judge.gate)?;
    let (least_cosine, mean_cosine) = gate::cosines(&found, &judge.of_gate);
    let (inputs, limits) = (found.rows(), options.limits);
    let gate = GateReport { inputs, limits, least_cosine, mean_cosine, ..GateReport::default() };
    converted.pass(&gate, "sentences", measure)?;
    let golden: Vec<&str> = bundle.golden().sentences().iter().map(String::as_str).collect();
    let of_golden = judge.embed(GraphSource::Bytes(&bytes), &golden)?;
    let (golden_cosine, _) = gate::cosines(&of_golden, bundle.golden().text_embeddings());
    Ok(converted.made(TowerKind::Text, precision, None, gate, golden_cosine))
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
    fn new(bundle: &'a Bundle, options: &'a ModelOptions) -> Result<Self, TowerError> {
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
            return Err(TowerError::FewPrompts { count: sentences.len() });
        }
        let tokenizer = bundle.tokenizer()?;
        let empty = || Embeddings::new(Vec::new(), 1);
        let mut judge =
            Self { bundle, options, tokenizer, tuning, gate, of_tuning: empty()?, of_gate: empty()? };
        let path = bundle.path(BundleFile::TEXT_GRAPH);
        judge.of_tuning = judge.embed(GraphSource::File(&path), &judge.tuning)?;
        judge.of_gate = judge.embed(GraphSource::File(&path), &judge.gate)?;
        Ok(judge)
    }

    fn embed(&self, graph: GraphSource<'_>, sentences: &[&str]) -> Result<Embeddings, TowerError> {
        let config = self.bundle.config();
        Ok(embed_sentences(graph, config, &self.tokenizer, &[sentences], self.options.clone())?)
    }
}
