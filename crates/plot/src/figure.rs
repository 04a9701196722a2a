//! A title, panels side by side, and a legend.

use maud::{Markup, html};

use crate::mark;
use crate::panel::{BOTTOM, LEFT, Panel, text};
use crate::style::Style;
use crate::svg::{Svg, legible, text_width};

const MARGIN: f64 = 16.0;
const TITLE_FONT: f64 = 16.0;
const LINE: f64 = 20.0;
const LEGEND_FONT: f64 = 12.0;
/// Width of a legend's sample.
const SAMPLE: f64 = 28.0;

/// A whole chart.
pub(crate) struct Figure {
    pub(crate) title: String,
    pub(crate) panels: Vec<Panel>,
    /// Panels beside one another.
    pub(crate) columns: usize,
    /// Width and height of a panel's axes in pixels.
    pub(crate) size: (f64, f64),
    pub(crate) legend: Legend,
    /// What the reader must know, below the chart.
    pub(crate) notes: Vec<String>,
}

/// Names of the series.
#[derive(Default)]
pub(crate) struct Legend {
    pub(crate) title: String,
    pub(crate) entries: Vec<Entry>,
}

/// One series in the legend.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) style: Style,
    pub(crate) sample: Sample,
}

/// How a legend shows a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sample {
    Line,
    Point,
    LineAndPoint,
}

impl Figure {
    pub(crate) fn draw(&self) -> Svg {
        let (width, height) = self.size;
        let columns = self.columns.clamp(1, self.panels.len().max(1));
        let rows = self.panels.len().div_ceil(columns);
        let above = self.panels.iter().map(Panel::top).fold(0.0, f64::max);
        let head = MARGIN + TITLE_FONT;
        let (cell_width, cell_height) = (LEFT + width + MARGIN, above + height + BOTTOM);
        let panels_width = cell_width * columns as f64;
        let panels_height = cell_height * rows as f64;
        let legend_left = panels_width + MARGIN;
        let content_height = panels_height.max(above + self.legend.height());
        let widest_note =
            self.notes.iter().map(|note| text_width(note, LEGEND_FONT) + 2.0 * MARGIN).fold(0.0, f64::max);
        let total_width = (panels_width + self.legend.width())
            .max(text_width(&self.title, TITLE_FONT) + 2.0 * MARGIN)
            .max(widest_note);
        let total_height = head + content_height + LINE * self.notes.len() as f64 + MARGIN / 2.0;
        let content = html! {
            g font-size="16" font-weight="600" { (text(&self.title, MARGIN, head, "start")) }
            @for (index, panel) in self.panels.iter().enumerate() {
                @let left = LEFT + cell_width * (index % columns) as f64;
                @let top = head + above + cell_height * (index / columns) as f64;
                (panel.draw((left, top), self.size))
            }
            (self.legend.draw(legend_left, head + above))
            @for (index, note) in self.notes.iter().enumerate() {
                (text(note, MARGIN, head + content_height + LINE * (index as f64 + 0.5), "start"))
            }
        };
        Svg::new(&self.title, total_width, total_height, content)
    }
}

impl Legend {
    fn width(&self) -> f64 {
        let names = self.entries.iter().map(|entry| SAMPLE + 8.0 + text_width(&entry.name, LEGEND_FONT));
        let widest = names.chain([text_width(&self.title, LEGEND_FONT)]).fold(0.0, f64::max);
        if self.entries.is_empty() { 0.0 } else { widest + 2.0 * MARGIN }
    }

    fn height(&self) -> f64 {
        LINE * (self.entries.len() + usize::from(!self.title.is_empty())) as f64
    }

    fn draw(&self, left: f64, top: f64) -> Markup {
        let first = top + 12.0 + if self.title.is_empty() { 0.0 } else { LINE };
        html! {
            g class="legend" {
                @if !self.title.is_empty() { g font-weight="600" { (text(&self.title, left, top + 12.0, "start")) } }
                @for (index, entry) in self.entries.iter().enumerate() {
                    @let y = first + LINE * index as f64;
                    (entry.draw(left, y))
                }
            }
        }
    }
}

impl Entry {
    fn draw(&self, left: f64, baseline: f64) -> Markup {
        let middle = baseline - 4.0;
        html! {
            @if self.sample != Sample::Point { (mark::line(&[(left, middle), (left + SAMPLE, middle)], self.style)) }
            @if self.sample != Sample::Line {
                g fill=(self.style.color) { (mark::point((left + SAMPLE / 2.0, middle), self.style.shape, 4.0)) }
            }
            (text(&legible(&self.name), left + SAMPLE + 8.0, baseline, "start"))
        }
    }
}
