//! Figures as the cells of a Markdown table.

use medclip_core::Finding;
use medclip_stats::{Averaged, Interval, NoInterval};
use serde::Serialize;

/// The findings a headline mean averages over.
pub(super) const HEADLINE: [Finding; 6] = [
    Finding::NoFinding,
    Finding::Cardiomegaly,
    Finding::LungOpacity,
    Finding::Atelectasis,
    Finding::PleuralEffusion,
    Finding::Edema,
];

/// `0.809 (0.763–0.847)`, `0.809 (–)` without an interval, or a dash for what the films do not define.
pub(super) fn interval(interval: Option<&Interval>) -> String {
    interval.map_or_else(
        || "–".to_owned(),
        |interval| format!("{:.3} ({})", interval.estimate, ends(interval, 3)),
    )
}

/// `0.763–0.847`, or a dash.
pub(super) fn ends(interval: &Interval, decimals: usize) -> String {
    let ends = interval.ends();
    ends.map_or_else(|| "–".to_owned(), |(low, high)| format!("{low:.decimals$}–{high:.decimals$}"))
}

/// Why some of the named figures have no interval: a line below their table, or none.
pub(super) fn no_interval_note<'a>(
    figures: impl IntoIterator<Item = (&'a str, Option<&'a Interval>)>,
) -> Option<String> {
    let mut resting: Vec<&str> = Vec::new();
    for (name, interval) in figures {
        match interval.and_then(|interval| interval.no_interval) {
            Some(NoInterval::OnePatient) => {
                return Some("(–): no interval, as all films are of one patient.".to_owned());
            }
            Some(_) if !resting.contains(&name) => resting.push(name),
            _ => {}
        }
    }
    (!resting.is_empty()).then(|| {
        format!(
            "(–): no interval for {}: without the films of one patient there is no figure at all.",
            resting.join(", ")
        )
    })
}

/// Which of the headline findings a mean leaves out, and why: a line below its table, or none.
pub(super) fn left_out_note(left_out: &[LeftOut]) -> Option<String> {
    let each = left_out.iter().map(|LeftOut { name, why }| format!("{name} ({})", why.words()));
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| format!("Left out of the mean: {}.", each.join(", ")))
}

/// A headline finding that a mean does not average over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct LeftOut {
    pub(super) name: &'static str,
    pub(super) why: Why,
}

/// Why a mean leaves a finding out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Why {
    /// Nothing scores it: no prompts, no classifier.
    NotScored,
    NoPositives,
    NoNegatives,
    /// A score is not a number.
    NoFigure,
}

impl Why {
    const fn words(self) -> &'static str {
        match self {
            Self::NotScored => "not scored",
            Self::NoPositives => "no film has it",
            Self::NoNegatives => "no film is without it",
            Self::NoFigure => "a score is not a number",
        }
    }
}

/// The headline findings without a figure; `counts` gives the positive and negative films of those that are scored.
pub(super) fn left_out(defined: &[&str], counts: impl Fn(&str) -> Option<(usize, usize)>) -> Vec<LeftOut> {
    let missing = HEADLINE.iter().map(|finding| finding.name()).filter(|name| !defined.contains(name));
    let why = |name: &'static str| LeftOut {
        name,
        why: match counts(name) {
            None => Why::NotScored,
            Some((0, _)) => Why::NoPositives,
            Some((_, 0)) => Why::NoNegatives,
            Some(_) => Why::NoFigure,
        },
    };
    missing.map(why).collect()
}

/// `0.809`, or a dash for none.
pub(super) fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

/// `0.809 ± 0.012 (0.763–0.847)`: mean, deviation over members where there are several, interval of the mean.
pub(super) fn averaged(averaged: Option<&Averaged>) -> String {
    match averaged.map(|found| (found.interval, found.deviation())) {
        Some((found, Some(deviation))) => {
            format!("{:.3} ± {deviation:.3} ({})", found.estimate, ends(&found, 3))
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

#[cfg(test)]
mod tests {
    use medclip_stats::bootstrap_ci;

    use super::*;

    #[test]
    fn a_figure_that_one_patient_decides_has_a_dash_and_a_note() {
        let of = |patients: &[u8]| {
            bootstrap_ci(patients, |rows| rows.contains(&0).then_some(0.5), 50, 0.95, 1).unwrap()
        };
        let (one, rests) = (of(&[1, 1]), of(&[1, 2, 3]));
        assert_eq!((interval(Some(&one)), interval(Some(&rests))), ("0.500 (–)".into(), "0.500 (–)".into()));
        assert_eq!(interval(None), "–");
        let note = no_interval_note([("Edema", Some(&rests)), ("Fracture", None), ("Edema", Some(&rests))]);
        assert_eq!(
            note.as_deref(),
            Some("(–): no interval for Edema: without the films of one patient there is no figure at all.")
        );
        assert!(no_interval_note([("Edema", Some(&one))]).is_some_and(|note| note.contains("one patient")));
        let sound = bootstrap_ci(&[1, 2], |_| Some(0.5), 50, 0.95, 1).unwrap();
        assert_eq!(no_interval_note([("Edema", Some(&sound)), ("Fracture", None)]), None);
        assert_eq!(interval(Some(&sound)), "0.500 (0.500–0.500)");
    }

    #[test]
    fn what_a_mean_leaves_out_is_named_with_its_reason() {
        let counts = |name: &str| match name {
            "Edema" => Some((0, 9)),
            "Atelectasis" => Some((9, 0)),
            "Cardiomegaly" => Some((4, 5)),
            _ => None,
        };
        let found = left_out(&["No Finding", "Lung Opacity"], counts);
        assert_eq!(
            left_out_note(&found).as_deref(),
            Some(
                "Left out of the mean: Cardiomegaly (a score is not a number), Atelectasis (no film is without it), \
                 Pleural Effusion (not scored), Edema (no film has it)."
            )
        );
        assert_eq!(left_out_note(&[]), None);
    }
}
