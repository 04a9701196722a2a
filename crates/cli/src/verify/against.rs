//! What candle makes of the weights a bundle was made of, and what else they determine.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use medclip_core::architecture::{Architecture, LogitScale, TextPooling, TextTower};
use medclip_core::golden::golden_sentences;
use medclip_core::prompt::sentences;
use medclip_core::{Embeddings, Tokenizer};
use medclip_export::{
    Checkpoint, ImportNote, ImportOptions, Imported, Mode, import, says_lowercase, stated_heads,
};
use medclip_runtime::{Bundle, BundleFile};
use medclip_train::reference::ReferenceModel;
use serde::Serialize;

use super::agreement::Agreement;
use super::compare::{Difference, Limits};
use super::{Answers, BATCHES, Inputs, Reference, SENTENCES};
use crate::import::{TOKENIZERS, refusal};
use crate::say;

/// Largest difference of the logarithm of a temperature: single precision rounds it to this.
const SCALE_ROUNDING: f32 = 1e-6;
/// Sentences of the prompt bank that are embedded at a time, where padding plays no part.
const CHUNK: usize = 64;

/// The answers of the weights; `None` where none were named.
pub(super) fn answers(
    weights: &[PathBuf],
    part: Option<&str>,
    bundle: &Bundle,
    inputs: &Inputs,
    half_precision_text: bool,
) -> anyhow::Result<Option<Reference>> {
    let Some(first) = weights.first() else { return Ok(None) };
    let Opened { checkpoint, mut not_compared, is_directory, has_tokenizer } = open(weights, part, bundle)?;
    let (found, expected) = (&checkpoint.config().architecture, &bundle.config().architecture);
    let differences = differences(expected, found)?;
    ensure!(
        differences.is_empty(),
        "{} holds another architecture than the bundle: {}",
        first.display(),
        differences.join(", ")
    );

    let mut tensors = Vec::new();
    for (name, shape) in checkpoint.weights().shapes() {
        if let Some(values) = checkpoint.weights().values(name)? {
            tensors.push((name.to_owned(), shape.to_vec(), values));
        }
    }
    let model = ReferenceModel::from_tensors(expected, tensors, first)?;
    // Sentences become tokens as the weights have it: the bundle's own tokenizer is one of the things that are compared.
    let tokenizer = checkpoint.tokenizer();
    let images = inputs.images.iter().map(|batch| anyhow::Ok(model.embed_images(batch)?));
    let texts =
        BATCHES.iter().map(|&size| anyhow::Ok(model.embed_texts(&tokenizer.batch(&SENTENCES[..size])?)?));
    let answers = Answers {
        images: images.collect::<anyhow::Result<_>>()?,
        texts: texts.collect::<anyhow::Result<_>>()?,
    };

    let (scale, effective) = scales(bundle, &checkpoint)?;
    let mut compared =
        vec![Agreement::of("architecture", "the towers, heads and pooling", "the towers, heads and pooling")];
    compared.push(scale);
    if is_directory {
        let (own, other) = (bundle.config(), checkpoint.config());
        compared.push(Agreement::of(
            "prompt pooling",
            json(&own.prompt_pooling)?,
            json(&other.prompt_pooling)?,
        ));
        compared.push(Agreement::of("preprocessing", json(&own.preprocess)?, json(&other.preprocess)?));
    } else {
        not_compared.push("preprocessing and prompt pooling, which weights alone do not tell".to_owned());
    }
    if has_tokenizer {
        compared.push(tokens(bundle, tokenizer)?);
    } else {
        not_compared.push(format!(
            "the vocabulary: neither {} is beside {}",
            TOKENIZERS.join(" nor "),
            first.display()
        ));
    }
    compared.push(bank(bundle, &model, tokenizer, Limits::to_weights(half_precision_text))?);
    let name = first.file_name().unwrap_or(first.as_os_str()).to_string_lossy().into_owned();
    let sha256 = checkpoint.weights().sha256().to_owned();
    Ok(Some(Reference { name, sha256, answers, scale: effective.factor(), compared, not_compared }))
}

fn json(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(serde_json::to_string(value)?)
}

/// The weights as a checkpoint.
struct Opened {
    checkpoint: Checkpoint,
    not_compared: Vec<String>,
    is_directory: bool,
    /// Whether its tokenizer is its own, not the bundle's.
    has_tokenizer: bool,
}

/// A checkpoint directory, or files as `medclip import` takes them, with everything that is neither in them nor beside
/// them as the bundle has it.
fn open(weights: &[PathBuf], part: Option<&str>, bundle: &Bundle) -> anyhow::Result<Opened> {
    if let [directory] = weights
        && directory.is_dir()
    {
        let checkpoint = Checkpoint::open(directory).context("cannot read the checkpoint")?;
        return Ok(Opened { checkpoint, not_compared: Vec::new(), is_directory: true, has_tokenizer: true });
    }
    let config = bundle.config();
    let TextTower::Bert(text) = &config.architecture.text;
    let stated = |path: &PathBuf| stated_heads(path, text.hidden_size, text.num_hidden_layers);
    let heads = weights.iter().find_map(stated);
    let mut not_compared = Vec::new();
    if heads.is_none() {
        not_compared.push(
            "the attention heads of the text tower: no config.json beside the weights states them".to_owned(),
        );
    }
    let beside = weights.first().and_then(|first| {
        TOKENIZERS.map(|name| first.with_file_name(name)).into_iter().find(|path| path.is_file())
    });
    let lowercase = config.tokenizer.lowercase
        || beside.as_ref().and_then(|path| says_lowercase(path)).is_some_and(|lowers| lowers);
    let options = ImportOptions {
        name: config.name.clone(),
        description: config.description.clone(),
        image_size: config.preprocess.image_size,
        text_heads: Some(heads.map_or(text.num_attention_heads, |(heads, _)| heads)),
        lowercase: Some(lowercase),
        part: part.map(str::to_owned),
        max_length: config.tokenizer.max_length,
        mode: match text.pooling {
            TextPooling::Masked => Mode::Paper,
            TextPooling::Reference => Mode::Reference,
        },
    };
    let has_tokenizer = beside.is_some();
    let tokenizer = beside.unwrap_or_else(|| bundle.path(BundleFile::Tokenizer));
    let Imported { checkpoint, notes, .. } = import(weights, tokenizer, &options).map_err(refusal)?;
    for note in notes.iter().filter(|note| matches!(note, ImportNote::Weights(_))) {
        say(&format!("note: {note}; --part NAME takes others"));
    }
    Ok(Opened { checkpoint, not_compared, is_directory: false, has_tokenizer })
}

/// Paths of the values in which two architectures differ, with both.
fn differences(bundle: &Architecture, weights: &Architecture) -> anyhow::Result<Vec<String>> {
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
fn scales(bundle: &Bundle, checkpoint: &Checkpoint) -> anyhow::Result<(Agreement, LogitScale)> {
    let stored = checkpoint.weights().values("logit_scale")?.and_then(|values| values.first().copied());
    let stored = stored.context("the weights hold no logit_scale")?;
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
fn tokens(bundle: &Bundle, other: &Tokenizer) -> anyhow::Result<Agreement> {
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

/// The embeddings of the prompt bank beside those that the weights give its sentences.
fn bank(
    bundle: &Bundle,
    model: &ReferenceModel,
    tokenizer: &Tokenizer,
    limits: Limits,
) -> anyhow::Result<Agreement> {
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
