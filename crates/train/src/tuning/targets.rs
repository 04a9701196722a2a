//! What films say of the findings that classifiers can be fitted for.

use medclip_core::Finding;
use medclip_data::Record;

/// The findings with enough films of both outcomes, and the films that are annotated with one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets {
    findings: Vec<Finding>,
    rows: Vec<usize>,
    /// `[rows][findings]`; `None` where nobody looked or was sure.
    labels: Vec<Vec<Option<bool>>>,
}

/// A finding that is too rare to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// The finding.
    pub finding: Finding,
    /// Films annotated as having it.
    pub positives: usize,
    /// Films annotated as not having it.
    pub negatives: usize,
}

impl Targets {
    /// Targets of the films `rows` among `records`; a finding with fewer than `least` films of either outcome is left
    /// out.
    pub fn new(records: &[Record], rows: &[usize], least: usize) -> (Self, Vec<LeftOut>) {
        let known = |row: usize, finding: Finding| {
            records.get(row).and_then(|record: &Record| record.annotations[finding.index()].known())
        };
        let (mut findings, mut left_out) = (Vec::new(), Vec::new());
        for finding in Finding::ALL {
            let count = |outcome| rows.iter().filter(|row| known(**row, finding) == Some(outcome)).count();
            let (positives, negatives) = (count(true), count(false));
            if positives.min(negatives) < least.max(1) {
                left_out.push(LeftOut { finding, positives, negatives });
            } else {
                findings.push(finding);
            }
        }
        let labels_of = |row: usize| findings.iter().map(|finding| known(row, *finding)).collect::<Vec<_>>();
        let annotated = rows.iter().map(|row| (*row, labels_of(*row)));
        let (rows, labels) = annotated.filter(|(_, labels)| labels.iter().any(Option::is_some)).unzip();
        (Self { findings, rows, labels }, left_out)
    }

    /// The findings, in their usual order.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The films annotated with at least one of them, as they were numbered.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// What the films at these places of [`Targets::rows`] say, one entry a finding.
    pub(super) fn labels(&self, places: &[usize]) -> Vec<&[Option<bool>]> {
        places.iter().map(|place| self.labels[*place].as_slice()).collect()
    }
}

#[cfg(test)]
mod tests {
    use medclip_core::Finding::{Edema, Fracture, PleuralEffusion};

    use super::*;
    use crate::data::fixture::{Row, records};

    #[test]
    fn rare_findings_and_unannotated_films_stay_out() {
        let films = [
            vec![(PleuralEffusion, "1"), (Edema, "1")],
            vec![(PleuralEffusion, "0"), (Edema, "-1")],
            vec![(Fracture, "1")],
            vec![(PleuralEffusion, "0"), (Edema, "0")],
            vec![(Edema, "1"), (PleuralEffusion, "-1")],
            vec![(PleuralEffusion, "1")],
        ];
        let rows: Vec<Row> = films
            .into_iter()
            .enumerate()
            .map(|(index, findings)| Row { findings, ..Row::new(&format!("{index}.png"), "p") })
            .collect();
        let records = records(&rows);
        let all: Vec<usize> = (0..6).collect();

        let (targets, left_out) = Targets::new(&records, &all, 1);
        assert_eq!(targets.findings(), [Edema, PleuralEffusion]);
        assert_eq!(targets.rows(), [0, 1, 3, 4, 5], "nobody looked for either in film 2");
        let labels = targets.labels(&[1, 3]);
        assert_eq!(labels, [[None, Some(false)], [Some(true), None]], "uncertain is not absent");
        assert_eq!(left_out.len(), 12);
        assert!(left_out.contains(&LeftOut { finding: Fracture, positives: 1, negatives: 0 }));

        let (targets, left_out) = Targets::new(&records, &all, 2);
        assert_eq!((targets.findings(), left_out.len()), (&[PleuralEffusion][..], 13));
        assert_eq!(Targets::new(&records, &[0, 5], 0).0.findings(), [], "two outcomes are needed at least");
    }
}
