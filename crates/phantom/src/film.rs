//! From density to gray: exposure, film curve, vignette, grain and the side marker.

use crate::canvas::Frame;
use crate::draw::{Draw, Purpose};
use crate::noise::lattice;
use crate::shape::{Point, mix, segment_distance, smoothstep};

/// What the film of one exposure makes of densities.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Emulsion {
    exposure: f32,
    contrast: f32,
    vignette: f32,
    grain: f32,
    seed: u32,
    marker: Point,
}

impl Emulsion {
    pub(crate) fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed, Purpose::Film);
        Self {
            exposure: draw.uniform(0.0, 0.09),
            contrast: draw.uniform(0.92, 1.08),
            vignette: draw.uniform(0.04, 0.12),
            grain: draw.uniform(0.010, 0.018),
            seed: draw.bits(),
            marker: Point::new(draw.uniform(0.80, 0.88), draw.uniform(-0.92, -0.82)),
        }
    }

    /// The map from pixels to this patient, who does not stand quite straight.
    pub(crate) fn frame(seed: u64, size: u32) -> Frame {
        let mut draw = Draw::new(seed ^ 0x5eed_f11a, Purpose::Film);
        Frame {
            size,
            scale: draw.uniform(0.93, 1.04),
            shift: Point::new(draw.uniform(-0.03, 0.03), draw.uniform(-0.03, 0.06)),
            tilt: draw.uniform(-0.025, 0.025),
        }
    }

    /// The gray value of a density at a pixel; `p` in image coordinates.
    pub(crate) fn develop(&self, density: f32, p: Point, column: u32, row: u32) -> u8 {
        let exposed = ((density - 0.5) * self.contrast + 0.5 + self.exposure).clamp(0.0, 1.0);
        let curved = mix(exposed, smoothstep(0.0, 1.0, exposed), 0.2);
        let lit = curved * (1.0 - self.vignette * (p.x * p.x + p.y * p.y));
        let (column, row) = (column as i32, row as i32);
        let triangular = lattice(self.seed, column, row) + lattice(!self.seed, column, row) - 1.0;
        let grainy = lit + self.grain * triangular * 1.7;
        let marked = mix(grainy, 0.97, self.marker_at(p));
        // In 0…255 after the clamp; adding a half rounds.
        (255.0 * marked.clamp(0.0, 1.0) + 0.5) as u8
    }

    /// A lead "L" beside the patient's left shoulder.
    fn marker_at(&self, p: Point) -> f32 {
        let corner = Point::new(self.marker.x, self.marker.y + 0.08);
        let stem = segment_distance(p, self.marker, corner);
        let foot = segment_distance(p, corner, Point::new(corner.x + 0.045, corner.y));
        1.0 - smoothstep(0.007, 0.014, stem.min(foot))
    }
}
