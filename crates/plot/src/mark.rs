//! What stands between the axes.

use maud::{Markup, html};

use crate::style::{Shape, Style};
use crate::svg::number;

/// Something drawn in a panel, in the values of its axes.
#[derive(Debug, Clone)]
pub(crate) enum Mark {
    /// A line from point to point.
    Line { points: Vec<(f64, f64)>, style: Style },
    /// Points of one kind.
    Points { points: Vec<(f64, f64)>, style: Style, radius: f64 },
    /// Vertical bars from low to high, `shift` pixels beside their place.
    Intervals { bars: Vec<(f64, f64, f64)>, style: Style, shift: f64 },
}

impl Mark {
    /// Draws through `place`, which takes values to pixels.
    pub(crate) fn draw(&self, place: impl Fn(f64, f64) -> (f64, f64)) -> Markup {
        match self {
            Self::Line { points, style } => {
                let points: Vec<_> = points.iter().map(|(x, y)| place(*x, *y)).collect();
                line(&thinned(&points), *style)
            }
            Self::Points { points, style, radius } => html! {
                g fill=(style.color) fill-opacity=(number(style.opacity)) {
                    @for (x, y) in points { (point(place(*x, *y), style.shape, *radius)) }
                }
            },
            Self::Intervals { bars, style, shift } => {
                let bar = |(x, low, high): &(f64, f64, f64)| {
                    let ((x, bottom), (_, top)) = (place(*x, *low), place(*x, *high));
                    let x = x + shift;
                    let [left, right, x] = [x - 4.0, x + 4.0, x].map(number);
                    let [bottom, top] = [bottom, top].map(number);
                    format!("M{left} {bottom}H{right}M{x} {bottom}V{top}M{left} {top}H{right}")
                };
                let path = bars.iter().map(bar).collect::<Vec<_>>().concat();
                html! { path class="intervals" fill="none" stroke=(style.color) stroke-width="1.4" d=(path) {} }
            }
        }
    }
}

/// A line in pixels.
pub(crate) fn line(points: &[(f64, f64)], style: Style) -> Markup {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
    html! {
        polyline fill="none" stroke=(style.color) stroke-width=(number(style.width)) stroke-linejoin="round"
            stroke-opacity=(number(style.opacity)) stroke-dasharray=[style.dash] points=(points.join(" ")) {}
    }
}

/// A point in pixels.
pub(crate) fn point((x, y): (f64, f64), shape: Shape, radius: f64) -> Markup {
    let corners = |corners: &[(f64, f64)]| {
        let path: Vec<String> = corners
            .iter()
            .map(|(right, down)| format!("{} {}", number(x + radius * right), number(y + radius * down)))
            .collect();
        html! { path d=(format!("M{}Z", path.join("L"))) {} }
    };
    match shape {
        Shape::Circle => html! { circle cx=(number(x)) cy=(number(y)) r=(number(radius)) {} },
        Shape::Square => corners(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
        Shape::Triangle => corners(&[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)]),
        Shape::Diamond => corners(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)]),
    }
}

/// The points that show: of those that follow one another within a pixel's width, the first, the outermost and the last.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut kept = Vec::new();
    for column in points.chunk_by(|a, b| a.0.floor() == b.0.floor()) {
        let by_height = |a: &&(usize, &(f64, f64)), b: &&(usize, &(f64, f64))| a.1.1.total_cmp(&b.1.1);
        let indexed: Vec<_> = column.iter().enumerate().collect();
        let lowest = indexed.iter().min_by(by_height).map(|found| found.0);
        let highest = indexed.iter().max_by(by_height).map(|found| found.0);
        let mut shown: Vec<usize> =
            [Some(0), lowest, highest, column.len().checked_sub(1)].into_iter().flatten().collect();
        shown.sort_unstable();
        shown.dedup();
        kept.extend(shown.into_iter().filter_map(|index| column.get(index).copied()));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_peaks_and_short_lines() {
        let short = [(0.0, 1.0), (1.0, 2.0), (2.0, 0.0)];
        assert_eq!(thinned(&short), short);
        let long: Vec<(f64, f64)> = (0..10_000)
            .map(|index| (f64::from(index) / 100.0, if index == 4321 { 99.0 } else { f64::from(index % 7) }))
            .collect();
        let thin = thinned(&long);
        assert!(thin.len() <= 400, "{}", thin.len());
        assert!(thin.contains(&(43.21, 99.0)));
        assert_eq!((thin.first(), thin.last()), (long.first(), long.last()));
    }
}
