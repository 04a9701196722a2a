//! Prompt tuning: vectors learned in front of the words of every class, both towers frozen.

mod config;
mod prompts;

use candle_core::{Device, Tensor};
use medclip_core::Embeddings;
use medclip_core::stop::Stopped;
use medclip_nn::{AdamW, Compute, Init, MedClip, ParameterStore, backward};

pub use self::config::ContextConfig;
pub use self::prompts::{ClassTexts, ContextPrompts};
use crate::error::TrainError;
use crate::tuning::head::LinearHead;
use crate::tuning::loss::masked_cross_entropy;
use crate::tuning::order::order;
use crate::tuning::targets::Targets;

/// Standard deviation of fresh context vectors, that of `CoOp`.
const INITIAL_DEVIATION: f32 = 0.02;

/// What context vectors were learned to say, as classifiers.
#[derive(Debug)]
pub struct TunedContext {
    /// `exp(logit_scale) · (positive − negative)` of each finding, without bias.
    pub head: LinearHead,
    /// Mean loss of each epoch, in nats.
    pub losses: Vec<f64>,
}

/// Learns the context of `prompts` on films whose embeddings are known; `visited` hears of every film that a step has used,
/// and may stop the work.
///
/// A finding's logit is the temperature times the film's cosine with the positive prompt minus that with the negative
/// one, as in zero-shot scoring. Nothing but the context moves.
///
/// # Shapes
/// - `films`: `[films, embedding_dim]`, unit norm; numbered as the rows of `targets`
/// # Errors
/// [`TrainError::Setting`] for a setting out of range; [`TrainError::Compute`] when the prompts are of other findings
/// than `targets`, or a gradient is not finite; [`TrainError::Stopped`].
/// # Source
/// Zhou et al. 2022, *Learning to Prompt for Vision-Language Models* (`CoOp`), here with binary outcomes.
pub fn tune_context(
    model: &MedClip,
    prompts: &ContextPrompts,
    films: &Embeddings,
    targets: &Targets,
    config: &ContextConfig,
    mut visited: impl FnMut(usize) -> Result<(), Stopped>,
) -> Result<TunedContext, TrainError> {
    config.validate()?;
    let mut store = ParameterStore::new(config.seed, Compute::cpu(), |_| false);
    let context =
        store.parameter("context", prompts.context_shape(config), Init::Normal(INITIAL_DEVIATION))?;
    let mut optimizer = AdamW::new(config.optimizer, store.parameters(), |_| 1.0)?;
    let scale = f64::from(model.logit_scale()?.factor());
    let rows = targets.rows();
    let steps = rows.len().div_ceil(config.batch);
    let mut losses = Vec::with_capacity(config.epochs);
    for epoch in 0..config.epochs {
        let mut sum = 0.0;
        for (step, places) in order(rows.len(), config.seed, epoch as u64).chunks(config.batch).enumerate() {
            let values: Vec<f32> =
                places.iter().flat_map(|place| films.row(rows[*place]).iter().copied()).collect();
            let images = Tensor::from_vec(values, (places.len(), films.dim()), &Device::Cpu)?;
            let classes = (prompts.directions(model, &context)? * scale)?;
            let loss = masked_cross_entropy(&images.matmul(&classes.t()?)?, &targets.labels(places))?;
            let factor = config.schedule.factor(epoch * steps + step, config.epochs * steps);
            optimizer.step(&backward(&loss)?, config.learning_rate * factor)?;
            sum += f64::from(loss.to_scalar::<f32>()?);
            visited(places.len())?;
        }
        losses.push(sum / steps as f64);
    }
    let classes = (prompts.directions(model, &context.detach())? * scale)?;
    let biases = Tensor::zeros(targets.findings().len(), candle_core::DType::F32, &Device::Cpu)?;
    Ok(TunedContext { head: LinearHead::new(targets.findings(), &classes, &biases)?, losses })
}
