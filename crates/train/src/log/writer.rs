//! The log as it is written.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use medclip_core::terminal::escape_json;
use medclip_files::Folder;

use super::{Event, LOG};
use crate::error::TrainError;

/// Appends to the log of a run.
pub(crate) struct LogWriter {
    log: BufWriter<File>,
    path: PathBuf,
}

impl LogWriter {
    /// Appends to `<output>/log.jsonl`.
    ///
    /// # Errors
    /// [`TrainError::Io`] when the log cannot be opened.
    pub(crate) fn open(output: &Path) -> Result<Self, TrainError> {
        let path = output.join(LOG);
        let file = Folder::open(output)?.open_or_create(LOG)?;
        let file = open_log(file).map_err(TrainError::io(&path))?;
        Ok(Self { log: BufWriter::new(file), path })
    }

    /// Writes one line.
    ///
    /// # Errors
    /// [`TrainError`] when the log cannot be written.
    pub(crate) fn record(&mut self, event: &Event) -> Result<(), TrainError> {
        let line = serde_json::to_string(event).map_err(|error| TrainError::invalid(&self.path, error))?;
        writeln!(self.log, "{}", escape_json(&line))
            .and_then(|()| self.log.flush())
            .map_err(TrainError::io(&self.path))
    }
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
            let mut writer = LogWriter::open(directory.path()).unwrap();
            let bad = LeftOut { row: Some("row 1".to_owned()), path: None, reason: "unreadable".to_owned() };
            writer.record(&Event::BadImage(bad)).unwrap();
            let text = std::fs::read_to_string(&log).unwrap();
            let lines: Vec<serde_json::Value> =
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(lines.len(), kept + 1, "{text}");
            assert_eq!(lines[kept]["row"], "row 1", "{text}");
        }
    }
}
