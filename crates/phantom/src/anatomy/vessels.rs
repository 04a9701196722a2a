//! The vascular markings of the lungs: trees that grow from the hila.

use super::{Anatomy, Lung};
use crate::canvas::{Frame, Layer};
use crate::condition::Side;
use crate::draw::Draw;
use crate::shape::Point;

/// Strength of vessels at every pixel, about 0…1. `fullness` 1 is normal.
pub(crate) fn vessels(anatomy: &Anatomy, frame: Frame, fullness: f32, draw: &mut Draw) -> Layer {
    let mut layer = Layer::new(frame);
    for side in Side::BOTH {
        let lung = anatomy.lung(side);
        let trunks = 11;
        for trunk in 0..trunks {
            // Half-angle tangents from almost straight up to almost straight down, lateral in between.
            let fan = (trunk as f32 + draw.uniform(0.2, 0.8)) / trunks as f32 - 0.5;
            let heading = Point::new(side.sign(), 0.0).rotated(side.sign() * 1.75 * fan);
            let mut hilum = lung.hilum();
            hilum.y += 0.16 * fan;
            let width = draw.uniform(0.011, 0.017) * fullness;
            grow(&mut layer, lung, hilum, heading, width, draw);
        }
    }
    layer
}

fn grow(layer: &mut Layer, lung: &Lung, start: Point, heading: Point, width: f32, draw: &mut Draw) {
    let (mut at, mut heading, mut width) = (start, heading, width);
    let mut bend = draw.uniform(-0.05, 0.05);
    while width > 0.0022 {
        let step = draw.uniform(0.025, 0.04);
        heading = heading.rotated(bend + draw.uniform(-0.11, 0.11));
        let next = Point::new(at.x + heading.x * step, at.y + heading.y * step);
        if lung.depth(next) < 0.0 {
            return;
        }
        layer.line(at, next, width, (width / 0.014).min(1.2).sqrt() * 0.8);
        at = next;
        width *= 0.91;
        if draw.chance(0.3) {
            let turn = draw.uniform(0.12, 0.32) * if draw.chance(0.5) { 1.0 } else { -1.0 };
            grow(layer, lung, at, heading.rotated(turn), width * draw.uniform(0.55, 0.8), draw);
            width *= 0.9;
            bend = -0.12 * turn;
        }
    }
}
