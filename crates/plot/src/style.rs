//! Colors, dashes and shapes that tell series apart.

/// Okabe and Ito's colors (2008) without black, which is the text's, and yellow, which is too pale on white.
const COLORS: [&str; 6] = ["#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9"];
/// Once the colors are used up, lines are dashed.
const DASHES: [Option<&str>; 4] = [None, Some("7 4"), Some("2 3"), Some("9 3 2 3")];
const SHAPES: [Shape; 4] = [Shape::Circle, Shape::Square, Shape::Triangle, Shape::Diamond];

/// How a series looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Style {
    pub(crate) color: &'static str,
    pub(crate) dash: Option<&'static str>,
    pub(crate) shape: Shape,
    pub(crate) width: f64,
    pub(crate) opacity: f64,
}

/// The outline of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
}

impl Style {
    /// The look of the `index`-th series; 24 lines, or 24 kinds of points, differ from one another.
    pub(crate) fn of(index: usize) -> Self {
        Self {
            color: COLORS[index % COLORS.len()],
            dash: DASHES[index / COLORS.len() % DASHES.len()],
            // Twelve pairs of color and shape differ, and then twelve others.
            shape: SHAPES[(index + index / 12) % SHAPES.len()],
            width: 2.0,
            opacity: 1.0,
        }
    }

    /// What stands back: a diagonal, points of no class.
    pub(crate) fn neutral() -> Self {
        Self { color: "#8A8F98", dash: None, shape: Shape::Circle, width: 1.2, opacity: 1.0 }
    }

    /// The same series behind a line that summarizes it.
    pub(crate) fn faint(self) -> Self {
        Self { width: 1.0, opacity: 0.4, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_series_as_there_are_findings_differ() {
        let looks: Vec<Style> = (0..24).map(Style::of).collect();
        for (index, look) in looks.iter().enumerate() {
            for other in &looks[..index] {
                assert_ne!((look.color, look.dash), (other.color, other.dash), "series {index}");
                assert_ne!((look.color, look.shape), (other.color, other.shape), "series {index}");
            }
        }
    }
}
