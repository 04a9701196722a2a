//! A fine-tuned model as files: checkpoint, bundle, and the head that belongs to the bundle.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use medclip_core::ModelConfig;
use medclip_core::bundle::BUNDLE;
use medclip_core::checkpoint::CHECKPOINT;
use medclip_export::BundleOptions;
use medclip_files::{Kind, StagedDirectory};
use medclip_runtime::{Classifier, Model};
use medclip_train::checkpoint::StoredModel;
use medclip_train::tuning::finetune::Finetuned;

use crate::export::write_checked;
use crate::inputs::pixels;

/// Films whose scores are compared.
const SAMPLES: usize = 32;
/// Largest difference of a log-odds that is let pass.
const TOLERANCE: f32 = 1e-4;

/// What [`save`] writes.
static FINETUNED: Kind = Kind {
    name: "a fine-tuned model",
    is_marked: |directory| {
        directory.join("head.safetensors").is_file() || directory.join("bundle/SHA256SUMS").is_file()
    },
    holds: |path| match path.split_once('/') {
        Some(("checkpoint", below)) => below.is_empty() || (CHECKPOINT.holds)(below),
        Some(("bundle", below)) => below.is_empty() || (BUNDLE.holds)(below),
        _ => path == "head.safetensors",
    },
};

/// Writes `checkpoint`, `bundle` and `head.safetensors` into `directory`, all or nothing, once bundle and head have given
/// the `scores` `[findings][films]` of the first films. Returns the largest difference.
pub(super) fn save(
    directory: &Path,
    start: &StoredModel,
    tuned: &Finetuned,
    prompts: &str,
    films: impl Iterator<Item = PathBuf>,
    scores: &[Vec<f32>],
) -> anyhow::Result<f32> {
    let staged = StagedDirectory::create(directory, &FINETUNED)?;
    let (checkpoint, bundle) = (staged.path().join("checkpoint"), staged.path().join("bundle"));
    let own = start.config();
    let config = ModelConfig {
        name: format!("{}-finetuned", own.name),
        description: format!("{}; image tower fine-tuned on annotated findings", own.description),
        ..own.clone()
    };
    start.write_with(&checkpoint, &config, &tuned.model.store().all())?;
    write_checked(&checkpoint, &bundle, prompts, None, &BundleOptions::default())?;
    let model = Model::open(&bundle).context("the bundle cannot be opened again")?;
    let head = tuned.head.for_bundle(model.bundle().id())?;
    staged.write("head.safetensors", &head.to_bytes()?)?;
    let difference = largest_difference(&model, &model.head_classifier(head)?, films, scores)?;
    if difference.is_nan() || difference > TOLERANCE {
        bail!(
            "the saved model's scores differ from those evaluated by {difference:.1e}, at most {TOLERANCE:.0e} is allowed"
        );
    }
    staged.put_in_place()?;
    Ok(difference)
}

fn largest_difference(
    model: &Model,
    classifier: &Classifier,
    films: impl Iterator<Item = PathBuf>,
    scores: &[Vec<f32>],
) -> anyhow::Result<f32> {
    let mut largest = 0.0_f32;
    for (film, path) in films.take(SAMPLES).enumerate() {
        let found = classifier.scores(&model.embed_images(&pixels(model, &path)?)?)?;
        for (found, expected) in found.iter().flatten().zip(scores) {
            let difference = (found.logit - expected[film]).abs();
            // Unlike `max`, this keeps a difference that is not a number.
            if difference > largest || difference.is_nan() {
                largest = difference;
            }
        }
    }
    Ok(largest)
}
