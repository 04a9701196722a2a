//! What weights determine besides embeddings, compared with what the bundle has.

use medclip_core::architecture::{Architecture, LogitScale, TextPooling, TextTower};
use medclip_core::golden::golden_sentences;
use medclip_core::prompt::sentences;
use medclip_core::{Embeddings, Tokenizer};
use medclip_export::Checkpoint;
use medclip_runtime::Bundle;
use medclip_train::reference::ReferenceModel;

use crate::verify::agreement::Agreement;
use crate::verify::compare::{Difference, ParityLimits};
use crate::verify::error::AgainstError;
use crate::verify::inputs::SENTENCES;

/// Largest difference of the logarithm of a temperature: single precision rounds it to this.
const SCALE_ROUNDING: f32 = 1e-6;
/// Sentences of the prompt bank that are embedded at a time, where padding plays no part.
const CHUNK: usize = 64;

/// Paths of the values in which two architectures differ, with both.
pub(super) fn differences(
    bundle: &Architecture,
    weights: &Architecture,
) -> Result<Vec<String>, AgainstError> {
    let (mut own, mut other) = (Vec::new(), Vec::new());
    flatten("architecture", &serde_json::to_value(bundle)?, &mut own);
    flatten("architecture", &serde_json::to_value(weights)?, &mut other);
    let value = |values: &[(String, String)], path: &str| {
        values
            .iter()
            .find(|(name, _)| name == path)
            .map_or_else(|| "nothing".to_owned(), |(_, value)| value.clone())
    };
    let mut paths: Vec<&String> = own.iter().chain(&other).map(|(path, _)| path).collect();
    paths.sort_unstable();
    paths.dedup();
    let pairs = paths.into_iter().map(|path| (path, value(&own, path), value(&other, path)));
    let different = pairs.filter(|(_, own, other)| own != other);
    Ok(different
        .map(|(path, own, other)| format!("{path} is {own} in the bundle, {other} in the weights"))
        .collect())
}

fn flatten(path: &str, value: &serde_json::Value, into: &mut Vec<(String, String)>) {
    match value.as_object() {
        Some(fields) => {
            fields.iter().for_each(|(name, value)| flatten(&format!("{path}.{name}"), value, into));
        }
        None => into.push((path.to_owned(), value.to_string())),
    }
}

/// The temperature on both sides, as it takes effect: limited to the range that the method allows.
pub(super) fn scales(
    bundle: &Bundle,
    checkpoint: &Checkpoint,
) -> Result<(Agreement, LogitScale), AgainstError> {
    let stored = checkpoint.weights().values("logit_scale")?.and_then(|values| values.first().copied());
    let stored = stored.ok_or(AgainstError::NoScale)?;
    let (own, other) = (bundle.logit_scale(), LogitScale::new(stored));
    let text = |stored: f32, effective: LogitScale| {
        let limited = if stored.to_bits() == effective.ln().to_bits() {
            String::new()
        } else {
            format!(" (stored as {stored})")
        };
        format!("{}{limited}", effective.ln())
    };
    let agreement = Agreement {
        what: "logit_scale".to_owned(),
        bundle: text(bundle.config().logit_scale, own),
        weights: text(stored, other),
        agrees: (own.ln() - other.ln()).abs() <= SCALE_ROUNDING,
    };
    Ok((agreement, other))
}

/// The ids of the golden sentences, of those of this comparison and of the prompts.
pub(super) fn tokens(bundle: &Bundle, other: &Tokenizer) -> Result<Agreement, AgainstError> {
    let own = bundle.tokenizer()?;
    let golden = golden_sentences();
    let lines = golden.iter().map(String::as_str).chain(SENTENCES).chain(sentences(bundle.bank().classes()));
    let (mut count, mut first) = (0, None);
    for line in lines {
        let (own, other) = (own.encode(line)?, other.encode(line)?);
        if own != other && first.is_none() {
            first = Some((own, other, line.to_owned()));
        }
        count += 1;
    }
    let what = "tokens of sentences";
    Ok(match first {
        None => Agreement::of(
            what,
            format!("the ids of {count} sentences"),
            format!("the ids of {count} sentences"),
        ),
        Some((own, other, line)) => {
            Agreement::of(format!("{what} (`{line}`)"), format!("{own:?}"), format!("{other:?}"))
        }
    })
}

/// The embeddings of the prompt bank, compared with those that the weights give its sentences.
pub(super) fn bank(
    bundle: &Bundle,
    model: &ReferenceModel,
    tokenizer: &Tokenizer,
    limits: ParityLimits,
) -> Result<Agreement, AgainstError> {
    let (bank, lines) = (bundle.bank(), sentences(bundle.bank().classes()));
    let TextTower::Bert(text) = &bundle.config().architecture.text;
    // Where padding takes part, the sentences of a bank are one batch.
    let size = if text.pooling == TextPooling::Reference { lines.len() } else { CHUNK };
    let mut values = Vec::new();
    for chunk in lines.chunks(size.max(1)) {
        values.extend_from_slice(model.embed_texts(&tokenizer.batch(chunk)?)?.data());
    }
    let expected = Embeddings::new(values, bank.dim())?;
    let cosine = Difference::new(bank.embeddings(), &expected).cosine;
    Ok(Agreement {
        what: "prompt bank".to_owned(),
        bundle: format!("{} embeddings", lines.len()),
        weights: format!("least cosine {cosine:.7}"),
        agrees: cosine >= limits.text_cosine,
    })
}
