//! The training loop.

mod hold;
mod origin;
mod run;
mod start;

use std::path::Path;
use std::sync::Arc;

use medclip_core::TextTower;
use medclip_core::prompt::ExpandedClass;
use medclip_core::tokenize::Tokenizer;
use medclip_decode::Limits;
use medclip_files::Lock;
use medclip_files::sha256;
use medclip_nn::{AdamW, Ema, MedClip};

use crate::checkpoint::{CheckpointStore, RunState};
use crate::config::TrainConfig;
use crate::data::{Dataset, EvalSet, LostImage, TrainSet};
use crate::early_stop::Plateau;
use crate::error::TrainError;
use crate::log::{Event, LeftOut, LogWriter, RunLog, Start};
use crate::sentences::SentenceEncoder;

pub use self::run::Ended;

use self::hold::Hold;
use self::origin::{INPUTS, Origin, deciding_settings};
use self::start::{
    check_selectable, check_steps, fresh_model, load_starting_weights, open_classes, open_tokenizer,
    steps_an_epoch,
};

/// A run: model, data, optimizer and where it stands.
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
    log: LogWriter,
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
        let mut log = LogWriter::open(&config.output)?;
        log.record(&Event::Start(start(&config, &dataset.train, &state)?))?;
        for lost in &dataset.lost {
            log.record(&Event::BadImage(LeftOut::of(lost, log_paths)))?;
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
            log,
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
