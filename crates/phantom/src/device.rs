//! Hardware, drawn over the anatomy.

use crate::anatomy::Anatomy;
use crate::canvas::{Frame, Layer};
use crate::condition::{Condition, Device};
use crate::draw::{Draw, Purpose};
use crate::shape::Point;

/// Metal and plastic at every pixel: added density, 0 where there is none.
pub(crate) fn devices(seed: u64, conditions: &[Condition], anatomy: &Anatomy, frame: Frame) -> Layer {
    let mut draw = Draw::new(seed, Purpose::Devices);
    let mut layer = Layer::new(frame);
    let top = anatomy.left_lung.apex();
    for condition in conditions {
        match condition {
            Condition::Device(Device::CentralLine) => central_line(&mut layer, top, &mut draw),
            Condition::Device(Device::Pacemaker) => pacemaker(&mut layer, top, &mut draw),
            Condition::Device(Device::EndotrachealTube) => endotracheal_tube(&mut layer, top, &mut draw),
            Condition::Device(Device::SternalWires) => sternal_wires(&mut layer, top),
            _ => {}
        }
    }
    layer
}

fn central_line(layer: &mut Layer, top: f32, draw: &mut Draw) {
    let entry = Point::new(-draw.uniform(0.6, 0.95), top + draw.uniform(0.1, 0.3));
    let tip = Point::new(-0.10, top + draw.uniform(0.72, 0.85));
    let course = [
        entry,
        Point::new(-0.45, top + 0.12),
        Point::new(-0.16, top + 0.12),
        Point::new(-0.08, top + 0.3),
        tip,
    ];
    layer.curve(&course, 0.007, 0.2);
}

fn pacemaker(layer: &mut Layer, top: f32, draw: &mut Draw) {
    let center = Point::new(draw.uniform(0.52, 0.64), top + draw.uniform(0.30, 0.38));
    for (half_width, strength) in [(0.085, 0.34), (0.05, 0.42)] {
        let (left, right) = (Point::new(center.x - 0.02, center.y), Point::new(center.x + 0.02, center.y));
        layer.line(left, right, half_width, strength);
    }
    let lead = [
        Point::new(center.x - 0.08, center.y - 0.03),
        Point::new(0.42, top + 0.08),
        Point::new(0.0, top + 0.16),
        Point::new(-0.16, top + 0.45),
        Point::new(-0.14, top + 1.0),
        Point::new(0.05, top + 1.12),
        Point::new(0.24, top + 1.08),
    ];
    layer.curve(&lead, 0.007, 0.3);
    layer.line(Point::new(0.215, top + 1.09), Point::new(0.24, top + 1.08), 0.013, 0.4);
}

fn endotracheal_tube(layer: &mut Layer, top: f32, draw: &mut Draw) {
    let tip = top + draw.uniform(0.32, 0.42);
    for x in [-0.021, 0.021] {
        layer.line(Point::new(x, -1.5), Point::new(x, tip), 0.006, 0.12);
    }
    layer.line(Point::new(0.012, -1.5), Point::new(0.012, tip), 0.005, 0.24);
}

fn sternal_wires(layer: &mut Layer, top: f32) {
    for wire in 0..6 {
        let y = top + 0.42 + 0.12 * wire as f32;
        let twist = Point::new(if wire % 2 == 0 { 0.012 } else { -0.008 }, y + 0.012);
        let ring = [
            twist,
            Point::new(-0.032, y + 0.004),
            Point::new(-0.026, y - 0.024),
            Point::new(0.028, y - 0.026),
            Point::new(0.034, y + 0.002),
            twist,
            Point::new(twist.x + 0.006, y + 0.032),
        ];
        layer.path(&ring, 0.0045, 0.32);
    }
}
