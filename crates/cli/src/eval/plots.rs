//! Charts of an evaluation as SVG files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use medclip_core::Finding;
use medclip_files::replace_file;
use medclip_plot::{
    CalibrationBin, CalibrationChart, CalibrationPanel, EfficiencyChart, EfficiencyCurve, EmbeddingClass,
    EmbeddingMap, Estimate, RocChart, RocCurve, SharePoint, Svg,
};
use medclip_stats::{Interval, auroc, calibration, principal_plane, roc_curve};

use super::ranking::{Figures, Ranking};

/// Most bins of a reliability diagram.
const BINS: usize = 10;
/// Films in each of them, where there are as many.
const FILMS_PER_BIN: usize = 20;

/// Where charts go.
#[derive(Debug, Args)]
pub(super) struct PlotArgs {
    /// Draw charts into this directory, as SVG files
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
}

impl PlotArgs {
    /// Whether charts were asked for.
    pub(super) const fn are_wanted(&self) -> bool {
        self.plots.is_some()
    }

    /// Makes the directory, so that a place that cannot be written to is refused before any work.
    pub(super) fn prepare(&self) -> anyhow::Result<()> {
        let Some(directory) = &self.plots else { return Ok(()) };
        fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))
    }

    /// Draws `roc.svg`, `calibration.svg` and `embedding-map.svg`: how scores rank films, whether they are probabilities,
    /// and where the films' embeddings lie. Does nothing when no charts were asked for.
    ///
    /// `subject` says in the charts' titles whose scores they are. `scores` of the ranking are log-odds.
    pub(super) fn write(
        &self,
        subject: &str,
        ranking: &Ranking<'_>,
        figures: &Figures,
        embeddings: &[Vec<f32>],
    ) -> anyhow::Result<()> {
        let Some(directory) = &self.plots else { return Ok(()) };
        put(directory, "roc.svg", roc(subject, ranking, figures))?;
        put(directory, "calibration.svg", reliability(subject, ranking))?;
        put(directory, "embedding-map.svg", map(subject, ranking, embeddings))
    }

    /// Draws `data-efficiency.svg`: AUROC against the share of the patients fitted on. Does nothing when no charts were
    /// asked for.
    pub(super) fn write_efficiency(&self, subject: &str, shares: &[(f64, &Figures)]) -> anyhow::Result<()> {
        let Some(directory) = &self.plots else { return Ok(()) };
        put(directory, "data-efficiency.svg", efficiency(subject, shares))
    }
}

fn put(directory: &Path, name: &str, chart: anyhow::Result<Svg>) -> anyhow::Result<()> {
    let chart = chart.with_context(|| format!("cannot draw {name}"))?;
    replace_file(directory.join(name), chart.to_file().as_bytes()).context("cannot write a chart")
}

fn roc(subject: &str, ranking: &Ranking<'_>, figures: &Figures) -> anyhow::Result<Svg> {
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
        bail!("no finding has both outcomes among these films");
    }
    Ok(RocChart { title: format!("ROC: {subject}"), curves }.draw()?)
}

fn reliability(subject: &str, ranking: &Ranking<'_>) -> anyhow::Result<Svg> {
    let mut panels = Vec::new();
    for (column, finding) in ranking.findings().iter().enumerate() {
        let (scores, labels) = ranking.annotated(column);
        if !labels.contains(&true) || !labels.contains(&false) {
            continue;
        }
        let probabilities: Vec<f64> = scores.iter().map(|score| 1.0 / (1.0 + (-score).exp())).collect();
        let bins = (labels.len() / FILMS_PER_BIN).clamp(1, BINS);
        let found = calibration(&probabilities, &labels, bins)
            .with_context(|| format!("{}: a score is not a number", finding.name()))?;
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

fn map(subject: &str, ranking: &Ranking<'_>, embeddings: &[Vec<f32>]) -> anyhow::Result<Svg> {
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

fn efficiency(subject: &str, shares: &[(f64, &Figures)]) -> anyhow::Result<Svg> {
    let point = |share: f64, interval: Option<&Interval>| {
        let interval = interval?;
        Some(SharePoint { share, score: Estimate { value: interval.estimate, interval: interval.ends() } })
    };
    // A mean over other findings is another figure, not another point of the same curve.
    let headline = shares.iter().map(|(_, figures)| &figures.headline).max_by_key(|names| names.len());
    let headline = headline.context("no share of the patients was fitted on")?;
    let has_mean = |figures: &Figures| figures.headline == *headline;
    let mean = shares.iter().filter(|(_, figures)| has_mean(figures));
    let mean = EfficiencyCurve {
        name: format!("mean of {} findings", headline.len()),
        points: mean.filter_map(|(share, figures)| point(*share, figures.macro_auroc.as_ref())).collect(),
    };
    let each = headline.iter().map(|name| {
        let of = |figures: &Figures| figures.findings.iter().find(|finding| finding.name == *name)?.auroc;
        let points = shares.iter().filter_map(|(share, figures)| point(*share, of(figures).as_ref()));
        // Intervals of the mean alone: those of six findings would hide one another.
        let points = points.map(|SharePoint { share, score }| SharePoint {
            share,
            score: Estimate { interval: None, ..score },
        });
        EfficiencyCurve { name: (*name).to_owned(), points: points.collect() }
    });
    let curves: Vec<EfficiencyCurve> =
        std::iter::once(mean).chain(each).filter(|curve| !curve.points.is_empty()).collect();
    if curves.is_empty() {
        bail!("none of the headline findings has an AUROC");
    }
    let mut notes = vec!["Bars: 95 % intervals of the mean, by patient.".to_owned()];
    let without: Vec<String> =
        shares.iter().filter(|(_, figures)| !has_mean(figures)).map(|(share, _)| share.to_string()).collect();
    if !without.is_empty() {
        notes.push(format!(
            "No mean at {}: not all of its findings have a classifier there.",
            without.join(", ")
        ));
    }
    let chart = EfficiencyChart {
        title: format!("Data efficiency: {subject}"),
        share: "Share of the patients fitted on".to_owned(),
        score: "AUROC".to_owned(),
        curves,
        notes,
    };
    Ok(chart.draw()?)
}
