//! Soft shapes from portable arithmetic: `+ − × ÷ √` only, so that a phantom is the same on every platform.

/// A point or direction in anatomy coordinates: x to the image's right, y down, the image spanning −1…1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f32,
    pub(crate) y: f32,
}

impl Point {
    pub(crate) const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// The point `t` of the way to `other`.
    pub(crate) fn toward(self, other: Self, t: f32) -> Self {
        Self::new(mix(self.x, other.x, t), mix(self.y, other.y, t))
    }

    pub(crate) fn length(self) -> f32 {
        (self.x * self.x + self.y * self.y).sqrt()
    }

    /// Rotated by the angle whose half has tangent `half_tangent`.
    pub(crate) fn rotated(self, half_tangent: f32) -> Self {
        let norm = 1.0 + half_tangent * half_tangent;
        let (cosine, sine) = ((1.0 - half_tangent * half_tangent) / norm, 2.0 * half_tangent / norm);
        Self::new(self.x * cosine - self.y * sine, self.x * sine + self.y * cosine)
    }
}

pub(crate) fn mix(from: f32, to: f32, t: f32) -> f32 {
    from + (to - from) * t
}

/// 0 below `low`, 1 above `high`, a cubic between.
pub(crate) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// How much of a soft edge lies inside, from the depth below it.
pub(crate) fn inside(depth: f32, softness: f32) -> f32 {
    smoothstep(-softness, softness, depth)
}

/// A bell over the unit disc, from the squared distance to its center.
pub(crate) fn bell(squared: f32) -> f32 {
    let rest = (1.0 - squared).max(0.0);
    rest * rest
}

/// An ellipse, its first axis turned as [`Point::rotated`] turns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ellipse {
    pub(crate) center: Point,
    pub(crate) radii: Point,
    pub(crate) half_tangent: f32,
}

impl Ellipse {
    pub(crate) const fn upright(center: Point, radii: Point) -> Self {
        Self { center, radii, half_tangent: 0.0 }
    }

    /// Squared distance from the center, 1 on the outline.
    pub(crate) fn squared(&self, p: Point) -> f32 {
        let q = self.scaled(p);
        q.x * q.x + q.y * q.y
    }

    /// About how far `p` lies below the outline, negative outside.
    pub(crate) fn depth(&self, p: Point) -> f32 {
        let q = self.scaled(p);
        let slope = 2.0 * Point::new(q.x / self.radii.x, q.y / self.radii.y).length();
        (1.0 - q.x * q.x - q.y * q.y) / slope.max(1.0 / self.radii.x.min(self.radii.y))
    }

    fn scaled(&self, p: Point) -> Point {
        let q = Point::new(p.x - self.center.x, p.y - self.center.y).rotated(-self.half_tangent);
        Point::new(q.x / self.radii.x, q.y / self.radii.y)
    }
}

/// Distance from `p` to the segment `from`–`to`.
pub(crate) fn segment_distance(p: Point, from: Point, to: Point) -> f32 {
    let along = Point::new(to.x - from.x, to.y - from.y);
    let offset = Point::new(p.x - from.x, p.y - from.y);
    let squared = (along.x * along.x + along.y * along.y).max(1e-12);
    let t = ((offset.x * along.x + offset.y * along.y) / squared).clamp(0.0, 1.0);
    Point::new(offset.x - along.x * t, offset.y - along.y * t).length()
}
