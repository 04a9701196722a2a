//! Receiver operating characteristics.

use crate::error::{PlotError, not_empty, unit};
use crate::estimate::Estimate;
use crate::figure::{Entry, Figure, Legend, Sample};
use crate::mark::Mark;
use crate::panel::{Axis, Panel};
use crate::scale::Scale;
use crate::style::Style;
use crate::svg::Svg;

/// ROC curves over the diagonal of chance.
#[derive(Debug, Clone, PartialEq)]
pub struct RocChart {
    /// Above the chart.
    pub title: String,
    /// Up to 24 that can be told apart.
    pub curves: Vec<RocCurve>,
}

/// One ROC curve.
#[derive(Debug, Clone, PartialEq)]
pub struct RocCurve {
    /// What is found.
    pub name: String,
    /// False positive rate and true positive rate, both 0–1, in the order in which they are joined.
    pub points: Vec<(f64, f64)>,
    /// Area under the curve, for the legend.
    pub auroc: Estimate,
}

impl RocChart {
    /// Draws the curves.
    ///
    /// # Errors
    /// [`PlotError`] without curves, for an empty one, or for a rate outside 0–1.
    pub fn draw(&self) -> Result<Svg, PlotError> {
        not_empty(&self.title, &self.curves)?;
        let diagonal = Style { dash: Some("5 5"), ..Style::neutral() };
        let mut marks = vec![Mark::Line { points: vec![(0.0, 0.0), (1.0, 1.0)], style: diagonal }];
        let mut entries = Vec::new();
        for (index, curve) in self.curves.iter().enumerate() {
            not_empty(&curve.name, &curve.points)?;
            unit(&curve.name, curve.points.iter().flat_map(|(x, y)| [*x, *y]))?;
            curve.auroc.validate(&curve.name)?;
            let style = Style::of(index);
            marks.push(Mark::Line { points: curve.points.clone(), style });
            let name = format!("{} {}", curve.name, curve.auroc);
            entries.push(Entry { name, style, sample: Sample::Line });
        }
        entries.push(Entry { name: "chance 0.500".to_owned(), style: diagonal, sample: Sample::Line });
        let has_intervals = self.curves.iter().any(|curve| curve.auroc.interval.is_some());
        let legend_title = if has_intervals { "AUROC (95 % CI)" } else { "AUROC" };
        let panel = Panel {
            title: Vec::new(),
            x: Axis::new("False positive rate (1 − specificity)", Scale::unit(5)),
            y: Axis::new("True positive rate (sensitivity)", Scale::unit(5)),
            marks,
        };
        let figure = Figure {
            title: self.title.clone(),
            panels: vec![panel],
            columns: 1,
            size: (400.0, 400.0),
            legend: Legend { title: legend_title.to_owned(), entries },
            notes: Vec::new(),
        };
        Ok(figure.draw())
    }
}
