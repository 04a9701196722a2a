//! What a run tells: a bar for people, JSON lines for programs.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::data::BadImage;
use crate::error::TrainError;
use crate::evaluate::Evaluation;
use crate::log::{Event, LOG, RunLog, Step};

/// The last evaluation of every set that the run in `output` logged, and the epochs finished by then, by set.
///
/// # Errors
/// [`TrainError`] when there is no log or a line of it makes no sense.
pub fn last_evaluations(output: &Path) -> Result<BTreeMap<String, (u64, Evaluation)>, TrainError> {
    let evaluations = RunLog::open(output)?.evaluations.into_iter();
    Ok(evaluations.map(|((set, epoch), (_, evaluation))| (set, (epoch, evaluation))).collect())
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
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(TrainError::io(&path))?;
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
    pub fn record(&mut self, event: &Event) -> Result<(), TrainError> {
        match event {
            Event::Start(_) => {}
            Event::Step(Step { loss, images_per_second, .. }) => {
                self.bar.inc(1);
                self.bar.set_message(format!("loss {loss:.4}, {images_per_second:.1} images/s"));
            }
            Event::Evaluation { epoch, evaluation, .. } => {
                let score =
                    evaluation.macro_auroc.map_or_else(|| "undefined".to_owned(), |a| format!("{a:.4}"));
                self.bar.println(format!("epoch {epoch}: {} macro-AUROC {score}", evaluation.set));
            }
            Event::BadImage(BadImage { path, reason }) => {
                self.bar.println(format!("skipped {}: {reason}", path.display()));
            }
        }
        let line = serde_json::to_string(event).map_err(|error| TrainError::invalid(&self.path, error))?;
        writeln!(self.log, "{line}").and_then(|()| self.log.flush()).map_err(TrainError::io(&self.path))
    }
}
