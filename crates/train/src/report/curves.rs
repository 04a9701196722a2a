//! Curves of a run by epoch.

use std::collections::BTreeMap;

use medclip_plot::{Curve, CurveChart, PlotError, Svg};

use crate::evaluate::Evaluation;
use crate::log::{RunLog, Step};

/// A running mean is over this part of all steps …
const WINDOWS: usize = 40;
/// … but over no more than these.
const LONGEST_WINDOW: usize = 200;

/// Loss, learning rate, gradient norm, logit scale and throughput; nothing before the first step.
pub(super) fn steps(log: &RunLog) -> Result<Vec<Svg>, PlotError> {
    if log.steps.is_empty() {
        return Ok(Vec::new());
    }
    let per_epoch = steps_per_epoch(log) as f64;
    let of = |value: fn(&Step) -> f64| -> Vec<(f64, f64)> {
        let at = |step: &Step| step.epoch as f64 + (step.step + 1) as f64 / per_epoch;
        log.steps.values().map(|step| (at(step), value(step))).collect()
    };
    let norms = of(|step| step.gradient_norm);
    let is_logarithmic = norms.iter().all(|(_, norm)| *norm > 0.0);
    let norm_axis = if is_logarithmic { "Gradient norm (logarithmic)" } else { "Gradient norm" };
    [
        chart("Loss", "Loss (nats)", false, smoothed(of(|step| f64::from(step.loss)))),
        chart("Learning rate", "Learning rate", false, single(of(|step| step.learning_rate))),
        chart("Gradient norm before clipping", norm_axis, is_logarithmic, smoothed(norms)),
        chart("Logit scale", "ln(1 / temperature)", false, single(of(|step| f64::from(step.logit_scale)))),
        chart("Throughput", "Images per second", false, smoothed(of(|step| step.images_per_second))),
    ]
    .into_iter()
    .collect()
}

/// Macro-AUROC of all sets, then the AUROC of every finding, a chart a set; what is undefined is left out.
pub(super) fn evaluations(log: &RunLog) -> Result<Vec<Svg>, PlotError> {
    let mut sets: BTreeMap<&str, Vec<(u64, &Evaluation)>> = BTreeMap::new();
    for ((set, epoch), (_, evaluation)) in &log.evaluations {
        sets.entry(set).or_default().push((*epoch, evaluation));
    }
    let curve =
        |name: &str, evaluations: &[(u64, &Evaluation)], value: &dyn Fn(&Evaluation) -> Option<f64>| {
            let points = evaluations.iter().filter_map(|(epoch, found)| Some((*epoch as f64, value(found)?)));
            Curve { name: name.to_owned(), points: points.collect(), is_faint: false }
        };
    let mut charts = Vec::new();
    let mut add = |title: &str, curves: Vec<Curve>| -> Result<(), PlotError> {
        let defined: Vec<Curve> = curves.into_iter().filter(|curve| !curve.points.is_empty()).collect();
        if !defined.is_empty() {
            charts.push(chart(title, "AUROC", false, defined)?);
        }
        Ok(())
    };
    let means = sets.iter().map(|(set, evaluations)| curve(set, evaluations, &|found| found.macro_auroc));
    let title = match sets.keys().next() {
        Some(only) if sets.len() == 1 => format!("Macro-AUROC of {only}"),
        _ => "Macro-AUROC".to_owned(),
    };
    add(&title, means.collect())?;
    for (set, evaluations) in &sets {
        let mut names: Vec<&str> = Vec::new();
        for finding in evaluations.iter().flat_map(|(_, found)| &found.findings) {
            if !names.contains(&finding.name.as_str()) {
                names.push(&finding.name);
            }
        }
        let curves = names.into_iter().map(|name| {
            curve(name, evaluations, &|found| {
                found.findings.iter().find(|finding| finding.name == name)?.auroc
            })
        });
        add(&format!("AUROC by finding, {set}"), curves.collect())?;
    }
    Ok(charts)
}

fn chart(title: &str, y: &str, is_logarithmic: bool, curves: Vec<Curve>) -> Result<Svg, PlotError> {
    CurveChart { title: title.to_owned(), x: "Epoch".to_owned(), y: y.to_owned(), is_logarithmic, curves }
        .draw()
}

/// Steps of an epoch, as the log's start says or as many as an epoch was seen to have.
fn steps_per_epoch(log: &RunLog) -> usize {
    let seen = log.steps.keys().map(|(_, step)| step + 1).max().unwrap_or(1);
    log.start.as_ref().map_or(seen, |start| start.steps_per_epoch.max(seen))
}

fn single(points: Vec<(f64, f64)>) -> Vec<Curve> {
    vec![Curve { name: "each step".to_owned(), points, is_faint: false }]
}

/// The values behind their running mean.
fn smoothed(points: Vec<(f64, f64)>) -> Vec<Curve> {
    let window = (points.len() / WINDOWS).min(LONGEST_WINDOW);
    if window < 2 {
        return single(points);
    }
    let mean = running_mean(&points, window);
    vec![
        Curve { name: "each step".to_owned(), points, is_faint: true },
        Curve { name: format!("mean of {window} steps"), points: mean, is_faint: false },
    ]
}

/// Means of the last `window` values, from the first place that has as many.
fn running_mean(points: &[(f64, f64)], window: usize) -> Vec<(f64, f64)> {
    let mean = |values: &[(f64, f64)]| {
        let sum: f64 = values.iter().map(|point| point.1).sum();
        values.last().map(|last| (last.0, sum / values.len() as f64))
    };
    points.windows(window).filter_map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_mean_looks_back() {
        let points = [(1.0, 4.0), (2.0, 2.0), (3.0, 0.0), (4.0, 7.0)];
        assert_eq!(running_mean(&points, 2), [(2.0, 3.0), (3.0, 1.0), (4.0, 3.5)]);
    }

    #[test]
    fn long_runs_are_smoothed_and_short_ones_are_not() {
        let points = |count: u32| -> Vec<(f64, f64)> { (0..count).map(|at| (f64::from(at), 1.0)).collect() };
        assert_eq!(smoothed(points(79)).len(), 1);
        for (count, window) in [(80, 2), (400, 10), (100_000, 200)] {
            let curves = smoothed(points(count));
            assert_eq!(curves[1].name, format!("mean of {window} steps"));
            assert_eq!(curves[1].points.len(), count as usize - window + 1);
        }
    }
}
