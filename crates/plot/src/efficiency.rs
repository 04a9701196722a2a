//! A score against how much data it took.

use crate::error::{PlotError, check, not_empty};
use crate::estimate::Estimate;
use crate::figure::{Entry, Figure, Legend, Sample};
use crate::mark::Mark;
use crate::panel::{Axis, Panel};
use crate::scale::Scale;
use crate::style::Style;
use crate::svg::Svg;

/// Pixels between the interval bars of neighboring curves.
const SHIFT: f64 = 3.0;

/// Scores over growing shares of the data, the shares on a logarithmic axis.
#[derive(Debug, Clone, PartialEq)]
pub struct EfficiencyChart {
    /// Above the chart.
    pub title: String,
    /// What a share is of, such as `Share of the patients`.
    pub share: String,
    /// What is scored, with its unit.
    pub score: String,
    /// One a model or a finding.
    pub curves: Vec<EfficiencyCurve>,
    /// What the reader must know, below the chart.
    pub notes: Vec<String>,
}

/// One series of scores.
#[derive(Debug, Clone, PartialEq)]
pub struct EfficiencyCurve {
    /// What scored.
    pub name: String,
    /// In any order.
    pub points: Vec<SharePoint>,
}

/// A score at one share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharePoint {
    /// Above 0 and at most 1.
    pub share: f64,
    /// The score, with its interval where it has one.
    pub score: Estimate,
}

impl EfficiencyChart {
    /// Draws the curves.
    ///
    /// # Errors
    /// [`PlotError`] without curves, for an empty one, a share that is not above 0 and at most 1, or a score that is not
    /// finite.
    pub fn draw(&self) -> Result<Svg, PlotError> {
        not_empty(&self.title, &self.curves)?;
        for curve in &self.curves {
            not_empty(&curve.name, &curve.points)?;
            let shares = curve.points.iter().map(|point| point.share);
            check(&curve.name, "above 0 and at most 1", shares, |share| share > 0.0 && share <= 1.0)?;
            curve.points.iter().try_for_each(|point| point.score.validate(&curve.name))?;
        }
        let all = || self.curves.iter().flat_map(|curve| &curve.points);
        let shares = Scale::logarithmic_at(all().map(|point| point.share), percent);
        let scores = Scale::covering(all().flat_map(|point| point.score.values()));
        let styles: Vec<Style> =
            self.curves.iter().enumerate().map(|(index, curve)| curve.style(index)).collect();
        let with_intervals = self.curves.iter().filter(|curve| curve.has_intervals()).count();
        let mut shift = SHIFT * with_intervals.saturating_sub(1) as f64 / 2.0;
        let mut marks = Vec::new();
        // The first curve comes last, above the others.
        for (curve, style) in self.curves.iter().zip(&styles).rev() {
            marks.extend(curve.marks(*style, shift));
            shift -= if curve.has_intervals() { SHIFT } else { 0.0 };
        }
        let entries = self.curves.iter().zip(&styles).map(|(curve, style)| Entry {
            name: curve.name.clone(),
            style: *style,
            sample: Sample::LineAndPoint,
        });
        let panel = Panel {
            title: Vec::new(),
            x: Axis::new(&format!("{} (logarithmic)", self.share), shares),
            y: Axis::new(&self.score, scores),
            marks,
        };
        let figure = Figure {
            title: self.title.clone(),
            panels: vec![panel],
            columns: 1,
            size: (440.0, 320.0),
            legend: Legend { title: String::new(), entries: entries.collect() },
            notes: self.notes.clone(),
        };
        Ok(figure.draw())
    }
}

impl EfficiencyCurve {
    fn has_intervals(&self) -> bool {
        self.points.iter().any(|point| point.score.interval.is_some())
    }

    /// A curve without intervals is thin, so that those with them are seen first.
    fn style(&self, index: usize) -> Style {
        Style { width: if self.has_intervals() { 2.4 } else { 1.2 }, ..Style::of(index) }
    }

    fn marks(&self, style: Style, shift: f64) -> Vec<Mark> {
        let mut points = self.points.clone();
        points.sort_by(|a, b| a.share.total_cmp(&b.share));
        let bars = points.iter().filter_map(|point| {
            let (low, high) = point.score.interval?;
            Some((point.share, low, high))
        });
        let bars = bars.collect();
        let points: Vec<(f64, f64)> = points.iter().map(|point| (point.share, point.score.value)).collect();
        let mut marks = vec![
            Mark::Line { points: points.clone(), style },
            Mark::Points { points, style, radius: 2.0 + style.width },
        ];
        if self.has_intervals() {
            marks.push(Mark::Intervals { bars, style, shift });
        }
        marks
    }
}

/// `0.1 %`, `25 %`.
fn percent(share: f64) -> String {
    // Rounded, because a hundred times 0.07 is not 7.
    format!("{} %", (share * 1e8).round() / 1e6)
}
