//! Values over the course of a run.

use crate::error::{PlotError, check, finite, not_empty};
use crate::figure::{Entry, Figure, Legend, Sample};
use crate::mark::Mark;
use crate::panel::{Axis, Panel};
use crate::scale::Scale;
use crate::style::Style;
use crate::svg::Svg;

/// Most points of a line that are marked one by one.
const MARKED: usize = 40;

/// Lines over one axis.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveChart {
    /// Above the chart.
    pub title: String,
    /// The horizontal axis, with its unit.
    pub x: String,
    /// The vertical axis, with its unit.
    pub y: String,
    /// A logarithmic vertical axis, which only positive values have a place on.
    pub is_logarithmic: bool,
    /// Drawn in this order.
    pub curves: Vec<Curve>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// For the legend, which a chart of one curve has not.
    pub name: String,
    /// In the order in which they are joined.
    pub points: Vec<(f64, f64)>,
    /// Thin and pale, in the color of the next curve, which summarizes it.
    pub is_faint: bool,
}

impl CurveChart {
    /// Draws the curves.
    ///
    /// # Errors
    /// [`PlotError`] without curves, for an empty one, for a value that is not finite, or on a logarithmic axis not
    /// positive.
    pub fn draw(&self) -> Result<Svg, PlotError> {
        not_empty(&self.title, &self.curves)?;
        for curve in &self.curves {
            not_empty(&curve.name, &curve.points)?;
            finite(&curve.name, curve.points.iter().flat_map(|(x, y)| [*x, *y]))?;
            if self.is_logarithmic {
                let values = curve.points.iter().map(|point| point.1);
                check(&curve.name, "positive, as a logarithmic axis needs", values, |value| value > 0.0)?;
            }
        }
        let all = || self.curves.iter().flat_map(|curve| &curve.points);
        let values = all().map(|point| point.1);
        let y = if self.is_logarithmic { Scale::logarithmic(values) } else { Scale::covering(values) };
        let (mut marks, mut entries) = (Vec::new(), Vec::new());
        let mut color = 0;
        for curve in &self.curves {
            let own = Style::of(color);
            let style = if curve.is_faint { own.faint() } else { own };
            color += usize::from(!curve.is_faint);
            let points = curve.points.clone();
            let is_marked = points.len() == 1 || (points.len() <= MARKED && !curve.is_faint);
            marks.push(Mark::Line { points: points.clone(), style });
            if is_marked {
                marks.push(Mark::Points { points, style, radius: 3.0 });
            }
            let sample = if is_marked { Sample::LineAndPoint } else { Sample::Line };
            entries.push(Entry { name: curve.name.clone(), style, sample });
        }
        if entries.len() == 1 {
            entries.clear();
        }
        let panel = Panel {
            title: Vec::new(),
            x: Axis::new(&self.x, Scale::spanning(all().map(|point| point.0))),
            y: Axis::new(&self.y, y),
            marks,
        };
        let figure = Figure {
            title: self.title.clone(),
            panels: vec![panel],
            columns: 1,
            size: (440.0, 240.0),
            legend: Legend { title: String::new(), entries },
            notes: Vec::new(),
        };
        Ok(figure.draw())
    }
}
