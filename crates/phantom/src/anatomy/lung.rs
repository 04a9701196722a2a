//! One lung: a dome-topped column cut off by the diaphragm.

use crate::condition::{Condition, Severity, Side, Zone};
use crate::draw::Draw;
use crate::shape::{Point, mix};

/// A lung and the half of the diaphragm under it. Lateral coordinates grow away from the midline.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lung {
    pub(crate) side: Side,
    apex: f32,
    base: f32,
    half_width: f32,
    apex_center: f32,
    base_center: f32,
    dome: f32,
    lateral_drop: f32,
}

impl Lung {
    pub(crate) fn new(
        side: Side,
        apex: f32,
        half_width: f32,
        dome: f32,
        conditions: &[Condition],
        draw: &mut Draw,
    ) -> Self {
        let lower_left = if side == Side::Left { draw.uniform(0.02, 0.07) } else { draw.uniform(0.0, 0.01) };
        let volume_loss = if conditions.contains(&Condition::Atelectasis { side }) { 0.07 } else { 0.0 };
        Self {
            side,
            apex,
            base: dome + 0.1,
            half_width,
            apex_center: 0.27 + draw.uniform(-0.01, 0.02),
            base_center: half_width + draw.uniform(0.075, 0.10),
            dome: dome + lower_left - volume_loss,
            lateral_drop: draw.uniform(0.19, 0.27),
        }
    }

    /// A point of this lung from its lateral coordinate.
    pub(crate) fn point(&self, lateral: f32, y: f32) -> Point {
        Point::new(self.side.sign() * lateral, y)
    }

    pub(crate) fn lateral(&self, p: Point) -> f32 {
        self.side.sign() * p.x
    }

    /// Lateral coordinate of the chest wall at the base: half the inner width of the thorax.
    pub(crate) fn wall(&self) -> f32 {
        self.base_center + self.half_width
    }

    /// Lateral coordinate of the chest wall at a height.
    pub(crate) fn wall_at(&self, y: f32) -> f32 {
        let up = ((self.base - y) / (self.base - self.apex)).clamp(0.0, 1.0);
        self.center(y) + self.half_width * (1.0 - up * up * up * up).sqrt()
    }

    /// About how far a point lies inside the pleura, the diaphragm left aside; negative outside.
    pub(crate) fn depth(&self, p: Point) -> f32 {
        let height = self.base - self.apex;
        let across = (self.lateral(p) - self.center(p.y)) / self.half_width;
        let up = ((self.base - p.y) / height).max(0.0);
        let slope = Point::new(2.0 * across / self.half_width, 4.0 * up * up * up / height).length();
        (1.0 - across * across - up * up * up * up) / slope.max(1.0 / self.half_width)
    }

    /// About how far a point lies above the diaphragm; negative below.
    pub(crate) fn above_diaphragm(&self, p: Point) -> f32 {
        let across = self.across_dome(p);
        let slope = 2.0 * self.drop(across) * across / self.half_width;
        (self.diaphragm(p) - p.y) / (1.0 + slope * slope).sqrt()
    }

    /// Height of the diaphragm below or above a point.
    pub(crate) fn diaphragm(&self, p: Point) -> f32 {
        let across = self.across_dome(p);
        self.dome + self.drop(across) * across * across
    }

    /// Height of the costophrenic angle.
    pub(crate) fn angle(&self) -> f32 {
        self.dome + self.lateral_drop
    }

    pub(crate) const fn apex(&self) -> f32 {
        self.apex
    }

    pub(crate) const fn dome(&self) -> f32 {
        self.dome
    }

    /// Where the vessels enter.
    pub(crate) fn hilum(&self) -> Point {
        let y = mix(self.apex, self.dome, if self.side == Side::Left { 0.62 } else { 0.66 });
        self.point(0.15, y)
    }

    /// A point in a zone, `offset` half-widths lateral of the lung's center line.
    pub(crate) fn in_zone(&self, zone: Zone, offset: f32) -> Point {
        let down = match zone {
            Zone::Upper => 0.32,
            Zone::Middle => 0.58,
            Zone::Lower => 0.84,
        };
        let y = mix(self.apex, self.dome, down);
        self.point(self.center(y) + offset * self.half_width, y)
    }

    /// Depth inside the visceral pleura of a lung that has shrunk toward its hilum by `shrink` in 0..1.
    pub(crate) fn shrunken_depth(&self, p: Point, shrink: f32) -> f32 {
        let kept = 1.0 - shrink;
        let hilum = self.hilum();
        let unshrunk = Point::new(hilum.x + (p.x - hilum.x) / kept, hilum.y + (p.y - hilum.y) / kept);
        self.depth(unshrunk).min(self.above_diaphragm(unshrunk)) * kept
    }

    /// How far a lung shrinks in a pneumothorax.
    pub(crate) const fn shrink(severity: Severity) -> f32 {
        match severity {
            Severity::Mild => 0.10,
            Severity::Moderate => 0.22,
            Severity::Severe => 0.42,
        }
    }

    fn center(&self, y: f32) -> f32 {
        mix(self.apex_center, self.base_center, ((y - self.apex) / (self.base - self.apex)).clamp(0.0, 1.2))
    }

    fn across_dome(&self, p: Point) -> f32 {
        ((self.lateral(p) - self.base_center) / self.half_width + 0.1).min(1.1)
    }

    fn drop(&self, across: f32) -> f32 {
        if across > 0.0 { self.lateral_drop } else { 0.35 * self.lateral_drop }
    }
}
