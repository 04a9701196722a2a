//! Full fine-tuning: the image tower and a linear head on its unit-norm embeddings, fitted together.

mod config;

use std::collections::BTreeMap;

use candle_core::{Device, Tensor, Var};
use medclip_core::stop::Stopped;
use medclip_core::{Embeddings, Finding};
use medclip_nn::tower::Phase;
use medclip_nn::{AdamW, Compute, Init, MedClip, ParameterStore, backward};
use medclip_stats::fit_path;

pub use self::config::FinetuneConfig;
use self::config::Rates;
use crate::checkpoint::StoredModel;
use crate::error::TrainError;
use crate::tuning::films::TrainingFilms;
use crate::tuning::head::LinearHead;
use crate::tuning::loss::masked_cross_entropy;
use crate::tuning::order::order;
use crate::tuning::targets::Targets;

const WEIGHT: &str = "head.weight";
const BIAS: &str = "head.bias";

/// A fine-tuned image tower and the classifiers fitted with it.
pub struct Finetuned {
    /// The model: text tower and temperature as they were.
    pub model: MedClip,
    /// The classifiers of its embeddings.
    pub head: LinearHead,
    /// Mean loss of each epoch, in nats.
    pub losses: Vec<f64>,
}

/// Fine-tunes the image tower of `start` on the films of `targets`; `visited` hears of every film that a step has used, and may stop
/// the work.
///
/// The head starts as the logistic regressions of the unchanged tower's embeddings, and the tower moves from there (Kumar
/// et al. 2022, *Fine-Tuning can Distort Pretrained Features*): a head that knows nothing would first pull good
/// features about. The text tower and the temperature stay as they are. Batch normalizations keep their running
/// statistics unless the configuration says otherwise.
///
/// # Errors
/// [`TrainError::Setting`] for a setting out of range, and where no finding has enough films; [`TrainError::Fit`] when
/// the head has no start; [`TrainError::Compute`] when a gradient is not finite; [`TrainError::Stopped`].
pub fn finetune(
    start: &StoredModel,
    films: &TrainingFilms,
    targets: &Targets,
    config: &FinetuneConfig,
    mut visited: impl FnMut(usize) -> Result<(), Stopped>,
) -> Result<Finetuned, TrainError> {
    let tower = &start.config().architecture.image;
    config.validate(tower)?;
    let rates = Rates::new(tower, config);
    let frozen = rates.clone();
    let model = start.model(move |name| frozen.of(name) == 0.0)?;
    let model = model.with_frozen_image_blocks(config.freeze_blocks);
    if config.batch_statistics {
        refuse_identities(start, &model)?;
    }
    let count = targets.rows().iter().max().map_or(0, |last| last + 1);
    let embeddings = films.films().embed(&model, count, |_| visited(0))?;
    let head = Head::fitted(&embeddings, targets, config.head_c)?;

    let mut parameters = model.store().parameters().clone();
    parameters.extend(head.store.parameters().iter().map(|(name, var)| (name.clone(), var.clone())));
    let mut optimizer = AdamW::new(config.optimizer, &parameters, |name| rates.of(name))?;
    let phase = if config.batch_statistics { Phase::Train } else { Phase::Evaluate };
    let rows = targets.rows();
    let steps = rows.len().div_ceil(config.batch);
    let mut losses = Vec::with_capacity(config.epochs);
    for epoch in 0..config.epochs {
        let mut sum = 0.0;
        for (step, places) in order(rows.len(), config.seed, epoch as u64).chunks(config.batch).enumerate() {
            let films_of: Vec<usize> = places.iter().map(|place| rows[*place]).collect();
            let pixels = films.variants(&films_of, config.seed, epoch as u64, step * config.batch)?;
            let logits = head.logits(&model.embed_images(&pixels, phase)?)?;
            let loss = masked_cross_entropy(&logits, &targets.labels(places))?;
            let factor = config.schedule.factor(epoch * steps + step, config.epochs * steps);
            optimizer.step(&backward(&loss)?, config.learning_rate * factor)?;
            sum += f64::from(loss.to_scalar::<f32>()?);
            visited(places.len())?;
        }
        losses.push(sum / steps as f64);
    }
    let head = LinearHead::new(targets.findings(), &head.weight, &head.bias)?;
    Ok(Finetuned { model, head, losses })
}

/// The classifiers while they are fitted.
struct Head {
    store: ParameterStore,
    /// `[findings, dim]`.
    weight: Tensor,
    /// `[findings]`.
    bias: Tensor,
}

impl Head {
    /// Logistic regressions of embeddings, one a finding.
    fn fitted(embeddings: &Embeddings, targets: &Targets, c: f64) -> Result<Self, TrainError> {
        let findings = targets.findings();
        if findings.is_empty() {
            return Err(TrainError::Setting {
                field: "least",
                reason: "no finding has that many films of both outcomes".to_owned(),
            });
        }
        let (count, dim) = (findings.len(), embeddings.dim());
        let mut store = ParameterStore::new(0, Compute::cpu(), |_| false);
        let weight = store.parameter(WEIGHT, (count, dim), Init::Constant(0.0))?;
        let bias = store.parameter(BIAS, count, Init::Constant(0.0))?;
        let (mut weights, mut biases) = (Vec::with_capacity(count * dim), Vec::with_capacity(count));
        for (column, finding) in findings.iter().enumerate() {
            let (w, b) = fit_one(embeddings, targets, column, *finding, c)?;
            weights.extend(w);
            biases.push(b);
        }
        store.load(&BTreeMap::from([
            (WEIGHT.to_owned(), Tensor::from_vec(weights, (count, dim), &Device::Cpu)?),
            (BIAS.to_owned(), Tensor::from_vec(biases, count, &Device::Cpu)?),
        ]))?;
        Ok(Self { store, weight, bias })
    }

    /// `[films, dim]` to `[films, findings]`.
    fn logits(&self, embeddings: &Tensor) -> Result<Tensor, TrainError> {
        Ok(embeddings.matmul(&self.weight.t()?)?.broadcast_add(&self.bias)?)
    }
}

/// Weights and bias of one finding on the films where it is annotated.
fn fit_one(
    embeddings: &Embeddings,
    targets: &Targets,
    column: usize,
    finding: Finding,
    c: f64,
) -> Result<(Vec<f32>, f32), TrainError> {
    let places: Vec<usize> = (0..targets.rows().len()).collect();
    let known = targets.rows().iter().zip(targets.labels(&places));
    let (rows, labels): (Vec<&[f32]>, Vec<bool>) =
        known.filter_map(|(row, labels)| Some((embeddings.row(*row), labels[column]?))).unzip();
    let failed = |source| TrainError::Fit { finding, source };
    let mut fitted = fit_path(&rows, &labels, &[c]).map_err(failed)?;
    let classifier = fitted.pop().ok_or_else(|| failed(medclip_stats::FitError::Folds))?;
    Ok((classifier.weights.iter().map(|weight| *weight as f32).collect(), classifier.bias as f32))
}

/// Fails where every batch normalization has a mean of 0 and a variance of 1: `medclip restore` makes such towers, whose
/// function would be another once their batches' statistics took the place of these.
fn refuse_identities(start: &StoredModel, model: &MedClip) -> Result<(), TrainError> {
    let is_identity = |name: &str, var: &Var| -> Result<bool, TrainError> {
        let expected = if name.ends_with("running_var") { 1.0 } else { 0.0 };
        Ok(var.flatten_all()?.to_vec1::<f32>()?.iter().all(|value| *value == expected))
    };
    let (mut buffers, mut identities) = (0, 0);
    for (name, var) in model.store().buffers() {
        buffers += 1;
        identities += usize::from(is_identity(name, var)?);
    }
    if buffers > 0 && buffers == identities {
        let reason = "its batch normalisations are identities, as of a restored bundle: it has no statistics to go on from";
        return Err(TrainError::invalid(start.weights_path(), reason));
    }
    Ok(())
}
