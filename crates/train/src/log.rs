//! The log of a run: one JSON object a line, written as it trains and read back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use medclip_core::files::read_regular;
use serde::{Deserialize, Serialize};

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
    /// A step of the optimiser.
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

/// A step of the optimiser.
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
pub(crate) mod tests {
    use super::*;
    use crate::evaluate::FindingAuroc;

    pub(crate) fn start(sha: &str) -> Event {
        Event::Start(Start {
            name: "a <model>".to_owned(),
            epochs: 2,
            steps_per_epoch: 3,
            select_by: "val".to_owned(),
            config_sha256: sha.to_owned(),
            inputs_sha256: None,
            settings: "name = \"a <model>\"\n".to_owned(),
        })
    }

    pub(crate) fn step(epoch: u64, step: usize, loss: f32) -> Event {
        Event::Step(Step {
            epoch,
            step,
            images: Some(4),
            loss,
            learning_rate: 1e-3,
            gradient_norm: 0.5,
            logit_scale: 2.6,
            images_per_second: 8.0,
        })
    }

    pub(crate) fn evaluation(set: &str, epoch: u64, auroc: Option<f64>) -> Event {
        let finding = FindingAuroc { name: "Edema".to_owned(), positives: 3, negatives: 5, auroc };
        let evaluation = Evaluation {
            set: set.to_owned(),
            images: 8,
            findings: vec![finding],
            macro_auroc: auroc,
            left_out: Vec::new(),
        };
        Event::Evaluation { epoch, seconds: Some(1.5), evaluation }
    }

    pub(crate) fn bad_image() -> Event {
        let (row, reason) = ("row 1 (line 2) of a&b.csv".to_owned(), "no <image>".to_owned());
        Event::BadImage(LeftOut { row: Some(row), path: None, reason })
    }

    pub(crate) fn lines(events: &[Event]) -> String {
        events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect()
    }

    fn read(text: &[u8]) -> Result<RunLog, TrainError> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(LOG), text).unwrap();
        RunLog::open(directory.path())
    }

    fn losses(log: &RunLog) -> Vec<f32> {
        log.steps.values().map(|step| step.loss).collect()
    }

    #[test]
    fn repeated_parts_of_a_resumed_run_count_once() {
        let events = [
            start("a"),
            bad_image(),
            step(0, 0, 3.0),
            step(0, 1, 2.0),
            step(0, 2, 9.0),
            evaluation("val", 1, Some(0.6)),
            start("a"),
            bad_image(),
            step(0, 2, 1.0),
            evaluation("val", 1, Some(0.7)),
            evaluation("other", 1, None),
        ];
        let log = read(lines(&events).as_bytes()).unwrap();
        assert_eq!(losses(&log), [3.0, 2.0, 1.0]);
        assert_eq!(log.bad_images.len(), 1);
        assert_eq!(log.evaluations.len(), 2);
        assert_eq!(log.evaluations[&("val".to_owned(), 1)].1.macro_auroc, Some(0.7));
    }

    #[test]
    fn other_settings_begin_anew() {
        let log = read(
            lines(&[start("a"), step(0, 0, 3.0), step(0, 1, 2.0), start("b"), step(0, 0, 1.0)]).as_bytes(),
        );
        assert_eq!(losses(&log.unwrap()), [1.0]);
    }

    #[test]
    fn lines_cut_at_any_byte_are_left_out() {
        let whole = lines(&[step(0, 0, 3.0), step(0, 1, 2.0)]);
        let first = whole.find('\n').unwrap() + 1;
        for cut in first..whole.len() - 1 {
            let log = read(&whole.as_bytes()[..cut]).unwrap();
            assert_eq!(losses(&log), [3.0], "cut at {cut}");
            // The run went on behind the cut line, without a line end.
            let went_on =
                [&whole.as_bytes()[..cut], lines(&[start("a"), step(0, 1, 1.0)]).as_bytes()].concat();
            assert_eq!(losses(&read(&went_on).unwrap()), [3.0, 1.0], "cut at {cut}");
        }
        assert_eq!(
            losses(&read(&whole.as_bytes()[..whole.len() - 1]).unwrap()),
            [3.0, 2.0],
            "only the line end"
        );
        assert_eq!(read(b"").unwrap(), RunLog::default());
    }

    #[test]
    fn what_is_no_log_is_refused_by_line() {
        let good = lines(&[step(0, 0, 3.0)]);
        for (bad, line) in [
            ("hello", 2),
            ("hello\n", 2),
            ("{\"event\":\"dance\"}\n", 2),
            ("{\"event\":\"step\",\"epoch\":1}\n", 2),
            ("\n{}\n", 2),
        ] {
            let message = read(format!("{good}{bad}").as_bytes()).unwrap_err().to_string();
            let expected = format!("log.jsonl: line {line} is none of a log");
            assert!(message.contains(&expected), "{bad:?}: {message}");
        }
        let missing = RunLog::open(Path::new("no/such/run")).unwrap_err().to_string();
        assert!(missing.starts_with("no/such/run/log.jsonl: "), "{missing}");
    }

    #[test]
    fn a_line_that_names_an_image_by_path_is_read() {
        let line = r#"{"event":"bad_image","path":"films/a.png","reason":"is empty"}"#;
        let log = read(line.as_bytes()).unwrap();
        assert_eq!(log.bad_images[0].name(), "films/a.png");
    }

    #[test]
    fn a_line_without_the_optional_fields_is_read() {
        let line = r#"{"event":"step","epoch":0,"step":0,"loss":1.5,"learning_rate":0.1,"gradient_norm":1.0,"logit_scale":2.6,"images_per_second":9.0}"#;
        assert_eq!(read(line.as_bytes()).unwrap().steps[&(0, 0)].images, None);
    }
}
