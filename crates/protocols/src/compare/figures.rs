//! Figures of every label, and differences from the first.

use medclip_core::Finding;
use medclip_data::Record;
use medclip_stats::{Interval, Ranks, Setting};
use serde::Serialize;

use super::scored::{Column, Scored};
use super::{CompareError, CompareOptions, Comparison, Counted, Member};
use crate::embed::distinct_patients;
use crate::members::{Figure, Members};

/// Figures of one label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelFigures {
    /// The label.
    pub label: String,
    /// Its bundles.
    pub bundles: Vec<Member>,
    /// Mean AUROC of the headline findings.
    pub macro_auroc: Option<Figure>,
    /// From the first label; `None` for the first label itself.
    pub difference: Option<Difference>,
    /// One for every finding that all bundles have.
    pub findings: Vec<LabelFinding>,
}

/// A label's figure of one finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelFinding {
    /// The finding.
    pub name: &'static str,
    /// Area under the ROC curve; `None` without films of both outcomes.
    pub auroc: Option<Figure>,
    /// From the first label; `None` for the first label itself.
    pub difference: Option<Difference>,
}

/// A paired difference from the first label.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The difference.
    #[serde(flatten)]
    pub interval: Interval,
    /// `None` without an interval.
    pub excludes_zero: Option<bool>,
}

/// All figures of the columns, whose scores are of the films `records`.
pub(super) fn compare(
    columns: Vec<Column>,
    records: &[&Record],
    failed: usize,
    engine: &'static str,
    options: &CompareOptions,
) -> Result<Comparison, CompareError> {
    let resampling = options.resampling;
    let all: Vec<&Scored> = columns.iter().flat_map(|column| &column.bundles).collect();
    let in_all = |finding: &Finding| all.iter().all(|scored| scored.findings.contains(finding));
    let in_any = |finding: &Finding| all.iter().any(|scored| scored.findings.contains(finding));
    let (shared, left_out): (Vec<Finding>, Vec<Finding>) =
        Finding::ALL.into_iter().filter(in_any).partition(in_all);
    if shared.is_empty() {
        return Err(CompareError::NoCommonFinding);
    }
    let of_shared = |scored: &Scored| -> Vec<Vec<f32>> {
        let place = |finding: &Finding| scored.findings.iter().position(|other| other == finding);
        shared.iter().filter_map(|finding| scored.logits.get(place(finding)?).cloned()).collect()
    };
    let scores: Vec<Vec<Vec<Vec<f32>>>> =
        columns.iter().map(|column| column.bundles.iter().map(of_shared).collect()).collect();
    let members = Members::new(shared, &scores, records);
    let settings = members.intervals(resampling, Ranks::auroc)?;
    let counted = members.findings().iter().enumerate().map(|(column, finding)| {
        let (positives, negatives) = members.class_counts(column);
        Counted { name: finding.name(), positives, negatives }
    });
    let headline = members.headline(&settings);
    Ok(Comparison {
        side: options.side,
        engine,
        images: records.len(),
        patients: distinct_patients(records.iter().copied()),
        failed,
        resamples: resampling.resamples,
        seed: resampling.seed,
        left_out_of_mean: members.left_out(&headline),
        headline,
        left_out: left_out.iter().map(|finding| finding.name()).collect(),
        findings: counted.collect(),
        labels: columns
            .into_iter()
            .zip(&settings)
            .map(|(column, setting)| LabelFigures::of(column, setting, members.findings()))
            .collect(),
    })
}

impl LabelFigures {
    fn of(column: Column, setting: &Setting, findings: &[Finding]) -> Self {
        let Setting { each, mean, difference } = setting;
        let differences = difference.as_ref().map(|difference| difference.each.as_slice());
        let differences = differences.unwrap_or_default().iter().copied().chain(std::iter::repeat(None));
        let finding =
            |((finding, auroc), difference): ((&Finding, &Option<_>), Option<Interval>)| LabelFinding {
                name: finding.name(),
                auroc: auroc.clone().map(Figure::from),
                difference: difference.map(Difference::from),
            };
        Self {
            label: column.label,
            bundles: column.bundles.into_iter().map(|scored| scored.member).collect(),
            macro_auroc: mean.clone().map(Figure::from),
            difference: difference.as_ref().and_then(|difference| difference.mean).map(Difference::from),
            findings: findings.iter().zip(each).zip(differences).map(finding).collect(),
        }
    }
}

impl From<Interval> for Difference {
    fn from(interval: Interval) -> Self {
        Self { excludes_zero: interval.excludes(0.0), interval }
    }
}
