//! The log of a run: one JSON object a line, written as it trains and read back.

mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use medclip_files::read_regular;
use serde::{Deserialize, Serialize};

pub(crate) use self::writer::LogWriter;
use crate::data::LostImage;
use crate::error::TrainError;
use crate::evaluate::Evaluation;

/// Most bytes of a log: a step takes some 200.
const MAX_BYTES: u64 = 4 << 30;

/// Name of the log in a run's output directory.
pub(crate) const LOG: &str = "log.jsonl";
/// How every line begins.
const BEGINNING: &[u8] = b"{\"event\":\"";

/// One line of `log.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run begins, or goes on after a stop.
    Start(Start),
    /// A step of the optimizer.
    Step(Step),
    /// A zero-shot evaluation.
    Evaluation {
        /// Epochs finished.
        epoch: u64,
        /// Time it took; `None` where the log does not say.
        #[serde(default)]
        seconds: Option<f64>,
        /// Which set, and how well.
        #[serde(flatten)]
        evaluation: Evaluation,
    },
    /// The run ended before its last epoch.
    EarlyStop {
        /// Epochs finished.
        epoch: u64,
        /// Evaluations in a row without an improvement.
        evaluations: usize,
    },
    /// An image that was left out.
    BadImage(LeftOut),
}

/// An image that a run does without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its row, as `row 6 (line 7) of manifest.csv`; `None` where the log does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// The file, where the log may name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Why, in words that do not name the file.
    pub reason: String,
}

impl LeftOut {
    /// A lost image by its row; also by its path where `with_path` allows it, since that may be the name of a patient.
    pub fn of(lost: &LostImage, with_path: bool) -> Self {
        let path = with_path.then(|| lost.path.clone());
        Self { row: Some(lost.row.to_string()), path, reason: lost.reason.clone() }
    }

    /// How the report names it.
    pub fn name(&self) -> String {
        let path = self.path.as_ref().map(|path| path.display().to_string());
        match (&self.row, path) {
            (Some(row), Some(path)) => format!("{row}: {path}"),
            (row, path) => row.clone().or(path).unwrap_or_default(),
        }
    }
}

/// What a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Name of the model.
    pub name: String,
    /// Epochs it will have.
    pub epochs: usize,
    /// Steps of each.
    pub steps_per_epoch: usize,
    /// Evaluation set whose macro-AUROC picks the best checkpoint.
    pub select_by: String,
    /// SHA-256 of the settings that decide the weights.
    pub config_sha256: String,
    /// SHA-256 of settings, files and images together; `None` where the log does not say.
    #[serde(default)]
    pub inputs_sha256: Option<String>,
    /// All settings, as a training file.
    pub settings: String,
}

/// A step of the optimizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// 0-based epoch.
    pub epoch: u64,
    /// 0-based step in the epoch.
    pub step: usize,
    /// Images of the batch; `None` where the log does not say.
    #[serde(default)]
    pub images: Option<usize>,
    /// Loss in nats.
    pub loss: f32,
    /// Learning rate before each part's factor.
    pub learning_rate: f64,
    /// Global gradient norm before clipping.
    pub gradient_norm: f64,
    /// Logarithm of the inverse temperature.
    pub logit_scale: f32,
    /// Images a second over this step.
    pub images_per_second: f64,
}

/// What a run's log says, repeated parts once.
///
/// A run that was killed goes on from its newest checkpoint and logs the steps since then again: the later ones count. A
/// start with other settings or data begins anew.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunLog {
    /// What the run is; `None` where the log does not say.
    pub start: Option<Start>,
    /// By epoch and step.
    pub steps: BTreeMap<(u64, usize), Step>,
    /// Time and result by set and epochs finished.
    pub evaluations: BTreeMap<(String, u64), (Option<f64>, Evaluation)>,
    /// Epochs finished when the run ended early; `None` where it did not.
    pub ended_early: Option<u64>,
    /// Images left out at the last start.
    pub bad_images: Vec<LeftOut>,
}

impl RunLog {
    /// Reads the log of the run in `output`. A last line that was cut short is left out.
    ///
    /// # Errors
    /// [`TrainError`] when there is no log, or naming the line that is none of a log.
    pub fn open(output: &Path) -> Result<Self, TrainError> {
        let path = output.join(LOG);
        let bytes = read_regular(&path, MAX_BYTES).map_err(TrainError::io(&path))?;
        let mut log = Self::default();
        let mut lines = bytes.split(|byte| *byte == b'\n').zip(1_usize..).peekable();
        while let Some((line, number)) = lines.next() {
            let is_cut = lines.peek().is_none() && is_torn(line);
            match event(line) {
                Ok(event) => log.add(event),
                Err(_) if is_cut => {}
                Err(error) => {
                    return Err(TrainError::invalid(
                        &path,
                        format!("line {number} is none of a log (column {})", error.column()),
                    ));
                }
            }
        }
        Ok(log)
    }

    fn add(&mut self, event: Event) {
        match event {
            Event::Start(start) => {
                let is_same = |earlier: &Start| {
                    let inputs = earlier.inputs_sha256.as_ref().zip(start.inputs_sha256.as_ref());
                    earlier.config_sha256 == start.config_sha256 && inputs.is_none_or(|(a, b)| a == b)
                };
                if !self.start.as_ref().is_none_or(is_same) {
                    *self = Self::default();
                }
                self.start = Some(start);
                // A start names them all.
                self.bad_images.clear();
            }
            Event::Step(step) => {
                self.steps.insert((step.epoch, step.step), step);
            }
            Event::Evaluation { epoch, seconds, evaluation } => {
                self.evaluations.insert((evaluation.set.clone(), epoch), (seconds, evaluation));
            }
            Event::EarlyStop { epoch, .. } => self.ended_early = Some(epoch),
            Event::BadImage(image) => self.bad_images.push(image),
        }
    }
}

/// The last evaluation of every set that the run in `output` logged, and the epochs finished by then, by set.
///
/// # Errors
/// [`TrainError`] when there is no log or a line of it makes no sense.
pub fn last_evaluations(output: &Path) -> Result<BTreeMap<String, (u64, Evaluation)>, TrainError> {
    let evaluations = RunLog::open(output)?.evaluations.into_iter();
    Ok(evaluations.map(|((set, epoch), (_, evaluation))| (set, (epoch, evaluation))).collect())
}

/// The event of a line; that of its end, where a killed run left half a line and the next one went on behind it.
fn event(line: &[u8]) -> Result<Event, serde_json::Error> {
    serde_json::from_slice(line).or_else(|error| {
        let last = line.windows(BEGINNING.len()).rposition(|window| window == BEGINNING);
        match last.map(|at| line.split_at(at)) {
            Some((torn, rest)) if !torn.is_empty() && is_torn(torn) => serde_json::from_slice(rest),
            _ => Err(error),
        }
    })
}

/// Whether these bytes may begin a line.
fn is_torn(bytes: &[u8]) -> bool {
    bytes.starts_with(BEGINNING) || BEGINNING.starts_with(bytes)
}

#[cfg(test)]
pub(crate) mod tests;
