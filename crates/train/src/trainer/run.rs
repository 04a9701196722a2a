//! The loop itself: epochs, steps, evaluations, checkpoints.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use candle_core::Tensor;
use candle_core::backprop::GradStore;

use super::Trainer;
use super::start::steps_an_epoch;
use tracing::debug_span;

use crate::checkpoint::Snapshot;
use crate::data::Loader;
use crate::data::train_set::Batch;
use crate::error::TrainError;
use crate::evaluate::{Evaluation, zero_shot};
use crate::log::{Event, LogWriter, Step};
use crate::observer::{Observer, Progress};
use crate::report;
use crate::step::{Inputs, Pass, TextView, add_gradients};

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// At its last epoch or by early stopping, with the final evaluations.
    Complete(Vec<Evaluation>),
    /// It was asked to stop: a checkpoint holds every step that was made.
    Stopped,
}

impl Trainer {
    /// Trains to the last epoch, or until early stopping ends the run, and tells `observer` how it goes.
    ///
    /// Once `stop` is true, it finishes the step at hand, writes a checkpoint and ends; a trainer of the same configuration
    /// continues from there to the same weights.
    ///
    /// # Errors
    /// [`TrainError`]; what the last checkpoint holds is kept.
    pub fn run(mut self, observer: &mut dyn Observer, stop: &AtomicBool) -> Result<Ended, TrainError> {
        let steps = (self.config.epochs * steps_an_epoch(&self.config, &self.train)) as u64;
        observer.tell(Progress::Begin { done: self.state.optimizer_steps, steps });
        let ended = self.work(observer, stop);
        observer.tell(Progress::End);
        ended
    }

    fn work(&mut self, observer: &mut dyn Observer, stop: &AtomicBool) -> Result<Ended, TrainError> {
        let epochs = self.config.epochs as u64;
        let mut last = Vec::new();
        while self.state.epoch < epochs && !self.is_over() {
            if !self.epoch(observer, stop)? {
                self.save()?;
                return Ok(Ended::Stopped);
            }
            let finished = self.state.epoch;
            if finished == epochs || finished.is_multiple_of(self.config.evaluate_every as u64) {
                last = self.evaluate(observer)?;
            }
            self.save()?;
            if self.is_over() {
                let evaluations = self.state.plateau.evaluations;
                record(&mut self.log, observer, &Event::EarlyStop { epoch: finished, evaluations })?;
            } else if finished < epochs && stop.load(Ordering::Relaxed) {
                return Ok(Ended::Stopped);
            }
        }
        if last.is_empty() {
            last = self.evaluate(observer)?;
        }
        Ok(Ended::Complete(last))
    }

    /// Whether early stopping has ended the run.
    fn is_over(&self) -> bool {
        self.config.early_stop.is_some_and(|rule| rule.is_over(&self.state.plateau))
    }

    /// The rest of the current epoch; false when it was asked to stop before the last step.
    fn epoch(&mut self, observer: &mut dyn Observer, stop: &AtomicBool) -> Result<bool, TrainError> {
        let batches = self.config.accumulate.get();
        let steps = steps_an_epoch(&self.config, &self.train);
        let total = steps * self.config.epochs;
        let first = self.state.step * batches;
        let mut loader = Loader::start(&self.train, self.state.epoch, first, self.config.loader_threads);
        while self.state.step < steps {
            let done = self.state.epoch as usize * steps + self.state.step;
            let learning_rate = self.config.learning_rate * self.config.schedule.factor(done, total);
            self.step(&mut loader, learning_rate, observer)?;
            self.state.step += 1;
            if self.state.step < steps && stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            let every = self.config.checkpoint_every;
            if every > 0 && self.state.step < steps && self.state.step.is_multiple_of(every) {
                self.save()?;
            }
        }
        self.state.epoch += 1;
        self.state.step = 0;
        Ok(true)
    }

    /// One step of the optimizer along the mean gradient of the next batches.
    fn step(
        &mut self,
        loader: &mut Loader,
        learning_rate: f64,
        observer: &mut dyn Observer,
    ) -> Result<(), TrainError> {
        let _span = debug_span!("step").entered();
        let started = Instant::now();
        let batches = self.config.accumulate.get();
        let mut gradients = GradStore::default();
        let (mut loss, mut images) = (0.0, 0);
        for _ in 0..batches {
            let batch = loader.next().ok_or(TrainError::Loader)??;
            images += batch.shape[0];
            let (value, part) = self.gradients(batch, 1.0 / batches as f64)?;
            loss += value / batches as f32;
            add_gradients(&mut gradients, part, self.model.store().parameters())?;
        }
        let gradient_norm = self.optimizer.step(&gradients, learning_rate)?;
        self.model.clamp_logit_scale()?;
        if let Some((_, ema)) = &mut self.averaged {
            let config = &self.config;
            ema.update(self.model.store(), |name| config.rate(name) == 0.0)?;
        }
        self.state.optimizer_steps += 1;
        let step = Step {
            epoch: self.state.epoch,
            step: self.state.step,
            images: Some(images),
            loss,
            learning_rate,
            gradient_norm,
            logit_scale: self.model.logit_scale()?.ln(),
            images_per_second: images as f64 / started.elapsed().as_secs_f64(),
        };
        record(&mut self.log, observer, &Event::Step(step))
    }

    /// Loss of a batch, and `share` times its gradients.
    fn gradients(&mut self, batch: Batch, share: f64) -> Result<(f32, GradStore), TrainError> {
        let pool = self.train.pool().sentences();
        let sentences = batch.plan.sentences.iter().filter_map(|index| pool.get(*index));
        let mut views = vec![TextView {
            pool: Some(&batch.plan.sentences),
            sentences: sentences.map(|sentence| sentence.text.as_str()).collect(),
        }];
        if !batch.second_texts.is_empty() {
            let sentences = batch.second_texts.iter().map(String::as_str).collect();
            // Rarely said twice, so nothing of them is worth keeping.
            views.push(TextView { pool: None, sentences });
        }
        let inputs = Inputs {
            pixels: Tensor::from_vec(batch.pixels, &batch.shape, self.model.store().device())?,
            image_labels: &batch.image_labels,
            views,
            sentence_labels: &batch.sentence_labels,
        };
        let mut pass = Pass {
            model: &self.model,
            tokenizer: &self.tokenizer,
            encoder: &mut self.encoder,
            objective: self.config.objective,
            micro_batch: self.config.micro_batch,
        };
        pass.gradients(&inputs, share)
    }

    /// Evaluates on every set, keeps the model when it is the best so far, and writes the report.
    fn evaluate(&mut self, observer: &mut dyn Observer) -> Result<Vec<Evaluation>, TrainError> {
        let model = match &self.averaged {
            Some((twin, ema)) => {
                twin.store().load(ema.state().0)?;
                twin
            }
            None => &self.model,
        };
        let mut evaluations = Vec::new();
        for set in &self.evals {
            let started = Instant::now();
            let evaluation =
                zero_shot(model, &self.tokenizer, &self.classes, set, &self.config.select_findings)?;
            record(
                &mut self.log,
                observer,
                &Event::Evaluation {
                    epoch: self.state.epoch,
                    seconds: Some(started.elapsed().as_secs_f64()),
                    evaluation: evaluation.clone(),
                },
            )?;
            evaluations.push(evaluation);
        }
        let score = evaluations.iter().find(|e| e.set == self.config.select_by).and_then(|e| e.macro_auroc);
        if let Some(rule) = self.config.early_stop {
            rule.observe(&mut self.state.plateau, score);
        }
        if score > self.state.best {
            self.state.best = score;
            self.checkpoints.save_best(&self.weights(), &evaluations)?;
        }
        report::write(&self.config.output)?;
        Ok(evaluations)
    }

    fn save(&self) -> Result<(), TrainError> {
        let (optimizer, optimizer_steps) = self.optimizer.state()?;
        let mut state = self.state.clone();
        state.optimizer_steps = optimizer_steps;
        state.ema_updates = self.averaged.as_ref().map_or(0, |(_, ema)| ema.state().1);
        let parameters = self.model.store().all();
        self.checkpoints.save(&Snapshot { state, parameters, weights: self.weights(), optimizer })
    }

    /// What is evaluated and exported.
    fn weights(&self) -> BTreeMap<String, Tensor> {
        match &self.averaged {
            Some((_, ema)) => ema.state().0.clone(),
            None => self.model.store().all(),
        }
    }
}

/// Tells the observer and writes to the log.
fn record(log: &mut LogWriter, observer: &mut dyn Observer, event: &Event) -> Result<(), TrainError> {
    if let Some(progress) = Progress::of(event) {
        observer.tell(progress);
    }
    log.record(event)
}
