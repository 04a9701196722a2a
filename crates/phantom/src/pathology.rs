//! What conditions change in the lungs and pleura.

use crate::anatomy::{Anatomy, Lung};
use crate::canvas::{Frame, Layer};
use crate::condition::{Condition, Severity, Side, Zone};
use crate::draw::{Draw, Purpose};
use crate::noise::cloud;
use crate::shape::{Ellipse, Point, bell, inside, mix, smoothstep};

/// Change at one point of the lungs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Change {
    /// Share of air lost, 0 clear to 1 airless.
    pub(crate) opacity: f32,
    /// Share of the vascular markings that remains.
    pub(crate) markings: f32,
    /// Density beyond that of airless lung; below 0 for free air.
    pub(crate) density: f32,
}

impl Change {
    const NONE: Self = Self { opacity: 0.0, markings: 1.0, density: 0.0 };

    fn veil(opacity: f32) -> Self {
        Self { opacity, ..Self::NONE }
    }

    fn and(self, other: Self) -> Self {
        Self {
            opacity: 1.0 - (1.0 - self.opacity) * (1.0 - other.opacity),
            markings: self.markings * other.markings,
            density: self.density + other.density,
        }
    }
}

/// All lung and pleural conditions of one phantom, placed.
pub(crate) struct Pathology {
    lesions: Vec<Lesion>,
    streaks: Layer,
}

impl Pathology {
    pub(crate) fn new(seed: u64, conditions: &[Condition], anatomy: &Anatomy, frame: Frame) -> Self {
        let mut draw = Draw::new(seed, Purpose::Pathology);
        let mut streaks = Layer::new(frame);
        let mut lesions = Vec::new();
        for condition in conditions {
            match *condition {
                Condition::PleuralEffusion { side, severity } => {
                    lesions.push(Lesion::fluid(anatomy.lung(side), severity, &mut draw));
                }
                Condition::Consolidation { side, zone } => {
                    lesions.push(Lesion::patch(anatomy.lung(side), zone, CONSOLIDATION, &mut draw));
                }
                Condition::Pneumonia { side, zone } => {
                    lesions.push(Lesion::patch(anatomy.lung(side), zone, PNEUMONIA, &mut draw));
                }
                Condition::Opacity { side, zone } => {
                    lesions.push(Lesion::patch(anatomy.lung(side), zone, HAZE, &mut draw));
                }
                Condition::Nodule { side, zone } => {
                    lesions.push(Lesion::nodule(anatomy.lung(side), zone, &mut draw));
                }
                Condition::Pneumothorax { side, severity } => {
                    lesions.push(Lesion::FreeAir { side, shrink: Lung::shrink(severity) });
                }
                Condition::PleuralThickening { side } => {
                    lesions.push(Lesion::Rind { side, width: draw.uniform(0.06, 0.09), noise: draw.bits() });
                }
                Condition::Edema { severity } => {
                    lesions.push(Lesion::PerihilarHaze { amount: severity.amount(), noise: draw.bits() });
                    septal_lines(&mut streaks, anatomy, &mut draw);
                }
                Condition::Atelectasis { side } => {
                    let lung = anatomy.lung(side);
                    plates(&mut streaks, lung, &mut draw);
                    lesions.push(Lesion::patch(lung, Zone::Lower, BASAL_CROWDING, &mut draw));
                }
                Condition::Cardiomegaly { .. }
                | Condition::WideMediastinum
                | Condition::RibFracture { .. }
                | Condition::Device(_) => {}
            }
        }
        Self { lesions, streaks }
    }

    /// Change at a point of `lung`.
    pub(crate) fn at(&self, lung: &Lung, p: Point, column: u32, row: u32) -> Change {
        let streaks = Change::veil(self.streaks.at(column, row));
        self.lesions.iter().map(|lesion| lesion.at(lung, p)).fold(streaks, Change::and)
    }
}

/// How full the vessels are, 1 normally.
pub(crate) fn vessel_fullness(conditions: &[Condition]) -> f32 {
    let severity = conditions.iter().find_map(|condition| match condition {
        Condition::Edema { severity } => Some(severity.amount()),
        _ => None,
    });
    severity.map_or(1.0, |amount| 1.35 + 0.3 * amount)
}

#[derive(Debug, Clone, Copy)]
enum Lesion {
    Fluid { side: Side, level: f32, meniscus: f32 },
    Patch { side: Side, shape: Ellipse, texture: Texture, noise: u32 },
    Nodule { side: Side, shape: Ellipse },
    FreeAir { side: Side, shrink: f32 },
    Rind { side: Side, width: f32, noise: u32 },
    PerihilarHaze { amount: f32, noise: u32 },
}

/// How an opacity of the lung looks.
#[derive(Debug, Clone, Copy)]
struct Texture {
    /// Radii over the lung's half-width.
    extent: f32,
    /// Opacity at its densest.
    density: f32,
    /// Share of the density that noise modulates.
    patchiness: f32,
    /// How abruptly it ends, from 1.
    sharpness: f32,
}

const CONSOLIDATION: Texture = Texture { extent: 0.85, density: 0.92, patchiness: 0.2, sharpness: 3.0 };
const PNEUMONIA: Texture = Texture { extent: 0.85, density: 0.8, patchiness: 0.75, sharpness: 2.0 };
const HAZE: Texture = Texture { extent: 0.8, density: 0.45, patchiness: 0.4, sharpness: 1.5 };
const BASAL_CROWDING: Texture = Texture { extent: 0.7, density: 0.3, patchiness: 0.5, sharpness: 1.2 };

impl Lesion {
    fn fluid(lung: &Lung, severity: Severity, draw: &mut Draw) -> Self {
        let height = match severity {
            Severity::Mild => draw.uniform(0.15, 0.21),
            Severity::Moderate => draw.uniform(0.34, 0.44),
            Severity::Severe => draw.uniform(0.62, 0.82),
        };
        Self::Fluid { side: lung.side, level: lung.angle() - height, meniscus: draw.uniform(0.14, 0.20) }
    }

    fn patch(lung: &Lung, zone: Zone, texture: Texture, draw: &mut Draw) -> Self {
        let center = lung.in_zone(zone, draw.uniform(-0.05, 0.3));
        let radius = texture.extent * lung.wall() * 0.5 * draw.uniform(0.85, 1.2);
        let shape = Ellipse {
            center,
            radii: Point::new(radius, radius * draw.uniform(0.75, 1.05)),
            half_tangent: draw.uniform(-0.3, 0.3),
        };
        Self::Patch { side: lung.side, shape, texture, noise: draw.bits() }
    }

    fn nodule(lung: &Lung, zone: Zone, draw: &mut Draw) -> Self {
        let radius = draw.uniform(0.035, 0.07);
        let radii = Point::new(radius, radius * draw.uniform(0.85, 1.15));
        Self::Nodule {
            side: lung.side,
            shape: Ellipse::upright(lung.in_zone(zone, draw.uniform(0.15, 0.5)), radii),
        }
    }

    fn at(&self, lung: &Lung, p: Point) -> Change {
        match *self {
            Self::Fluid { side, level, meniscus } if side == lung.side => {
                let lateral = (lung.lateral(p) / lung.wall()).clamp(0.0, 1.0);
                let surface = level + meniscus * (1.0 - lateral * lateral);
                let depth = smoothstep(-0.03, 0.06, p.y - surface);
                Change { opacity: depth, markings: 1.0 - depth, density: 0.13 * depth }
            }
            Self::Patch { side, shape, texture, noise } if side == lung.side => {
                let ragged = 0.5 * (cloud(noise, p.x * 6.0, p.y * 6.0, 2) - 0.5);
                let cover = (texture.sharpness * bell((shape.squared(p) + ragged).max(0.0))).min(1.0);
                let patches = smoothstep(0.25, 0.7, cloud(noise.wrapping_add(9), p.x * 14.0, p.y * 14.0, 4));
                Change::veil(texture.density * cover * mix(1.0, patches, texture.patchiness))
            }
            Self::Nodule { side, shape } if side == lung.side => {
                let cover = inside(shape.depth(p), 0.012);
                let thickness = (1.0 - shape.squared(p)).max(0.0).sqrt();
                Change { density: 0.05 * thickness, ..Change::veil(cover * (0.45 + 0.4 * thickness)) }
            }
            Self::FreeAir { side, shrink } if side == lung.side => {
                let depth = lung.shrunken_depth(p, shrink);
                let within = inside(depth, 0.006);
                Change {
                    opacity: within * 0.75 * shrink,
                    markings: within,
                    density: 0.09 * bell(depth * depth / 0.000_1) - 0.05 * (1.0 - within),
                }
            }
            Self::Rind { side, width, noise } if side == lung.side => {
                let uneven = width * mix(0.4, 1.3, cloud(noise, p.y * 5.0, 0.5, 2));
                let lateral = smoothstep(0.3, 0.45, lung.lateral(p));
                let cover = lateral * inside(uneven - lung.depth(p), 0.012);
                Change { density: 0.05 * cover, ..Change::veil(0.85 * cover) }
            }
            Self::PerihilarHaze { amount, noise } => {
                let hilum = lung.hilum();
                let (x, y) = ((p.x - hilum.x) / 0.46, (p.y - hilum.y - 0.06) / 0.56);
                let wings = bell((x * x + y * y) * 0.9);
                let texture = mix(0.6, 1.0, cloud(noise, p.x * 9.0, p.y * 9.0, 4));
                Change::veil(mix(0.45, 0.8, amount) * texture * mix(0.35, 1.0, wings.sqrt()))
            }
            _ => Change::NONE,
        }
    }
}

/// Kerley B lines: short, horizontal, at the lateral bases.
fn septal_lines(streaks: &mut Layer, anatomy: &Anatomy, draw: &mut Draw) {
    for side in Side::BOTH {
        let lung = anatomy.lung(side);
        for line in 0..5 {
            let y = lung.dome() - 0.04 + 0.04 * line as f32;
            let outer = lung.wall() - draw.uniform(0.0, 0.02);
            let inner = outer - draw.uniform(0.04, 0.08);
            streaks.line(lung.point(outer, y), lung.point(inner, y - 0.005), 0.004, 0.35);
        }
    }
}

/// Plate-like atelectasis: a few slanting bands above the diaphragm.
fn plates(streaks: &mut Layer, lung: &Lung, draw: &mut Draw) {
    for plate in 0..3 {
        let start = lung.in_zone(Zone::Lower, draw.uniform(-0.5, -0.2));
        let y = start.y - 0.02 + 0.065 * plate as f32 - 0.05;
        let length = draw.uniform(0.22, 0.36);
        let from = Point::new(start.x, y + draw.uniform(-0.02, 0.02));
        let to = Point::new(start.x + lung.side.sign() * length, y + draw.uniform(-0.10, 0.06));
        let middle = Point::new(from.toward(to, 0.5).x, from.toward(to, 0.5).y + draw.uniform(-0.04, 0.04));
        streaks.curve(&[from, middle, to], draw.uniform(0.012, 0.02), draw.uniform(0.3, 0.45));
        streaks.curve(&[from, middle, to], 0.007, 0.5);
    }
}
