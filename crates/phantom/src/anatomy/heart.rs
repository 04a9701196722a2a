//! Heart, great vessels and mediastinum: one silhouette.

use super::Lung;
use crate::condition::Condition;
use crate::draw::Draw;
use crate::shape::{Ellipse, Point, bell, smoothstep};

/// The cardiomediastinal silhouette.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heart {
    ventricles: Ellipse,
    atrium: Ellipse,
    outflow: Ellipse,
    aortic_knob: Ellipse,
    mediastinum: f32,
    widening: f32,
}

impl Heart {
    pub(crate) fn new(lung: &Lung, conditions: &[Condition], draw: &mut Draw) -> Self {
        let normal_ratio = draw.uniform(0.42, 0.475);
        let within_grade = draw.uniform(0.0, 0.035);
        let severity = conditions.iter().find_map(|condition| match condition {
            Condition::Cardiomegaly { severity } => Some(*severity),
            _ => None,
        });
        let ratio = severity.map_or(normal_ratio, |grade| 0.555 + 0.10 * grade.amount() + within_grade);
        let width = ratio * 2.0 * lung.wall();
        let left = width * draw.uniform(0.62, 0.67);
        let right = width - left;

        // The long axis points to the patient's left and down by 37° (half tangent ⅓); this makes the ellipse
        // 0.898 times its first radius wide.
        let ventricle_left_of = -0.7 * right;
        let long = 0.5 * (left - ventricle_left_of) / 0.898;
        let y = lung.dome() + 0.08 - 0.62 * long;
        let ventricles = Ellipse {
            center: Point::new(0.5 * (left + ventricle_left_of), y),
            radii: Point::new(long, 0.68 * long),
            half_tangent: 1.0 / 3.0,
        };
        let atrium = Ellipse::upright(
            Point::new(-0.35 * right, y - 0.05 * long),
            Point::new(0.65 * right, 0.22 * width + 0.08),
        );
        let widening = draw.uniform(0.11, 0.16);
        let knob_y = lung.apex() + draw.uniform(0.46, 0.54);
        Self {
            ventricles,
            atrium,
            outflow: Ellipse::upright(
                Point::new(0.24 * left, y - 0.62 * long),
                Point::new(0.27 * left, 0.24),
            ),
            aortic_knob: Ellipse::upright(
                Point::new(0.10, knob_y),
                Point::new(draw.uniform(0.06, 0.085), draw.uniform(0.08, 0.10)),
            ),
            mediastinum: draw.uniform(0.12, 0.14),
            widening: if conditions.contains(&Condition::WideMediastinum) { widening } else { 0.0 },
        }
    }

    /// About how far a point lies inside the silhouette; negative outside.
    pub(crate) fn depth(&self, p: Point) -> f32 {
        let height = (p.y - self.aortic_knob.center.y) / 0.42;
        let neck = 0.05 * smoothstep(-0.62, -0.95, p.y);
        let toward_heart = 0.05 * smoothstep(self.aortic_knob.center.y, self.ventricles.center.y, p.y);
        let half_width = self.mediastinum + self.widening * bell(height * height) + neck + toward_heart;
        let shapes = [self.ventricles, self.atrium, self.outflow, self.aortic_knob];
        shapes.iter().map(|shape| shape.depth(p)).fold(half_width - p.x.abs(), f32::max)
    }
}
