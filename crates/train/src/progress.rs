//! What a run tells: a bar for people, JSON lines for programs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use medclip_core::terminal::{escape, escape_json};
use medclip_files::Folder;

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

/// Opens a log to append to, without the line that a killed run left half written.
fn open_log(mut file: File) -> std::io::Result<File> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    file.set_len(whole as u64)?;
    file.seek(SeekFrom::End(0))?;
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
        let file = Folder::open(output)?.open_or_create(LOG)?;
        let file = open_log(file).map_err(TrainError::io(&path))?;
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
            // Whoever runs the trainer tells of images: paths may be those of patients.
            Event::Start(_) | Event::BadImage(_) => {}
            Event::Step(Step { loss, images_per_second, .. }) => {
                self.bar.inc(1);
                self.bar.set_message(format!("loss {loss:.4}, {images_per_second:.1} images/s"));
            }
            Event::Evaluation { epoch, evaluation, .. } => {
                let score =
                    evaluation.macro_auroc.map_or_else(|| "undefined".to_owned(), |a| format!("{a:.4}"));
                let without = match evaluation.left_out.as_slice() {
                    [] => String::new(),
                    names => format!(", without {}", names.join(", ")),
                };
                let line = format!("epoch {epoch}: {} macro-AUROC {score}{without}", evaluation.set);
                self.bar.println(escape(&line));
            }
            Event::EarlyStop { epoch, evaluations } => {
                self.bar.println(format!("epoch {epoch}: no better for {evaluations} evaluations, stopping"));
            }
        }
        let line = serde_json::to_string(event).map_err(|error| TrainError::invalid(&self.path, error))?;
        writeln!(self.log, "{}", escape_json(&line))
            .and_then(|()| self.log.flush())
            .map_err(TrainError::io(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::LeftOut;

    #[test]
    fn a_line_that_was_cut_off_is_dropped_and_costs_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join(LOG);
        for (before, kept) in [("", 0), ("{\"event\":\"st", 0), ("{\"event\":\"old\"}\n{\"ev", 1)] {
            std::fs::write(&log, before).unwrap();
            let mut progress = Progress::open(directory.path(), 1, 0).unwrap();
            let bad = LeftOut { row: Some("row 1".to_owned()), path: None, reason: "unreadable".to_owned() };
            progress.record(&Event::BadImage(bad)).unwrap();
            let text = std::fs::read_to_string(&log).unwrap();
            let lines: Vec<serde_json::Value> =
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(lines.len(), kept + 1, "{text}");
            assert_eq!(lines[kept]["row"], "row 1", "{text}");
        }
    }
}
