//! Soft tissue between skin and chest wall.

use crate::draw::Draw;
use crate::shape::{Ellipse, Point, mix, smoothstep};

/// Neck, shoulders, trunk, breasts and the gas bubble of the stomach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body {
    neck: f32,
    shoulder_y: f32,
    trunk: f32,
    breasts: Option<[Ellipse; 2]>,
    bubble: Option<Ellipse>,
}

impl Body {
    pub(crate) fn new(chest_wall: f32, draw: &mut Draw) -> Self {
        let breast_y = draw.uniform(0.22, 0.34);
        let radii = Point::new(draw.uniform(0.24, 0.30), draw.uniform(0.30, 0.38));
        let breasts = [-0.43, 0.43].map(|x| Ellipse::upright(Point::new(x, breast_y), radii));
        let bubble = Ellipse::upright(
            Point::new(draw.uniform(0.26, 0.42), draw.uniform(0.52, 0.60)),
            Point::new(draw.uniform(0.07, 0.13), draw.uniform(0.045, 0.075)),
        );
        Self {
            neck: draw.uniform(0.30, 0.38),
            shoulder_y: draw.uniform(-0.92, -0.80),
            trunk: chest_wall + draw.uniform(0.22, 0.36),
            breasts: draw.chance(0.45).then_some(breasts),
            bubble: draw.chance(0.6).then_some(bubble),
        }
    }

    /// Thickness of tissue at a point in 0…1, 0 outside the body.
    pub(crate) fn thickness(&self, p: Point) -> f32 {
        let shoulders = smoothstep(self.shoulder_y - 0.34, self.shoulder_y + 0.22, p.y);
        let below_armpits = smoothstep(-0.35, 0.15, p.y);
        let half_width = mix(mix(self.neck, 1.25, shoulders), self.trunk, below_armpits);
        let across = p.x / half_width;
        (1.0 - across * across).max(0.0).sqrt()
    }

    /// Density that the breasts add.
    pub(crate) fn breast(&self, p: Point) -> f32 {
        self.breasts.iter().flatten().map(|breast| 1.0 - breast.squared(p)).fold(0.0, f32::max).sqrt()
    }

    /// How much of a point lies in the stomach's gas.
    pub(crate) fn gas(&self, p: Point) -> f32 {
        self.bubble.map_or(0.0, |bubble| smoothstep(-0.01, 0.03, bubble.depth(p)))
    }
}
