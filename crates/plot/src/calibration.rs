//! Reliability diagrams.

use crate::error::{PlotError, not_empty, unit};
use crate::estimate::Estimate;
use crate::figure::{Figure, Legend};
use crate::mark::Mark;
use crate::panel::{Axis, Panel};
use crate::scale::Scale;
use crate::style::Style;
use crate::svg::Svg;

/// Predicted probability against observed frequency, a panel a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationChart {
    /// Above the chart.
    pub title: String,
    /// One a finding.
    pub panels: Vec<CalibrationPanel>,
    /// What the reader must know of the probabilities, below the chart.
    pub notes: Vec<String>,
}

/// How well the probabilities of one finding are calibrated.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationPanel {
    /// The finding.
    pub name: String,
    /// Ascending in the probability.
    pub bins: Vec<CalibrationBin>,
    /// Expected calibration error, 0–1.
    pub expected_calibration_error: f64,
    /// Cases in all bins.
    pub count: usize,
}

/// Cases of similar probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// Mean predicted probability, 0–1.
    pub predicted: f64,
    /// Share of cases that are positive, 0–1, with its interval.
    pub observed: Estimate,
}

impl CalibrationChart {
    /// Draws the panels, three a row.
    ///
    /// # Errors
    /// [`PlotError`] without panels, for an empty one, or for a probability or frequency outside 0–1.
    pub fn draw(&self) -> Result<Svg, PlotError> {
        not_empty(&self.title, &self.panels)?;
        let panels = self.panels.iter().map(CalibrationPanel::panel).collect::<Result<_, _>>()?;
        let figure = Figure {
            title: self.title.clone(),
            panels,
            columns: 3,
            size: (210.0, 210.0),
            legend: Legend::default(),
            notes: self.notes.clone(),
        };
        Ok(figure.draw())
    }
}

impl CalibrationPanel {
    fn panel(&self) -> Result<Panel, PlotError> {
        not_empty(&self.name, &self.bins)?;
        unit(&self.name, [self.expected_calibration_error])?;
        for bin in &self.bins {
            unit(&self.name, [bin.predicted].into_iter().chain(bin.observed.values()))?;
            bin.observed.validate(&self.name)?;
        }
        let points: Vec<(f64, f64)> =
            self.bins.iter().map(|bin| (bin.predicted, bin.observed.value)).collect();
        let intervals = self.bins.iter().filter_map(|bin| {
            let (low, high) = bin.observed.interval?;
            Some((bin.predicted, low, high))
        });
        let style = Style::of(0);
        let diagonal = Style { dash: Some("5 5"), ..Style::neutral() };
        let summary = format!("ECE {:.3}, n = {}", self.expected_calibration_error, self.count);
        Ok(Panel {
            title: vec![self.name.clone(), summary],
            x: Axis::new("Predicted probability", Scale::unit(4)),
            y: Axis::new("Observed frequency", Scale::unit(4)),
            marks: vec![
                Mark::Line { points: vec![(0.0, 0.0), (1.0, 1.0)], style: diagonal },
                Mark::Intervals { bars: intervals.collect(), style, shift: 0.0 },
                Mark::Line { points: points.clone(), style: Style { width: 1.2, ..style } },
                Mark::Points { points, style, radius: 3.5 },
            ],
        })
    }
}
