//! What a run starts from, checked before it does.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::Tensor;
use medclip_core::prompt::{ExpandedClass, PromptSet};
use medclip_core::tokenize::{TokenizeError, Tokenizer};
use medclip_core::{BertConfig, Finding, ModelConfig, checkpoint};
use medclip_data::Annotation;
use medclip_nn::{Compute, MedClip};

use crate::checkpoint::read_tensors;
use crate::config::TrainConfig;
use crate::data::{EvalSet, TrainSet};
use crate::error::TrainError;
use crate::pretrained;

/// The tokenizer, with no more ids than the text tower has embeddings.
pub(super) fn open_tokenizer(
    config: &TrainConfig,
    model: &ModelConfig,
    text: &BertConfig,
) -> Result<Tokenizer, TrainError> {
    let in_file = |error: TokenizeError| TrainError::of("text.tokenizer")(error.into());
    let path = &config.text.tokenizer;
    let tokenizer = Tokenizer::open(path, model.tokenizer.clone()).map_err(in_file)?;
    let (ids, tower) = (tokenizer.vocab_size(), text.vocab_size);
    if ids > tower {
        let source = Box::new(TokenizeError::Vocabulary { tokenizer: ids, tower });
        return Err(in_file(TokenizeError::File { path: path.clone(), source }));
    }
    Ok(tokenizer)
}

/// The classes of the prompt file, every selected finding among them.
pub(super) fn open_classes(config: &TrainConfig) -> Result<Vec<ExpandedClass>, TrainError> {
    let prompts =
        PromptSet::open(&config.prompts).map_err(|error| TrainError::of("prompts")(error.into()))?;
    let classes = prompts.expand();
    let is_class = |name: &String| classes.iter().any(|class| class.name == *name);
    match config.select_findings.iter().find(|name| !is_class(name)) {
        Some(name) => Err(TrainError::Setting {
            field: "select_findings",
            reason: format!("`{name}` is no class of {}", config.prompts.display()),
        }),
        None => Ok(classes),
    }
}

/// Refuses to accumulate more batches than an epoch has.
pub(super) fn check_steps(config: &TrainConfig, train: &TrainSet) -> Result<(), TrainError> {
    if steps_an_epoch(config, train) > 0 {
        return Ok(());
    }
    let reason = format!("takes {} batches a step, an epoch has {}", config.accumulate, train.steps());
    Err(TrainError::Setting { field: "accumulate", reason })
}

/// Refuses a selection with a finding that has no AUROC where the best model is chosen: the mean would be over fewer findings
/// than the setting names.
pub(super) fn check_selectable(config: &TrainConfig, evals: &[EvalSet]) -> Result<(), TrainError> {
    let records = evals.iter().find(|set| set.name() == config.select_by).map(EvalSet::records);
    let lacks = |finding: Finding| {
        let has = |present| {
            let annotations = records.into_iter().flatten().map(|record| record.annotations[finding.index()]);
            annotations.filter_map(Annotation::known).any(|value| value == present)
        };
        match (has(true), has(false)) {
            (true, true) => None,
            (false, _) => Some(format!("{finding} (no film has it)")),
            (true, false) => Some(format!("{finding} (no film is known to be without it)")),
        }
    };
    let selected = config.select_findings.iter().filter_map(|name| Finding::from_name(name));
    let lacking: Vec<String> = selected.filter_map(lacks).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let reason = format!(
        "`{}` cannot rank {}, so no mean over all of select_findings can choose the best checkpoint; leave them out, or \
         select by a set that has both kinds of films",
        config.select_by,
        lacking.join(", ")
    );
    Err(TrainError::Setting { field: "select_findings", reason })
}

/// A model of fresh weights.
pub(super) fn fresh_model(
    config: &TrainConfig,
    model_config: &ModelConfig,
    compute: Compute,
) -> Result<MedClip, TrainError> {
    let rates = config.clone();
    let frozen = move |name: &str| rates.rate(name) == 0.0;
    let model = MedClip::new(&model_config.architecture, config.seed, compute, frozen)?;
    Ok(model.with_frozen_image_blocks(config.image.freeze_blocks))
}

/// Overwrites what the training file gives weights for.
pub(super) fn load_starting_weights(
    model: &MedClip,
    config: &TrainConfig,
    model_config: &ModelConfig,
) -> Result<(), TrainError> {
    if let Some(directory) = &config.start {
        start_whole(model, &directory.join(checkpoint::WEIGHTS)).map_err(TrainError::of("start"))?;
    }
    let tower = &model_config.architecture.image;
    if let Some(path) = &config.image.init {
        let is_trunk = |name: &str| name.starts_with("vision_model.model.") && name != tower.projection();
        pretrained::image(path, tower)
            .and_then(|weights| start_trunk(model, path, &weights, is_trunk))
            .map_err(TrainError::of("image.init"))?;
    }
    if let Some(path) = &config.text.init {
        let is_trunk = |name: &str| name.starts_with("text_model.model.");
        pretrained::text(path)
            .and_then(|weights| start_trunk(model, path, &weights, is_trunk))
            .map_err(TrainError::of("text.init"))?;
    }
    Ok(())
}

fn start_whole(model: &MedClip, path: &Path) -> Result<(), TrainError> {
    start_trunk(model, path, &read_tensors(path)?, |_| true)
}

/// Overwrites a trunk, or the whole model, which has to be in `weights` as a whole.
fn start_trunk(
    model: &MedClip,
    path: &Path,
    weights: &BTreeMap<String, Tensor>,
    is_trunk: impl Fn(&str) -> bool,
) -> Result<(), TrainError> {
    let names = model.store().all().into_keys();
    let missing: Vec<String> = names.filter(|name| is_trunk(name) && !weights.contains_key(name)).collect();
    if !missing.is_empty() {
        return Err(TrainError::invalid(path, format!("lacks {}", missing.join(", "))));
    }
    model.store().load(weights).map_err(|error| TrainError::invalid(path, error))
}

/// Steps of the optimizer an epoch.
pub(super) fn steps_an_epoch(config: &TrainConfig, train: &TrainSet) -> usize {
    train.steps() / config.accumulate
}
