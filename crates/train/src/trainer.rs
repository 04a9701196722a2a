//! The training loop.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use candle_core::{Device, Tensor};
use medclip_core::bundle::sha256;
use medclip_core::prompt::{ExpandedClass, PromptSet};
use medclip_core::tokenize::Tokenizer;
use medclip_core::{ModelConfig, TextTower, checkpoint};
use medclip_decode::Limits;

use crate::checkpoint::{CheckpointStore, RunState, Snapshot};
use crate::config::TrainConfig;
use crate::data::train_set::Batch;
use crate::data::{Dataset, EvalSet, Loader, TrainSet};
use crate::ema::Ema;
use crate::error::TrainError;
use crate::evaluate::{Evaluation, zero_shot};
use crate::log::{Event, Start, Step};
use crate::model::MedClip;
use crate::optimizer::AdamW;
use crate::pretrained;
use crate::progress::Progress;
use crate::report;
use crate::sentences::SentenceEncoder;
use crate::tower::Phase;

/// A run: model, data, optimiser and where it stands.
pub struct Trainer {
    config: TrainConfig,
    model: MedClip,
    /// The same architecture, holding the averaged weights while they are evaluated.
    averaged: Option<(MedClip, Ema)>,
    optimizer: AdamW,
    train: Arc<TrainSet>,
    evals: Vec<EvalSet>,
    tokenizer: Tokenizer,
    encoder: SentenceEncoder,
    classes: Vec<ExpandedClass>,
    checkpoints: CheckpointStore,
    progress: Progress,
    state: RunState,
}

impl Trainer {
    /// Prepares a run: checks every setting, loads data and starting weights, and picks up the newest checkpoint of
    /// the same configuration in `config.output`.
    ///
    /// # Errors
    /// [`TrainError`] before any training, naming the file or setting; also when `config.output` holds a run of other
    /// settings.
    pub fn new(config: TrainConfig) -> Result<Self, TrainError> {
        config.validate()?;
        let model_config = config.model_config()?;
        let tokenizer = Tokenizer::open(&config.text.tokenizer, model_config.tokenizer.clone())?;
        let classes = PromptSet::open(&config.prompts)?.expand();
        let model = fresh_model(&config, &model_config)?;
        load_starting_weights(&model, &config, &model_config)?;
        let dataset = Dataset::load(&config.data, &model_config.preprocess, &Limits::default(), config.seed)?;
        let mut optimizer =
            AdamW::new(config.optimizer, model.store().parameters(), |name| config.rate(name));
        let mut averaged = match config.ema_decay {
            Some(decay) => Some((fresh_model(&config, &model_config)?, Ema::new(model.store(), decay)?)),
            None => None,
        };
        let TextTower::Bert(text) = &model_config.architecture.text;
        let sentences = dataset.train.pool().sentences().len();
        let encoder = SentenceEncoder::new(&config, text.num_hidden_layers, sentences);

        let checkpoints = CheckpointStore::open(&config.output, model_config, &config.text.tokenizer)?;
        let mut state = RunState {
            epoch: 0,
            step: 0,
            optimizer_steps: 0,
            ema_updates: 0,
            best: None,
            config_sha256: fingerprint(&config)?,
        };
        if let Some(snapshot) = checkpoints.latest()? {
            if snapshot.state.config_sha256 != state.config_sha256 {
                let reason = "holds a run of other settings; choose another output or remove it";
                return Err(TrainError::invalid(&config.output, reason));
            }
            model.store().load(&snapshot.parameters)?;
            optimizer.restore(&snapshot.optimizer, snapshot.state.optimizer_steps)?;
            if let Some((_, ema)) = &mut averaged {
                ema.restore(snapshot.weights, snapshot.state.ema_updates);
            }
            state = snapshot.state;
        }
        let total = (config.epochs * dataset.train.steps()) as u64;
        let mut progress = Progress::open(&config.output, total, state.optimizer_steps)?;
        progress.record(&Event::Start(start(&config, &dataset.train, &state)?))?;
        for bad in dataset.bad_images {
            progress.record(&Event::BadImage(bad))?;
        }
        let (train, evals) = (dataset.train, dataset.evals);
        Ok(Self {
            config,
            model,
            averaged,
            optimizer,
            train,
            evals,
            tokenizer,
            encoder,
            classes,
            checkpoints,
            progress,
            state,
        })
    }

    /// Trains to the last epoch and returns the final evaluations.
    ///
    /// # Errors
    /// [`TrainError`]; what the last checkpoint holds is kept.
    pub fn run(mut self) -> Result<Vec<Evaluation>, TrainError> {
        let epochs = self.config.epochs as u64;
        let mut last = Vec::new();
        while self.state.epoch < epochs {
            self.epoch()?;
            let finished = self.state.epoch;
            if finished == epochs || finished.is_multiple_of(self.config.evaluate_every as u64) {
                last = self.evaluate()?;
            }
            self.save()?;
        }
        if last.is_empty() {
            last = self.evaluate()?;
        }
        Ok(last)
    }

    /// The rest of the current epoch.
    fn epoch(&mut self) -> Result<(), TrainError> {
        let steps = self.train.steps();
        let total = steps * self.config.epochs;
        let loader =
            Loader::start(&self.train, self.state.epoch, self.state.step, self.config.loader_threads);
        for batch in loader {
            let done = self.state.epoch as usize * steps + self.state.step;
            let learning_rate = self.config.learning_rate * self.config.schedule.factor(done, total);
            self.step(batch, learning_rate)?;
            self.state.step += 1;
            let every = self.config.checkpoint_every;
            if every > 0 && self.state.step < steps && self.state.step.is_multiple_of(every) {
                self.save()?;
            }
        }
        self.state.epoch += 1;
        self.state.step = 0;
        Ok(())
    }

    fn step(&mut self, batch: Batch, learning_rate: f64) -> Result<(), TrainError> {
        let started = Instant::now();
        let images = batch.shape[0];
        let sentences = self.train.pool().sentences();
        let texts: Vec<&str> =
            batch.plan.sentences.iter().filter_map(|i| sentences.get(*i)).map(|s| s.text.as_str()).collect();
        let pixels = Tensor::from_vec(batch.pixels, &batch.shape, &Device::Cpu)?;
        let image_embeds = self.model.embed_images(&pixels, Phase::Train)?;
        let text_embeds = self.encoder.embed(&self.model, &self.tokenizer, &batch.plan.sentences, &texts)?;
        let logits = self.model.logits(&image_embeds, &text_embeds)?;
        let loss = self.config.objective.loss(&logits, &batch.image_labels, &batch.sentence_labels)?;
        let gradient_norm = self.optimizer.step(&loss.backward()?, learning_rate)?;
        self.model.clamp_logit_scale()?;
        if let Some((_, ema)) = &mut self.averaged {
            let config = &self.config;
            ema.update(self.model.store(), |name| config.rate(name) == 0.0)?;
        }
        self.state.optimizer_steps += 1;
        self.progress.record(&Event::Step(Step {
            epoch: self.state.epoch,
            step: self.state.step,
            images: Some(images),
            loss: loss.to_scalar()?,
            learning_rate,
            gradient_norm,
            logit_scale: self.model.logit_scale()?.ln(),
            images_per_second: images as f64 / started.elapsed().as_secs_f64(),
        }))
    }

    /// Evaluates on every set, writes the report, and keeps the model when it is the best so far.
    fn evaluate(&mut self) -> Result<Vec<Evaluation>, TrainError> {
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
            self.progress.record(&Event::Evaluation {
                epoch: self.state.epoch,
                seconds: Some(started.elapsed().as_secs_f64()),
                evaluation: evaluation.clone(),
            })?;
            evaluations.push(evaluation);
        }
        report::write(&self.config.output)?;
        let score = evaluations.iter().find(|e| e.set == self.config.select_by).and_then(|e| e.macro_auroc);
        if score > self.state.best {
            self.state.best = score;
            self.checkpoints.save_best(&self.weights(), &evaluations)?;
        }
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

fn fresh_model(config: &TrainConfig, model_config: &ModelConfig) -> Result<MedClip, TrainError> {
    let rates = config.clone();
    let frozen = move |name: &str| rates.rate(name) == 0.0;
    let model = MedClip::new(&model_config.architecture, config.seed, &Device::Cpu, frozen)?;
    Ok(model.with_frozen_image_blocks(config.image.freeze_blocks))
}

fn load_starting_weights(
    model: &MedClip,
    config: &TrainConfig,
    model_config: &ModelConfig,
) -> Result<(), TrainError> {
    if let Some(directory) = &config.start {
        let path = directory.join(checkpoint::WEIGHTS);
        let weights = candle_core::safetensors::load(&path, &Device::Cpu)
            .map_err(|error| TrainError::invalid(&path, error))?;
        start_trunk(model, &path, &weights.into_iter().collect(), |_| true)?;
    }
    let tower = &model_config.architecture.image;
    if let Some(path) = &config.image.init {
        let weights = pretrained::image(path, tower)?;
        start_trunk(model, path, &weights, |name| {
            name.starts_with("vision_model.model.") && name != tower.projection()
        })?;
    }
    if let Some(path) = &config.text.init {
        start_trunk(model, path, &pretrained::text(path)?, |name| name.starts_with("text_model.model."))?;
    }
    Ok(())
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

/// What the log says of a run as it begins.
fn start(config: &TrainConfig, train: &TrainSet, state: &RunState) -> Result<Start, TrainError> {
    let settings = toml::to_string_pretty(config)
        .map_err(|error| TrainError::Setting { field: "config", reason: error.to_string() })?;
    Ok(Start {
        name: config.name.clone(),
        epochs: config.epochs,
        steps_per_epoch: train.steps(),
        select_by: config.select_by.clone(),
        config_sha256: state.config_sha256.clone(),
        settings,
    })
}

/// Hash of the settings that decide the weights; where the output goes does not.
fn fingerprint(config: &TrainConfig) -> Result<String, TrainError> {
    let mut settings = config.clone();
    settings.output = std::path::PathBuf::new();
    let text = toml::to_string(&settings)
        .map_err(|error| TrainError::Setting { field: "config", reason: error.to_string() })?;
    Ok(sha256(text.as_bytes()))
}
