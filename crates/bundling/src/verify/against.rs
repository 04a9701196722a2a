//! A bundle compared with candle's forward pass of the weights it was made of, and the certificate of that.

mod open;
mod settings;

use std::path::PathBuf;

use medclip_core::ImageBatch;
use medclip_runtime::{Bundle, Precision, PrecisionChoice};
use medclip_train::reference::ReferenceModel;
use serde::Serialize;

use super::agreement::Agreement;
use super::compare::ParityLimits;
use super::error::{AgainstError, VerifyError};
use super::inputs::{Answers, BATCHES, Mapped, SENTENCES};
use super::report::Verification;
use super::{Expected, Subject, VerifyOptions};
use crate::observer::Observer;
use crate::vocabulary::VOCABULARIES;
use open::Opened;

/// The weights that a bundle was made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WeightFiles {
    /// A checkpoint directory, or files as [`import_bundle`](crate::import_bundle) takes them.
    pub files: Vec<PathBuf>,
    /// Part of the weights to take, as the import took it.
    pub part: Option<String>,
}

/// [`verify`](super::verify()), with candle's forward pass of `weights` in place of the first engine. It only reads.
///
/// Also compares what else weights determine: temperature, pooling, preprocessing, the tokens of sentences, and the embeddings
/// of the prompt bank. `observer` is told which weights of a file were taken.
///
/// # Errors
/// [`VerifyError`] when nothing could be compared, weights of another architecture among the reasons. A difference past the
/// limits is no error: [`Verification::within`].
pub fn verify_against(
    bundle: &Bundle,
    weights: &WeightFiles,
    options: &VerifyOptions,
    observer: &mut dyn Observer,
) -> Result<Verification, VerifyError> {
    let subject = Subject::new(bundle, options)?;
    if options.precision != PrecisionChoice::Exactly(Precision::Fp32) {
        return Err(AgainstError::Precision.into());
    }
    if subject.engines.is_empty() {
        return Err(VerifyError::NoEngine);
    }
    let expected = answers(&subject, weights, observer)?;
    let (sides, self_tests) = subject.answers(observer)?.into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
    Ok(subject.verification(&sides, expected, self_tests))
}

/// [`verify_against`], and where everything is within the limits puts the result into the bundle as its certificate.
///
/// The bundle's id stays what it is. Past the limits nothing is written.
///
/// # Errors
/// Those of [`verify_against`], and [`VerifyError::Certificate`].
pub fn certify(
    bundle: &mut Bundle,
    weights: &WeightFiles,
    options: &VerifyOptions,
    observer: &mut dyn Observer,
) -> Result<Verification, VerifyError> {
    let verification = verify_against(bundle, weights, options, observer)?;
    if verification.within() {
        let mut certificate = serde_json::to_vec_pretty(&verification).map_err(AgainstError::from)?;
        certificate.push(b'\n');
        bundle.certify(&certificate).map_err(VerifyError::Certificate)?;
    }
    Ok(verification)
}

/// Embeddings and maps of the weights.
fn mapped(model: &ReferenceModel, images: &ImageBatch) -> Result<Mapped, AgainstError> {
    Ok((model.embed_images(images)?, model.locate_images(images)?))
}

/// What candle makes of the weights.
fn answers(
    subject: &Subject<'_>,
    weights: &WeightFiles,
    observer: &mut dyn Observer,
) -> Result<Expected, AgainstError> {
    let WeightFiles { files, part } = weights;
    let first = files.first().ok_or(AgainstError::NoWeights)?;
    let bundle = subject.bundle;
    let Opened { checkpoint, mut not_compared, is_directory, has_tokenizer } =
        open::open(files, part.as_deref(), bundle, observer)?;
    let (found, expected) = (&checkpoint.config().architecture, &bundle.config().architecture);
    let differences = settings::differences(expected, found)?;
    if !differences.is_empty() {
        return Err(AgainstError::Architecture { weights: first.clone(), differences });
    }

    let mut tensors = Vec::new();
    for (name, shape) in checkpoint.weights().shapes() {
        if let Some(values) = checkpoint.weights().values(name)? {
            tensors.push((name.to_owned(), shape.to_vec(), values));
        }
    }
    let model = ReferenceModel::from_tensors(expected, tensors, first)?;
    // Sentences become tokens as the weights have it: the bundle's own tokenizer is one of the things that are compared.
    let tokenizer = checkpoint.tokenizer();
    let images = subject.inputs.images.iter().map(|batch| model.embed_images(batch));
    let texts = BATCHES.iter().map(|&size| Ok(model.embed_texts(&tokenizer.batch(&SENTENCES[..size])?)?));
    let answers = Answers {
        images: images.collect::<Result<_, _>>()?,
        texts: texts.collect::<Result<_, AgainstError>>()?,
        maps: subject.has_maps.then(|| mapped(&model, subject.inputs.mapped())).transpose()?,
    };

    let (scale, effective) = settings::scales(bundle, &checkpoint)?;
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
        compared.push(settings::tokens(bundle, tokenizer)?);
    } else {
        not_compared.push(format!(
            "the vocabulary: neither {} is beside {}",
            VOCABULARIES.join(" nor "),
            first.display()
        ));
    }
    // Certificates travel: they name the first file or directory without the way to it.
    let name = first.file_name().unwrap_or(first.as_os_str()).to_string_lossy().into_owned();
    let limits = ParityLimits::to_weights(subject.half_precision_text);
    compared.push(settings::bank(bundle, &model, tokenizer, limits)?);
    Ok(Expected {
        name: format!("candle, {name}"),
        sha256: Some(checkpoint.weights().sha256().to_owned()),
        answers,
        scale: effective.factor(),
        limits,
        compared,
        not_compared,
    })
}

fn json(value: &impl Serialize) -> Result<String, AgainstError> {
    Ok(serde_json::to_string(value)?)
}
