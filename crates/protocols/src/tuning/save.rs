//! A fine-tuned model as files: checkpoint, bundle, and the head that belongs to the bundle.

use std::path::{Path, PathBuf};

use medclip_core::ModelConfig;
use medclip_core::bundle::BUNDLE;
use medclip_core::checkpoint::CHECKPOINT;
use medclip_files::{Kind, StagedDirectory};
use medclip_runtime::{Classifier, Model};
use medclip_train::checkpoint::StoredModel;
use medclip_train::tuning::finetune::Finetuned;

use super::{ExportError, SaveError};
use crate::embed::{pixels, read};

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

/// A fit that was evaluated.
pub(super) struct Evaluated {
    pub(super) tuned: Finetuned,
    /// Files of the films that were evaluated on.
    pub(super) films: Vec<PathBuf>,
    /// `[findings][films]`.
    pub(super) scores: Vec<Vec<f32>>,
}

/// Writes `checkpoint`, `bundle` and `head.safetensors` into `directory`, all or nothing, once bundle and head have given
/// the scores of the first films. Returns the largest difference.
pub(super) fn save(
    directory: &Path,
    start: &StoredModel,
    evaluated: &Evaluated,
    export: impl FnOnce(&Path, &Path) -> Result<(), ExportError>,
) -> Result<f32, SaveError> {
    let staged = StagedDirectory::create(directory, &FINETUNED)?;
    let (checkpoint, bundle) = (staged.path().join("checkpoint"), staged.path().join("bundle"));
    let own = start.config();
    let config = ModelConfig {
        name: format!("{}-finetuned", own.name),
        description: format!("{}; image tower fine-tuned on annotated findings", own.description),
        ..own.clone()
    };
    let Evaluated { tuned, films, scores } = evaluated;
    start.write_with(&checkpoint, &config, &tuned.model.store().all()).map_err(SaveError::Checkpoint)?;
    export(&checkpoint, &bundle).map_err(SaveError::Export)?;
    let model = Model::open(&bundle)?;
    let head = tuned.head.for_bundle(model.bundle().id())?;
    staged.write("head.safetensors", &head.to_bytes()?)?;
    let difference = largest_difference(&model, &model.head_classifier(head)?, films, scores)?;
    if difference.is_nan() || difference > TOLERANCE {
        return Err(SaveError::Differs { difference, limit: TOLERANCE });
    }
    staged.put_in_place()?;
    Ok(difference)
}

fn largest_difference(
    model: &Model,
    classifier: &Classifier,
    films: &[PathBuf],
    scores: &[Vec<f32>],
) -> Result<f32, SaveError> {
    let mut largest = 0.0_f32;
    for (film, path) in films.iter().take(SAMPLES).enumerate() {
        let found = classifier.scores(&model.embed_images(&pixels(model, path, read(path)?)?)?)?;
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
