//! AUROC and average precision as means over members, such as draws of prompts or seeds of a training, finding by finding.

use medclip_core::Finding;
use medclip_data::Record;
use medclip_stats::{Averaged, Ranks, Setting, bootstrap_settings};
use serde::Serialize;

use crate::error::EvaluationError;
use crate::headline::{self, HEADLINE, LeftOut};
use crate::resampling::{LEVEL, Resampling};

/// Scores of settings' members on the same films, sorted.
pub(crate) struct Members<'a> {
    findings: Vec<Finding>,
    /// `[settings][members][findings]`; `None` where a score is not a number.
    ranks: Vec<Vec<Vec<Option<Ranks>>>>,
    patients: Vec<&'a str>,
}

/// A mean over members.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// The mean, its interval and the value of each member.
    #[serde(flatten)]
    pub averaged: Averaged,
    /// Standard deviation over the members; `None` if there is only one.
    pub deviation: Option<f64>,
}

impl From<Averaged> for Figure {
    fn from(averaged: Averaged) -> Self {
        Self { deviation: averaged.deviation(), averaged }
    }
}

impl<'a> Members<'a> {
    /// Scores `[settings][members][findings][films]` of the films of `records`.
    pub(crate) fn new(findings: Vec<Finding>, scores: &[Vec<Vec<Vec<f32>>>], records: &[&'a Record]) -> Self {
        let labels: Vec<Vec<Option<bool>>> = findings
            .iter()
            .map(|finding| records.iter().map(|record| record.annotations[finding.index()].known()).collect())
            .collect();
        let of_member = |member: &Vec<Vec<f32>>| {
            member.iter().zip(&labels).map(|(scores, labels)| Ranks::new(scores, labels)).collect()
        };
        let ranks = scores.iter().map(|members| members.iter().map(of_member).collect()).collect();
        Self {
            findings,
            ranks,
            patients: records.iter().map(|record| record.patient_group.as_str()).collect(),
        }
    }

    pub(crate) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Positive and negative films of a finding.
    pub(crate) fn class_counts(&self, column: usize) -> (usize, usize) {
        let first = self.ranks.first().and_then(|members| members.first());
        let ranks = first.and_then(|findings| findings.get(column)?.as_ref());
        ranks.map_or((0, 0), Ranks::class_counts)
    }

    /// A statistic of every finding, and its mean over the headline ones, of every setting.
    pub(crate) fn intervals(
        &self,
        resampling: Resampling,
        statistic: impl Fn(&Ranks, &[u32]) -> Option<f64>,
    ) -> Result<Vec<Setting>, EvaluationError> {
        let counts: Vec<usize> = self.ranks.iter().map(Vec::len).collect();
        let place = |finding: &Finding| self.findings.iter().position(|other| other == finding);
        let headline: Vec<usize> = HEADLINE.iter().filter_map(place).collect();
        let of_member = |setting: usize, member: usize, counts: &[u32]| {
            let findings = self.ranks[setting][member].iter();
            findings.map(|ranks| statistic(ranks.as_ref()?, counts)).collect()
        };
        let Resampling { resamples, seed } = resampling;
        Ok(bootstrap_settings(&self.patients, &counts, &headline, of_member, resamples, LEVEL, seed)?)
    }

    /// The headline findings other than `headline`, and why each has no figure.
    pub(crate) fn left_out(&self, headline: &[&str]) -> Vec<LeftOut> {
        let column = |name: &str| self.findings.iter().position(|finding| finding.name() == name);
        headline::left_out(headline, |name| column(name).map(|column| self.class_counts(column)))
    }

    /// Names of the headline findings that every setting defines.
    pub(crate) fn headline(&self, settings: &[Setting]) -> Vec<&'static str> {
        let is_defined = |finding: &&Finding| {
            let column = self.findings.iter().position(|other| other == *finding);
            column.is_some_and(|column| settings.iter().all(|setting| setting.each[column].is_some()))
        };
        HEADLINE.iter().filter(is_defined).map(|finding| finding.name()).collect()
    }
}
