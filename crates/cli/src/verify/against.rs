//! What candle makes of the weights a bundle was made of.

use std::path::PathBuf;

use anyhow::Context;
use medclip_core::architecture::{TextPooling, TextTower};
use medclip_export::{Checkpoint, ImportOptions, Mode, import};
use medclip_runtime::{Bundle, BundleFile};
use medclip_train::reference::ReferenceModel;

use super::{Answers, BATCHES, Inputs, Reference, SENTENCES};

/// The answers of the weights; `None` where none were named.
pub(super) fn answers(
    weights: &[PathBuf],
    bundle: &Bundle,
    inputs: &Inputs,
) -> anyhow::Result<Option<Reference>> {
    let Some(first) = weights.first() else { return Ok(None) };
    let checkpoint = open(weights, bundle)?;
    let (found, expected) = (&checkpoint.config().architecture, &bundle.config().architecture);
    anyhow::ensure!(found == expected, "{} holds another architecture than the bundle", first.display());

    let mut tensors = Vec::new();
    for (name, shape) in checkpoint.weights().shapes() {
        if let Some(values) = checkpoint.weights().values(name)? {
            tensors.push((name.to_owned(), shape.to_vec(), values));
        }
    }
    let model = ReferenceModel::from_tensors(expected, tensors, first)?;
    let tokenizer = bundle.tokenizer()?;
    let images = inputs.images.iter().map(|batch| anyhow::Ok(model.embed_images(batch)?));
    let texts =
        BATCHES.iter().map(|&size| anyhow::Ok(model.embed_texts(&tokenizer.batch(&SENTENCES[..size])?)?));
    let answers = Answers {
        images: images.collect::<anyhow::Result<_>>()?,
        texts: texts.collect::<anyhow::Result<_>>()?,
    };
    let name = first.file_name().unwrap_or(first.as_os_str()).to_string_lossy().into_owned();
    Ok(Some(Reference { name, sha256: checkpoint.weights().sha256().to_owned(), answers }))
}

/// A checkpoint directory, or files as `medclip import` takes them, with everything that is not in them as the bundle
/// has it.
fn open(weights: &[PathBuf], bundle: &Bundle) -> anyhow::Result<Checkpoint> {
    if let [directory] = weights
        && directory.is_dir()
    {
        return Checkpoint::open(directory).context("cannot read the checkpoint");
    }
    let config = bundle.config();
    let TextTower::Bert(text) = &config.architecture.text;
    let options = ImportOptions {
        name: config.name.clone(),
        description: config.description.clone(),
        image_size: config.preprocess.image_size,
        text_heads: Some(text.num_attention_heads),
        lowercase: config.tokenizer.lowercase,
        max_length: config.tokenizer.max_length,
        mode: match text.pooling {
            TextPooling::Masked => Mode::Paper,
            TextPooling::Reference => Mode::Reference,
        },
    };
    import(weights, bundle.path(BundleFile::Tokenizer), &options).context("cannot read the weights")
}
