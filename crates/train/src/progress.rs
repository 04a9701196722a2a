//! What a run tells: a bar for people, JSON lines for programs.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::evaluate::Evaluation;

const LOG: &str = "log.jsonl";

/// One line of `log.jsonl`.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// A step of the optimiser.
    Step {
        /// 0-based epoch.
        epoch: u64,
        /// 0-based step in the epoch.
        step: usize,
        /// Loss in nats.
        loss: f32,
        /// Learning rate before each part's factor.
        learning_rate: f64,
        /// Global gradient norm before clipping.
        gradient_norm: f64,
        /// Logarithm of the inverse temperature.
        logit_scale: f32,
        /// Images a second over this step.
        images_per_second: f64,
    },
    /// A zero-shot evaluation.
    Evaluation {
        /// Epochs finished.
        epoch: u64,
        /// Which set, and how well.
        #[serde(flatten)]
        evaluation: &'a Evaluation,
    },
    /// The run ended before its last epoch.
    EarlyStop {
        /// Epochs finished.
        epoch: u64,
        /// Evaluations in a row without an improvement.
        evaluations: usize,
    },
    /// An image that was left out.
    BadImage {
        /// The file.
        path: &'a Path,
        /// Why.
        reason: &'a str,
    },
}

/// The last evaluation of every set that the run in `output` logged, and the epochs finished by then, by set.
///
/// # Errors
/// [`TrainError`] when there is no log or an evaluation in it makes no sense.
pub fn last_evaluations(output: &Path) -> Result<BTreeMap<String, (u64, Evaluation)>, TrainError> {
    #[derive(Deserialize)]
    struct Line {
        event: String,
    }
    #[derive(Deserialize)]
    struct EvaluationLine {
        epoch: u64,
        #[serde(flatten)]
        evaluation: Evaluation,
    }
    let path = output.join(LOG);
    let file = File::open(&path).map_err(TrainError::io(&path))?;
    let mut last = BTreeMap::new();
    for line in BufReader::new(file).lines() {
        let line = line.map_err(TrainError::io(&path))?;
        // A run that was killed may have left half a line.
        let is_evaluation = serde_json::from_str(&line).is_ok_and(|line: Line| line.event == "evaluation");
        if is_evaluation {
            let EvaluationLine { epoch, evaluation } =
                serde_json::from_str(&line).map_err(|error| TrainError::invalid(&path, error))?;
            last.insert(evaluation.set.clone(), (epoch, evaluation));
        }
    }
    Ok(last)
}

/// Opens a log to append to, ending a line that was cut off: the next event would be lost with it.
fn open_log(path: &Path) -> std::io::Result<File> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    if file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

/// The bar on a terminal and the log file.
pub struct Progress {
    bar: ProgressBar,
    log: BufWriter<File>,
    path: PathBuf,
}

impl Progress {
    /// Appends to `<output>/log.jsonl`; the bar shows on standard error when that is a terminal.
    ///
    /// # Errors
    /// [`TrainError::Io`] when the log cannot be opened.
    pub fn open(output: &Path, total_steps: u64, done: u64) -> Result<Self, TrainError> {
        let path = output.join(LOG);
        let file = open_log(&path).map_err(TrainError::io(&path))?;
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(total_steps), target).with_position(done);
        if let Ok(style) =
            ProgressStyle::with_template("{elapsed_precise} {wide_bar} {pos}/{len} steps, {eta} left {msg}")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        Ok(Self { bar, log: BufWriter::new(file), path })
    }

    /// Writes one line to the log and moves the bar.
    ///
    /// # Errors
    /// [`TrainError`] when the log cannot be written.
    pub fn record(&mut self, event: &Event<'_>) -> Result<(), TrainError> {
        match event {
            Event::Step { loss, images_per_second, .. } => {
                self.bar.inc(1);
                self.bar.set_message(format!("loss {loss:.4}, {images_per_second:.1} images/s"));
            }
            Event::Evaluation { epoch, evaluation } => {
                let score =
                    evaluation.macro_auroc.map_or_else(|| "undefined".to_owned(), |a| format!("{a:.4}"));
                self.bar.println(format!("epoch {epoch}: {} macro-AUROC {score}", evaluation.set));
            }
            Event::EarlyStop { epoch, evaluations } => {
                self.bar.println(format!("epoch {epoch}: no better for {evaluations} evaluations, stopping"));
            }
            Event::BadImage { path, reason } => {
                self.bar.println(format!("skipped {}: {reason}", path.display()));
            }
        }
        let line = serde_json::to_string(event).map_err(|error| TrainError::invalid(&self.path, error))?;
        writeln!(self.log, "{line}").and_then(|()| self.log.flush()).map_err(TrainError::io(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_costs_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join(LOG);
        let reason = "unreadable";
        for before in ["", "{\"event\":\"st"] {
            std::fs::write(&log, before).unwrap();
            let mut progress = Progress::open(directory.path(), 1, 0).unwrap();
            progress.record(&Event::BadImage { path: Path::new("a.png"), reason }).unwrap();
            let text = std::fs::read_to_string(&log).unwrap();
            let last: serde_json::Value = serde_json::from_str(text.lines().next_back().unwrap()).unwrap();
            assert_eq!(last["path"], "a.png", "{text}");
        }
    }
}
