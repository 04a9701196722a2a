//! One pair of axes with what is drawn between them.

use maud::{Markup, html};

use crate::mark::Mark;
use crate::scale::Scale;
use crate::svg::{legible, number, text_width};

/// Pixels left of the axes, for values and the axis's title.
pub(crate) const LEFT: f64 = 66.0;
/// Pixels below the axes.
pub(crate) const BOTTOM: f64 = 48.0;
const TICK: f64 = 5.0;
const TICK_FONT: f64 = 12.0;

/// Axes and marks.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    /// Above the axes; nothing where the figure's title says it.
    pub(crate) title: Vec<String>,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) marks: Vec<Mark>,
}

/// What an axis means, with its unit, and its values.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    pub(crate) title: String,
    pub(crate) scale: Scale,
}

impl Axis {
    pub(crate) fn new(title: &str, scale: Scale) -> Self {
        Self { title: legible(title), scale }
    }
}

impl Panel {
    /// Pixels above the axes.
    pub(crate) fn top(&self) -> f64 {
        18.0 + 16.0 * self.title.len() as f64
    }

    /// Draws axes of `width` by `height` pixels whose upper left corner is at (`left`, `top`).
    pub(crate) fn draw(&self, (left, top): (f64, f64), (width, height): (f64, f64)) -> Markup {
        let across = |value: f64| left + width * self.x.scale.position(value);
        let down = |value: f64| top + height * (1.0 - self.y.scale.position(value));
        let (right, bottom) = (left + width, top + height);
        let middle = top + height / 2.0;
        html! {
            g class="panel" {
                @for (index, line) in self.title.iter().rev().enumerate() {
                    (text(line, left + width / 2.0, top - 9.0 - 16.0 * index as f64, "middle"))
                }
                g stroke="currentColor" stroke-opacity="0.15" {
                    @for tick in self.y.scale.ticks() { (segment((left, down(tick.value)), (right, down(tick.value)))) }
                    @for tick in self.x.scale.ticks() { (segment((across(tick.value), top), (across(tick.value), bottom))) }
                }
                @for mark in &self.marks { (mark.draw(|x, y| (across(x), down(y)))) }
                g stroke="currentColor" {
                    (segment((left, top), (left, bottom)))
                    (segment((left, bottom), (right, bottom)))
                    @for tick in self.y.scale.ticks() { (segment((left - TICK, down(tick.value)), (left, down(tick.value)))) }
                    @for tick in self.x.scale.ticks() {
                        (segment((across(tick.value), bottom), (across(tick.value), bottom + TICK)))
                    }
                }
                @for tick in self.y.scale.ticks() {
                    (text(&tick.label, left - TICK - 3.0, down(tick.value) + TICK_FONT * 0.35, "end"))
                }
                @for (label, at) in self.labels_across(across) { (text(label, at, bottom + TICK + TICK_FONT, "middle")) }
                g font-size="13" {
                    (text(&self.x.title, left + width / 2.0, bottom + 38.0, "middle"))
                    g transform=(format!("rotate(-90 {} {})", number(left - 50.0), number(middle))) {
                        (text(&self.y.title, left - 50.0, middle, "middle"))
                    }
                }
            }
        }
    }

    /// Labels of the horizontal axis with their places, those left out that would touch the one before.
    fn labels_across(&self, across: impl Fn(f64) -> f64) -> Vec<(&str, f64)> {
        let mut free_from = f64::NEG_INFINITY;
        let mut shown = Vec::new();
        for tick in self.x.scale.ticks() {
            let (at, half) = (across(tick.value), text_width(&tick.label, TICK_FONT) / 2.0);
            if at - half >= free_from {
                shown.push((tick.label.as_str(), at));
                free_from = at + half + 4.0;
            }
        }
        shown
    }
}

/// A text at a place, escaped; `anchor` is `start`, `middle` or `end`.
pub(crate) fn text(content: &str, x: f64, y: f64, anchor: &str) -> Markup {
    html! { text x=(number(x)) y=(number(y)) text-anchor=(anchor) { (legible(content)) } }
}

fn segment((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> Markup {
    html! { line x1=(number(x1)) y1=(number(y1)) x2=(number(x2)) y2=(number(y2)) {} }
}
