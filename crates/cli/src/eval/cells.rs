//! Figures as the cells of a Markdown table.

use medclip_core::Finding;
use medclip_eval::{Averaged, Interval};

/// The findings a headline mean averages over.
pub(super) const HEADLINE: [Finding; 6] = [
    Finding::NoFinding,
    Finding::Cardiomegaly,
    Finding::LungOpacity,
    Finding::Atelectasis,
    Finding::PleuralEffusion,
    Finding::Edema,
];

/// `0.809 (0.763–0.847)`, or a dash for what the films do not define.
pub(super) fn interval(interval: Option<&Interval>) -> String {
    interval.map_or_else(
        || "–".to_owned(),
        |Interval { estimate, low, high, .. }| format!("{estimate:.3} ({low:.3}–{high:.3})"),
    )
}

/// `0.809`, or a dash for none.
pub(super) fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

/// `0.809 ± 0.012 (0.763–0.847)`: mean, deviation over members where there are several, interval of the mean.
pub(super) fn averaged(averaged: Option<&Averaged>) -> String {
    match averaged.map(|found| (found.interval, found.deviation())) {
        Some((Interval { estimate, low, high, .. }, Some(deviation))) => {
            format!("{estimate:.3} ± {deviation:.3} ({low:.3}–{high:.3})")
        }
        Some((found, None)) => interval(Some(&found)),
        None => interval(None),
    }
}

/// Mean and, from two values on, standard deviation (n − 1).
pub(super) fn mean_and_deviation(values: &[f64]) -> String {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    match values.len() {
        0 => "–".to_owned(),
        1 => format!("{mean:.3}"),
        _ => {
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            format!("{mean:.3} ± {:.3}", (squares / (count - 1.0)).sqrt())
        }
    }
}

/// Findings by name, `A, B, C`.
pub(super) fn names(findings: &[Finding]) -> String {
    findings.iter().map(|finding| finding.name()).collect::<Vec<_>>().join(", ")
}

/// A finding named on the command line.
pub(super) fn parse_finding(text: &str) -> Result<Finding, String> {
    Finding::from_name(text)
        .ok_or_else(|| format!("`{text}` is none of the findings {}", names(&Finding::ALL)))
}
