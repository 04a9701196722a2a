//! Charts of an evaluation.

mod efficiency;
mod error;

use std::collections::BTreeMap;
use std::path::Path;

use medclip_core::Finding;
use medclip_files::{StagingError, replace_file};
use medclip_plot::{
    CalibrationBin, CalibrationChart, CalibrationPanel, EmbeddingClass, EmbeddingMap, Estimate, RocChart,
    RocCurve, Svg,
};
use medclip_stats::{Interval, auroc, calibration, principal_plane, roc_curve};

use crate::ranking::{Figures, Ranking};

pub(crate) use efficiency::of_shares;
pub use error::{ChartError, ChartFault};

/// Most bins of a reliability diagram.
const BINS: usize = 10;
/// Films in each of them, where there are as many.
const FILMS_PER_BIN: usize = 20;

/// A chart as a file of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Name for the file, with its extension.
    pub file_name: &'static str,
    /// What to write into it.
    pub svg: Svg,
}

impl Chart {
    /// Writes it into a directory; a chart of that name is replaced.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, directory: &Path) -> Result<(), StagingError> {
        replace_file(directory.join(self.file_name), self.svg.to_file().as_bytes())
    }
}

/// `roc.svg`, `calibration.svg` and `embedding-map.svg`: how scores rank films, whether they are probabilities, and where the
/// films' embeddings lie.
///
/// `subject` says in the charts' titles whose scores they are. `scores` of the ranking are log-odds.
///
/// # Errors
/// [`ChartError`] naming the chart.
pub(crate) fn of_scores(
    subject: &str,
    ranking: &Ranking<'_>,
    figures: &Figures,
    embeddings: &[Vec<f32>],
) -> Result<Vec<Chart>, ChartError> {
    Ok(vec![
        chart("roc.svg", roc(subject, ranking, figures))?,
        chart("calibration.svg", reliability(subject, ranking))?,
        chart("embedding-map.svg", map(subject, ranking, embeddings))?,
    ])
}

fn chart(file_name: &'static str, drawn: Result<Svg, ChartFault>) -> Result<Chart, ChartError> {
    let svg = drawn.map_err(|source| ChartError { file_name, source })?;
    Ok(Chart { file_name, svg })
}

fn roc(subject: &str, ranking: &Ranking<'_>, figures: &Figures) -> Result<Svg, ChartFault> {
    let mut curves = Vec::new();
    for (column, finding) in ranking.findings().iter().enumerate() {
        let (scores, labels) = ranking.annotated(column);
        if let Some((points, area)) = roc_curve(&scores, &labels).zip(auroc(&scores, &labels)) {
            let found = figures.findings.iter().find(|other| other.name == finding.name());
            let interval = found.and_then(|found| found.auroc.as_ref());
            let auroc = Estimate { value: area, interval: interval.and_then(Interval::ends) };
            curves.push(RocCurve { name: finding.name().to_owned(), points, auroc });
        }
    }
    if curves.is_empty() {
        return Err(ChartFault::OneOutcome);
    }
    Ok(RocChart { title: format!("ROC: {subject}"), curves }.draw()?)
}

fn reliability(subject: &str, ranking: &Ranking<'_>) -> Result<Svg, ChartFault> {
    let mut panels = Vec::new();
    for (column, finding) in ranking.findings().iter().enumerate() {
        let (scores, labels) = ranking.annotated(column);
        if !labels.contains(&true) || !labels.contains(&false) {
            continue;
        }
        let probabilities: Vec<f64> = scores.iter().map(|score| 1.0 / (1.0 + (-score).exp())).collect();
        let bins = (labels.len() / FILMS_PER_BIN).clamp(1, BINS);
        let found = calibration(&probabilities, &labels, bins)
            .ok_or(ChartFault::NotANumber { finding: finding.name() })?;
        let bin = |bin: &medclip_stats::calibration::Bin| CalibrationBin {
            predicted: bin.predicted,
            observed: Estimate { value: bin.observed, interval: Some((bin.low, bin.high)) },
        };
        panels.push(CalibrationPanel {
            name: finding.name().to_owned(),
            bins: found.bins.iter().map(bin).collect(),
            expected_calibration_error: found.expected_calibration_error,
            count: labels.len(),
        });
    }
    let notes = [
        "Probability: the logistic function of the score. ECE: expected calibration error over the bins shown.",
        "Bins hold equally many films, equal scores together; bars are Wilson's 95 % intervals.",
    ];
    let title = format!("Calibration: {subject}");
    Ok(CalibrationChart { title, panels, notes: notes.map(str::to_owned).to_vec() }.draw()?)
}

fn map(subject: &str, ranking: &Ranking<'_>, embeddings: &[Vec<f32>]) -> Result<Svg, ChartFault> {
    let plane = principal_plane(embeddings)?;
    let mut points: BTreeMap<Class, Vec<(f64, f64)>> = BTreeMap::new();
    for (class, point) in classes(ranking).into_iter().zip(plane.points) {
        points.entry(class).or_default().push(point);
    }
    let classes = points.into_iter().map(|(class, points)| match class {
        Class::Finding(finding) => {
            EmbeddingClass { name: finding.name().to_owned(), points, is_background: false }
        }
        Class::NoFinding => EmbeddingClass { name: "No Finding".to_owned(), points, is_background: true },
        Class::None => EmbeddingClass { name: "none of these".to_owned(), points, is_background: true },
    });
    let [first, second] = plane.explained.map(|share| format!("{:.1} % of the variance", 100.0 * share));
    let chart = EmbeddingMap {
        title: format!("Embeddings: {subject}"),
        x: format!("First principal component ({first})"),
        y: format!("Second principal component ({second})"),
        classes: classes.collect(),
        notes: vec!["A film with several findings has the colour of the rarest of them.".to_owned()],
    };
    Ok(chart.draw()?)
}

/// What a film is on the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Finding(Finding),
    NoFinding,
    None,
}

/// The class of each film: the rarest finding it is annotated to have.
fn classes(ranking: &Ranking<'_>) -> Vec<Class> {
    let findings = ranking.findings();
    let labels = ranking.labels();
    let positives: Vec<usize> =
        labels.iter().map(|column| column.iter().filter(|label| **label == Some(true)).count()).collect();
    let films = labels.first().map_or(0, Vec::len);
    let has = |column: usize, film: usize| labels[column][film] == Some(true);
    let class = |film: usize| {
        let present = (0..findings.len()).filter(|column| has(*column, film));
        match present.min_by_key(|column| (findings[*column] == Finding::NoFinding, positives[*column])) {
            Some(column) if findings[column] == Finding::NoFinding => Class::NoFinding,
            Some(column) => Class::Finding(findings[column]),
            None => Class::None,
        }
    };
    (0..films).map(class).collect()
}
