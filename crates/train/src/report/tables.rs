//! Figures of a run in words and tables.

use std::collections::BTreeSet;

use medclip_plot::{Block, Table};

use crate::evaluate::Evaluation;
use crate::log::{RunLog, Step};

/// Skipped images that are listed.
const LISTED: usize = 500;

/// How far the run is, how long it took and how fast it was.
pub(super) fn facts(log: &RunLog) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut add = |name: &str, value: String| facts.push((name.to_owned(), value));
    let finished = epochs_finished(log);
    match &log.start {
        Some(start) if log.ended_early.is_some() => {
            add("Epochs", format!("{finished} of {}, ended early", start.epochs));
        }
        Some(start) => add("Epochs", format!("{finished} of {}", start.epochs)),
        None => add("Epochs", finished.to_string()),
    }
    let counts: Option<usize> = log.steps.values().map(|step| step.images).sum();
    let counted = counts.map_or_else(String::new, |images| format!(" of {images} images"));
    add("Steps", format!("{}{counted}, repeated ones counted once", log.steps.len()));
    let times: Option<Vec<f64>> = log.steps.values().map(seconds).collect();
    if let Some(times) = times.filter(|times| !times.is_empty()) {
        let total: f64 = times.iter().sum();
        add("Time in steps", duration(total));
        if let Some(images) = counts.filter(|_| total > 0.0) {
            add("Throughput", format!("{:.1} images per second", images as f64 / total));
        }
    }
    let times: Option<Vec<f64>> = log.evaluations.values().map(|(seconds, _)| *seconds).collect();
    if let Some(times) = times.filter(|times| !times.is_empty()) {
        add("Time in evaluations", duration(times.iter().sum()));
    }
    if let Some((set, epoch, score)) = best(log) {
        add("Best checkpoint", format!("after epoch {epoch}: macro-AUROC {score:.3} of {set}"));
    }
    facts
}

/// The last and the best evaluation of every set.
pub(super) fn evaluations(log: &RunLog) -> Vec<Block> {
    let sets: BTreeSet<&str> = log.evaluations.keys().map(|(set, _)| set.as_str()).collect();
    sets.into_iter().filter_map(|set| table(log, set)).flatten().collect()
}

/// The images that were left out, with reasons.
pub(super) fn bad_images(log: &RunLog) -> Vec<Block> {
    if log.bad_images.is_empty() {
        return vec![Block::Paragraph("None.".to_owned())];
    }
    let rows = log.bad_images.iter().take(LISTED).map(|image| vec![image.name(), image.reason.clone()]);
    let table = Table {
        header: ["Image", "Reason"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
        numeric_from: 2,
    };
    let count = log.bad_images.len();
    let words = match count {
        0..=LISTED => format!("{count} could not be read."),
        _ => format!("{count} could not be read. The first {LISTED} of them; the log lists all."),
    };
    vec![Block::Paragraph(words), Block::Table(table)]
}

/// A row a finding: counts, AUROC after the last evaluation and after the best one.
fn table(log: &RunLog, set: &str) -> Option<[Block; 2]> {
    let of_set = || log.evaluations.iter().filter(|((other, _), _)| other == set);
    let ((_, last_epoch), (_, last)) = of_set().next_back()?;
    let chosen = best(log).map(|(_, epoch, _)| epoch);
    let best = chosen.and_then(|epoch| Some((epoch, &log.evaluations.get(&(set.to_owned(), epoch))?.1)));
    let mut header: Vec<String> = ["Finding", "positives", "negatives"].map(str::to_owned).to_vec();
    header.push(format!("last, after epoch {last_epoch}"));
    header.extend(best.iter().map(|(epoch, _)| format!("best, after epoch {epoch}")));
    let row = |name: &str, counts: [String; 2], value: &dyn Fn(&Evaluation) -> Option<f64>| {
        let scores = [Some(last), best.map(|(_, evaluation)| evaluation)].into_iter().flatten();
        let mut row = vec![name.to_owned()];
        row.extend(counts);
        row.extend(scores.map(|evaluation| score(value(evaluation))));
        row
    };
    let mut rows: Vec<Vec<String>> = last
        .findings
        .iter()
        .map(|finding| {
            let counts = [finding.positives, finding.negatives].map(|count| count.to_string());
            row(&finding.name, counts, &|evaluation| {
                evaluation.findings.iter().find(|other| other.name == finding.name)?.auroc
            })
        })
        .collect();
    rows.push(row("macro", [String::new(), String::new()], &|evaluation| evaluation.macro_auroc));
    let left_out = if last.left_out.is_empty() {
        String::new()
    } else {
        format!(" The mean leaves out {}: every film has it, or none does.", last.left_out.join(", "))
    };
    let words = format!("AUROC of {set}, zero-shot by prompts, {} images.{left_out}", last.images);
    Some([Block::Paragraph(words), Block::Table(Table { header, rows, numeric_from: 1 })])
}

/// Set, epochs finished and macro-AUROC of the evaluation that picked the best checkpoint: the first of equals.
fn best(log: &RunLog) -> Option<(&str, u64, f64)> {
    let set = log.start.as_ref()?.select_by.as_str();
    let mut best: Option<(&str, u64, f64)> = None;
    for ((other, epoch), (_, evaluation)) in &log.evaluations {
        if let Some(score) = evaluation.macro_auroc.filter(|_| other == set)
            && best.is_none_or(|(_, _, highest)| score > highest)
        {
            best = Some((set, *epoch, score));
        }
    }
    best
}

/// Epochs all of whose steps are there.
fn epochs_finished(log: &RunLog) -> u64 {
    let evaluated = log.evaluations.keys().map(|(_, epoch)| *epoch).max().unwrap_or(0);
    let last = log.steps.keys().next_back();
    let by_steps = last.map_or(0, |(epoch, step)| {
        let is_whole = log.start.as_ref().is_some_and(|start| step + 1 >= start.steps_per_epoch);
        epoch + u64::from(is_whole)
    });
    evaluated.max(by_steps)
}

fn seconds(step: &Step) -> Option<f64> {
    step.images.map(|images| images as f64 / step.images_per_second)
}

fn score(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

/// `1 h 02 min`, `3 min 20 s`, `4.5 s`.
fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_in_two_units() {
        for (seconds, expected) in
            [(4.46, "4.5 s"), (59.7, "1 min 00 s"), (200.0, "3 min 20 s"), (3725.0, "1 h 02 min")]
        {
            assert_eq!(duration(seconds), expected);
        }
    }
}
