//! The training loop.

mod hold;
mod origin;
mod start;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use candle_core::Tensor;
use candle_core::backprop::GradStore;
use medclip_core::TextTower;
use medclip_core::bundle::sha256;
use medclip_core::prompt::ExpandedClass;
use medclip_core::tokenize::Tokenizer;
use medclip_decode::Limits;
use medclip_files::Lock;
use medclip_nn::{AdamW, Ema, MedClip};

use crate::checkpoint::{CheckpointStore, RunState, Snapshot};
use crate::config::TrainConfig;
use crate::data::train_set::Batch;
use crate::data::{Dataset, EvalSet, Loader, LostImage, TrainSet};
use crate::early_stop::Plateau;
use crate::error::TrainError;
use crate::evaluate::{Evaluation, zero_shot};
use crate::log::{Event, LeftOut, RunLog, Start, Step};
use crate::progress::Progress;
use crate::report;
use crate::sentences::SentenceEncoder;
use crate::step::{Inputs, Pass, TextView, add_gradients};

use self::hold::Hold;
use self::origin::{INPUTS, Origin, deciding_settings};
use self::start::{
    check_selectable, check_steps, fresh_model, load_starting_weights, open_classes, open_tokenizer,
};

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
    lost: Vec<LostImage>,
    selected: usize,
    data_unproven: bool,
    /// Held while the run is at work.
    _lock: Option<Lock>,
}

impl Trainer {
    /// Prepares a run: checks every setting, loads data and starting weights, and picks up the newest checkpoint of
    /// the same configuration in `config.output`. The log names images by their rows.
    ///
    /// # Errors
    /// [`TrainError`] before any training, naming the file or setting; also when `config.output` holds a run of other
    /// settings or data, naming what differs, and while another training is at work there.
    pub fn new(config: TrainConfig) -> Result<Self, TrainError> {
        Self::prepare(config, false)
    }

    /// As [`Trainer::new`], and the log and the report name images by their paths too, which may be those of patients.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub fn with_logged_paths(config: TrainConfig) -> Result<Self, TrainError> {
        Self::prepare(config, true)
    }

    fn prepare(config: TrainConfig, log_paths: bool) -> Result<Self, TrainError> {
        config.validate()?;
        let lock = Hold::take(&config.output)?;
        let model_config = config.model_config()?;
        let TextTower::Bert(text) = &model_config.architecture.text;
        let tokenizer = open_tokenizer(&config, &model_config, text)?;
        let classes = open_classes(&config)?;
        let compute = config.compute()?;
        let model = fresh_model(&config, &model_config, compute.clone())?;
        load_starting_weights(&model, &config, &model_config)?;
        let earlier = Origin::read(&config.output);
        let known = earlier.clone().map(Origin::known).unwrap_or_default();
        let dataset = Dataset::load_known(
            &config.data,
            &model_config.preprocess,
            &Limits::default(),
            config.seed,
            &known,
        )?;
        let steps = steps_an_epoch(&config, &dataset.train);
        check_steps(&config, &dataset.train)?;
        check_selectable(&config, &dataset.evals)?;
        let mut optimizer =
            AdamW::new(config.optimizer, model.store().parameters(), |name| config.rate(name))?;
        let mut averaged = match config.ema_decay {
            Some(decay) => {
                Some((fresh_model(&config, &model_config, compute)?, Ema::new(model.store(), decay)?))
            }
            None => None,
        };
        let encoder = SentenceEncoder::new(&config, text, dataset.train.pool().sentences().len());

        let origin = Origin::of(&config, &dataset.images)?;
        let checkpoints = CheckpointStore::open(&config.output, model_config, &config.text.tokenizer)?;
        let mut state = RunState {
            epoch: 0,
            step: 0,
            optimizer_steps: 0,
            ema_updates: 0,
            best: None,
            plateau: Plateau::default(),
            config_sha256: sha256(deciding_settings(&config)?.as_bytes()),
            inputs_sha256: Some(origin.sha256()),
        };
        let mut data_unproven = false;
        if let Some(snapshot) = checkpoints.latest()? {
            check_same_run(&config.output, &snapshot.state, &state, &origin, earlier.as_ref())?;
            data_unproven = snapshot.state.inputs_sha256.is_none() && earlier.is_none();
            model.store().load(&snapshot.parameters)?;
            optimizer.restore(&snapshot.optimizer, snapshot.state.optimizer_steps)?;
            if let Some((_, ema)) = &mut averaged {
                ema.restore(snapshot.weights, snapshot.state.ema_updates)?;
            }
            state = RunState { inputs_sha256: state.inputs_sha256, ..snapshot.state };
        }
        // Before the first checkpoint that refers to it.
        if earlier.as_ref() != Some(&origin) {
            origin.write(&config.output)?;
        }
        let total = (config.epochs * steps) as u64;
        let mut progress = Progress::open(&config.output, total, state.optimizer_steps)?;
        progress.record(&Event::Start(start(&config, &dataset.train, &state)?))?;
        for lost in &dataset.lost {
            progress.record(&Event::BadImage(LeftOut::of(lost, log_paths)))?;
        }
        let Dataset { train, evals, lost, images } = dataset;
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
            lost,
            selected: images.len(),
            data_unproven,
            _lock: lock.keep(),
        })
    }

    /// Selected images that could not be read: the run does without them.
    pub fn lost(&self) -> &[LostImage] {
        &self.lost
    }

    /// Images selected, to train and to evaluate on, those that could not be read too.
    pub const fn selected(&self) -> usize {
        self.selected
    }

    /// Whether the run was begun by a version that did not record its data, so that nothing shows whether it goes on with the
    /// same. From this start on they are recorded.
    pub const fn data_unproven(&self) -> bool {
        self.data_unproven
    }

    /// Trains to the last epoch, or until early stopping ends the run, and returns the final evaluations.
    ///
    /// # Errors
    /// [`TrainError`]; what the last checkpoint holds is kept.
    pub fn run(mut self) -> Result<Vec<Evaluation>, TrainError> {
        let epochs = self.config.epochs as u64;
        let mut last = Vec::new();
        while self.state.epoch < epochs && !self.has_stopped() {
            self.epoch()?;
            let finished = self.state.epoch;
            if finished == epochs || finished.is_multiple_of(self.config.evaluate_every as u64) {
                last = self.evaluate()?;
            }
            self.save()?;
            if self.has_stopped() {
                let evaluations = self.state.plateau.evaluations;
                self.progress.record(&Event::EarlyStop { epoch: finished, evaluations })?;
            }
        }
        if last.is_empty() {
            last = self.evaluate()?;
        }
        Ok(last)
    }

    fn has_stopped(&self) -> bool {
        self.config.early_stop.is_some_and(|rule| rule.is_over(&self.state.plateau))
    }

    /// The rest of the current epoch.
    fn epoch(&mut self) -> Result<(), TrainError> {
        let batches = self.config.accumulate.get();
        let steps = steps_an_epoch(&self.config, &self.train);
        let total = steps * self.config.epochs;
        let first = self.state.step * batches;
        let mut loader = Loader::start(&self.train, self.state.epoch, first, self.config.loader_threads);
        while self.state.step < steps {
            let done = self.state.epoch as usize * steps + self.state.step;
            let learning_rate = self.config.learning_rate * self.config.schedule.factor(done, total);
            self.step(&mut loader, learning_rate)?;
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

    /// One step of the optimiser along the mean gradient of the next batches.
    fn step(&mut self, loader: &mut Loader, learning_rate: f64) -> Result<(), TrainError> {
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
        self.progress.record(&Event::Step(Step {
            epoch: self.state.epoch,
            step: self.state.step,
            images: Some(images),
            loss,
            learning_rate,
            gradient_norm,
            logit_scale: self.model.logit_scale()?.ln(),
            images_per_second: images as f64 / started.elapsed().as_secs_f64(),
        }))
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

/// Steps of the optimiser an epoch.
fn steps_an_epoch(config: &TrainConfig, train: &TrainSet) -> usize {
    train.steps() / config.accumulate
}

/// What the log says of a run as it begins.
fn start(config: &TrainConfig, train: &TrainSet, state: &RunState) -> Result<Start, TrainError> {
    let settings = toml::to_string_pretty(config)
        .map_err(|error| TrainError::Setting { field: "config", reason: error.to_string() })?;
    Ok(Start {
        name: config.name.clone(),
        epochs: config.epochs,
        steps_per_epoch: steps_an_epoch(config, train),
        select_by: config.select_by.clone(),
        config_sha256: state.config_sha256.clone(),
        inputs_sha256: state.inputs_sha256.clone(),
        settings,
    })
}

/// Refuses to go on with other settings or data than the run in `output` was begun with.
fn check_same_run(
    output: &Path,
    before: &RunState,
    now: &RunState,
    origin: &Origin,
    earlier: Option<&Origin>,
) -> Result<(), TrainError> {
    // A checkpoint from before data were recorded has none; a start since then may have left them beside it.
    let recorded = earlier.map(Origin::sha256);
    let begun_with = before.inputs_sha256.as_ref().or(recorded.as_ref());
    let is_same_data = begun_with.is_none() || begun_with == now.inputs_sha256.as_ref();
    if before.config_sha256 == now.config_sha256 && is_same_data {
        return Ok(());
    }
    let earlier = earlier.filter(|_| recorded.as_ref() == begun_with);
    let mut differences = match earlier {
        Some(earlier) => origin.differences(earlier),
        None => settings_of_log(output, before)
            .map(|settings| origin.differing_settings(&settings))
            .unwrap_or_default(),
    };
    if differences.is_empty() {
        differences.push(format!("{INPUTS} does not say what it was begun with"));
    }
    Err(TrainError::OtherRun { output: output.to_owned(), differences })
}

/// The settings that the log has for the run of a state.
fn settings_of_log(output: &Path, state: &RunState) -> Option<String> {
    let start = RunLog::open(output).ok()?.start?;
    (start.config_sha256 == state.config_sha256).then_some(start.settings)
}
