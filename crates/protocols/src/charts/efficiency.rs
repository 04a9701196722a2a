//! What more patients to fit on give.

use medclip_plot::{EfficiencyChart, EfficiencyCurve, Estimate, SharePoint, Svg};
use medclip_stats::Interval;

use super::{Chart, ChartError, ChartFault, chart};
use crate::ranking::Figures;

/// `data-efficiency.svg`: AUROC against the share of the patients fitted on.
///
/// # Errors
/// [`ChartError`] when no share has a figure.
pub(crate) fn of_shares(subject: &str, shares: &[(f64, &Figures)]) -> Result<Chart, ChartError> {
    chart("data-efficiency.svg", efficiency(subject, shares))
}

fn efficiency(subject: &str, shares: &[(f64, &Figures)]) -> Result<Svg, ChartFault> {
    let point = |share: f64, interval: Option<&Interval>| {
        let interval = interval?;
        Some(SharePoint { share, score: Estimate { value: interval.estimate, interval: interval.ends() } })
    };
    // A mean over other findings is another figure, not another point of the same curve.
    let headline = shares.iter().map(|(_, figures)| &figures.headline).max_by_key(|names| names.len());
    let headline = headline.ok_or(ChartFault::NoShare)?;
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
        return Err(ChartFault::NoFigure);
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
