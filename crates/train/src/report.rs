//! The report of a run: a page of its settings, curves, evaluations, skipped images and times.

mod curves;
mod tables;

use std::path::{Path, PathBuf};

use medclip_files::replace_file;
use medclip_plot::{Block, Page, PlotError};

use crate::error::TrainError;
use crate::log::{LOG, RunLog};

const REPORT: &str = "report.html";

/// Writes `report.html` of the run in `output` from its log, and returns where it is.
///
/// The page needs nothing beside itself: charts are inline SVG, and there is no script. The same log gives the same
/// bytes.
///
/// # Errors
/// [`TrainError`] when there is no log, a line of it makes no sense, it is empty, or the page cannot be written.
pub fn write(output: &Path) -> Result<PathBuf, TrainError> {
    let log = RunLog::open(output)?;
    if log == RunLog::default() {
        return Err(TrainError::invalid(output.join(LOG), "is empty"));
    }
    let directory = output.file_name().unwrap_or(output.as_os_str()).to_string_lossy().into_owned();
    let name = log.start.as_ref().map_or(directory, |start| start.name.clone());
    let path = output.join(REPORT);
    replace_file(&path, page(&name, &log)?.to_html().as_bytes())?;
    Ok(path)
}

fn page(name: &str, log: &RunLog) -> Result<Page, PlotError> {
    let mut blocks = vec![Block::Facts(tables::facts(log))];
    let course = curves::steps(log)?;
    if !course.is_empty() {
        blocks.push(Block::Heading("Training".to_owned()));
        blocks.push(Block::Charts(course));
    }
    if !log.evaluations.is_empty() {
        blocks.push(Block::Heading("Evaluation".to_owned()));
        blocks.push(Block::Charts(curves::evaluations(log)?));
        blocks.extend(tables::evaluations(log));
    }
    blocks.push(Block::Heading("Skipped images".to_owned()));
    blocks.extend(tables::bad_images(log));
    blocks.push(Block::Heading("Settings".to_owned()));
    blocks.push(match &log.start {
        Some(start) => Block::Folded { summary: "Training file".to_owned(), text: start.settings.clone() },
        None => Block::Paragraph("The log does not hold them.".to_owned()),
    });
    Ok(Page { title: format!("Training of {name}"), blocks })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::log::Event;
    use crate::log::tests::{bad_image, evaluation, lines, start, step};

    fn report(events: &[Event]) -> Result<String, TrainError> {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(LOG), lines(events)).unwrap();
        let path = write(directory.path())?;
        let names = fs::read_dir(directory.path()).unwrap().count();
        assert_eq!((names, path), (2, directory.path().join(REPORT)));
        Ok(fs::read_to_string(directory.path().join(REPORT)).unwrap())
    }

    fn run() -> Vec<Event> {
        let steps =
            |epoch| (0..3).map(move |index| step(epoch, index, 3.0 - epoch as f32 - 0.1 * index as f32));
        let mut events = vec![start("a"), bad_image()];
        events.extend(steps(0));
        events.extend([evaluation("val", 1, Some(0.75)), evaluation("other", 1, None)]);
        events.extend(steps(1));
        events.extend([evaluation("val", 2, Some(0.625)), evaluation("other", 2, None)]);
        events
    }

    #[test]
    fn a_run_becomes_charts_tables_and_settings() {
        let html = report(&run()).unwrap();
        assert!(html.contains("<title>Training of a &lt;model&gt;</title>"));
        // Loss, learning rate, gradient norm, logit scale, throughput, macro-AUROC, AUROC by finding of `val`.
        assert_eq!(html.matches("<svg").count(), 7);
        for text in [
            "Loss (nats)",
            "<dd>2 of 2</dd>",
            "<dd>6 of 24 images, repeated ones counted once</dd>",
            "<th scope=\"col\" class=\"number\">best, after epoch 1</th>",
            "<td>Edema</td><td class=\"number\">3</td><td class=\"number\">5</td><td class=\"number\">0.625</td><td class=\"number\">0.750</td>",
            "<td>row 1 (line 2) of a&amp;b.csv</td><td>no &lt;image&gt;</td>",
            "name = &quot;a &lt;model&gt;&quot;",
        ] {
            assert!(html.contains(text), "no {text} in {html}");
        }
        assert!(!html.contains("<script"));
        assert_eq!(html, report(&run()).unwrap());
    }

    #[test]
    fn a_run_that_has_only_begun_or_says_little_has_a_report_too() {
        let begun = report(&[start("a"), step(0, 0, 3.0)]).unwrap();
        assert!(begun.contains("<dd>0 of 2</dd>") && begun.contains("None."), "{begun}");
        let bare = report(&[step(0, 0, 3.0), evaluation("val", 1, None)]).unwrap();
        assert!(bare.contains("The log does not hold them."), "{bare}");
        let only_bad = report(&[bad_image()]).unwrap();
        assert_eq!(only_bad.matches("<svg").count(), 0);
        assert!(report(&[]).unwrap_err().to_string().ends_with("log.jsonl: is empty"));
    }
}
