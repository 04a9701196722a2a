//! Ribs, clavicles, spine and shoulder blades.

use crate::condition::{Condition, Side};
use crate::draw::Draw;
use crate::shape::{Point, bell, inside, segment_distance, smoothstep};

const RIBS: u32 = 10;

/// The skeleton of the chest.
#[derive(Debug, Clone)]
pub(crate) struct Bones {
    first_rib: f32,
    spacing: f32,
    sag: f32,
    clavicle_y: f32,
    disc_phase: f32,
    fractures: Vec<Fracture>,
}

/// A step in one posterior rib.
#[derive(Debug, Clone, Copy)]
struct Fracture {
    side: Side,
    rib: u32,
    across: f32,
}

impl Bones {
    pub(crate) fn new(apex: f32, conditions: &[Condition], draw: &mut Draw) -> Self {
        let bones = Self {
            first_rib: apex + 0.02,
            spacing: draw.uniform(0.125, 0.14),
            sag: draw.uniform(0.05, 0.12),
            clavicle_y: apex + draw.uniform(0.14, 0.24),
            disc_phase: draw.uniform(0.0, 0.12),
            fractures: Vec::new(),
        };
        let breaks = [draw.below(4) as u32 + 3, draw.below(4) as u32 + 3];
        let places = [draw.uniform(0.55, 0.8), draw.uniform(0.55, 0.8)];
        let fractures = Side::BOTH
            .into_iter()
            .zip(breaks.into_iter().zip(places))
            .filter(|(side, _)| conditions.contains(&Condition::RibFracture { side: *side }))
            .map(|(side, (rib, across))| Fracture { side, rib, across })
            .collect();
        Self { fractures, ..bones }
    }

    /// Density that bone adds at a point, `wall` being the lateral coordinate of the chest wall at its height.
    pub(crate) fn density(&self, p: Point, wall: f32) -> f32 {
        self.ribs(p, wall) + self.clavicle(p) + self.spine(p) + shoulder_blade(p)
    }

    fn ribs(&self, p: Point, wall: f32) -> f32 {
        let across = p.x.abs() / wall.max(0.2);
        if across > 1.12 {
            return 0.0;
        }
        let edges = smoothstep(1.12, 1.0, across);
        let squared = across * across;
        let fourth = squared * squared;
        let drop = self.sag * squared + 0.16 * fourth * fourth;
        let drop_slope = (2.0 * self.sag * across + 1.28 * fourth * across * squared) / wall.max(0.2);
        let mut density: f32 = 0.0;
        for rib in 0..RIBS {
            let start = self.first_rib + self.spacing * rib as f32;
            let (step, intact) = self.fracture_at(p, rib, across);
            let posterior = (p.y - start - drop - step).abs() / (1.0 + drop_slope * drop_slope).sqrt();
            density = density.max(intact * edges * smoothstep(0.05, 0.2, across) * tube(posterior, 0.03));
            // The anterior part turns back at the wall and runs down and toward the midline, ending in cartilage.
            let anterior_line = start + self.sag + 0.16 + 0.30 * (1.0 - squared);
            let slope = 0.6 * across / wall.max(0.2);
            let anterior = (p.y - anterior_line).abs() / (1.0 + slope * slope).sqrt();
            let faint = 0.55 * smoothstep(0.42, 0.68, across) * edges;
            density = density.max(faint * tube(anterior, 0.035));
        }
        0.085 * density
    }

    fn fracture_at(&self, p: Point, rib: u32, across: f32) -> (f32, f32) {
        let here = self
            .fractures
            .iter()
            .find(|fracture| fracture.rib == rib && (fracture.side.sign() > 0.0) == (p.x > 0.0));
        here.map_or((0.0, 1.0), |fracture| {
            let beyond = across - fracture.across;
            let step = 0.055 * smoothstep(-0.005, 0.005, beyond) * smoothstep(0.4, 0.15, beyond);
            (step, 1.0 - 0.9 * bell(beyond * beyond / 0.0006) + 0.5 * bell(beyond * beyond / 0.006))
        })
    }

    fn clavicle(&self, p: Point) -> f32 {
        let x = p.x.abs();
        let along = (x - 0.07) / 0.75;
        let wave = along * (1.0 - along) * (0.5 - along);
        let line = self.clavicle_y - 0.10 * along + 0.5 * wave;
        let ends = smoothstep(0.05, 0.09, x) * smoothstep(0.95, 0.8, x);
        let half_width = 0.032 - 0.012 * along.clamp(0.0, 1.0);
        0.09 * ends * tube((p.y - line).abs(), half_width)
    }

    fn spine(&self, p: Point) -> f32 {
        let x = p.x.abs();
        let column = inside(0.085 - x, 0.02);
        let cycle = (p.y + 2.0 + self.disc_phase) / 0.12;
        let within = cycle - cycle.floor();
        let disc = bell((within - 0.5) * (within - 0.5) / 0.02);
        let pedicle = bell(((x - 0.05) * (x - 0.05) + (within - 0.2) * (within - 0.2) * 0.0144) / 0.0005);
        column * (0.065 - 0.03 * disc + 0.02 * pedicle)
    }
}

/// A tube seen from the side: brighter at its cortex than at its core.
fn tube(distance: f32, half_width: f32) -> f32 {
    let body = inside(half_width - distance, 0.007);
    let rim = (distance - 0.8 * half_width) / (0.35 * half_width);
    0.65 * body + 0.35 * bell(rim * rim)
}

fn shoulder_blade(p: Point) -> f32 {
    let folded = Point::new(p.x.abs(), p.y);
    let border = segment_distance(folded, Point::new(0.74, -0.5), Point::new(0.80, 0.05));
    let spine = segment_distance(folded, Point::new(0.76, -0.52), Point::new(1.05, -0.66));
    let joint = Point::new(folded.x - 1.02, folded.y + 0.56).length();
    0.05 * inside(0.022 - border, 0.015)
        + 0.06 * inside(0.03 - spine, 0.015)
        + 0.09 * inside(0.13 - joint, 0.02)
}
