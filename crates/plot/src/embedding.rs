//! Maps of embeddings.

use std::cmp::Reverse;

use crate::error::{PlotError, finite, not_empty};
use crate::figure::{Entry, Figure, Legend, Sample};
use crate::mark::Mark;
use crate::panel::{Axis, Panel};
use crate::scale::Scale;
use crate::style::Style;
use crate::svg::Svg;

/// Points of a plane, colored by class.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingMap {
    /// Above the chart.
    pub title: String,
    /// The horizontal axis.
    pub x: String,
    /// The vertical axis.
    pub y: String,
    /// In the order of the legend; an empty one is left out.
    pub classes: Vec<EmbeddingClass>,
    /// What the reader must know, below the chart.
    pub notes: Vec<String>,
}

/// Points of one class.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingClass {
    /// The class.
    pub name: String,
    /// Where its members are.
    pub points: Vec<(f64, f64)>,
    /// Gray, for what is no class in itself: the rest, the healthy.
    pub is_background: bool,
}

impl EmbeddingMap {
    /// Draws the points, the largest class lowest, so that rare ones are seen.
    ///
    /// # Errors
    /// [`PlotError`] without points, or for a coordinate that is not finite.
    pub fn draw(&self) -> Result<Svg, PlotError> {
        let classes: Vec<&EmbeddingClass> =
            self.classes.iter().filter(|class| !class.points.is_empty()).collect();
        not_empty(&self.title, &classes)?;
        for class in &classes {
            finite(&class.name, class.points.iter().flat_map(|(x, y)| [*x, *y]))?;
        }
        let all = || classes.iter().flat_map(|class| &class.points);
        let mut colored = 0;
        let mut styled: Vec<(&EmbeddingClass, Style)> = Vec::new();
        let mut grays = GRAYS.into_iter().cycle();
        for class in &classes {
            let style = if class.is_background {
                Style { color: grays.next().unwrap_or(Style::neutral().color), ..Style::neutral() }
            } else {
                colored += 1;
                Style::of(colored - 1)
            };
            styled.push((class, Style { opacity: 0.75, ..style }));
        }
        let entries = styled.iter().map(|(class, style)| Entry {
            name: format!("{} ({})", class.name, class.points.len()),
            style: *style,
            sample: Sample::Point,
        });
        let entries = entries.collect();
        styled.sort_by_key(|(class, _)| (Reverse(class.is_background), Reverse(class.points.len())));
        let marks = styled.into_iter().map(|(class, style)| {
            let radius = if class.is_background { 2.2 } else { 3.2 };
            Mark::Points { points: class.points.clone(), style, radius }
        });
        let panel = Panel {
            title: Vec::new(),
            x: Axis::new(&self.x, Scale::covering(all().map(|point| point.0))),
            y: Axis::new(&self.y, Scale::covering(all().map(|point| point.1))),
            marks: marks.collect(),
        };
        let figure = Figure {
            title: self.title.clone(),
            panels: vec![panel],
            columns: 1,
            size: (460.0, 420.0),
            legend: Legend { title: String::new(), entries },
            notes: self.notes.clone(),
        };
        Ok(figure.draw())
    }
}

/// Grays of the classes in the background.
const GRAYS: [&str; 3] = ["#A9AEB6", "#6F7681", "#8A8F98"];
