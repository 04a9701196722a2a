//! A phantom's density at every pixel.

use medclip_core::GrayImage;

use crate::anatomy::{Anatomy, vessels};
use crate::canvas::{Frame, Layer};
use crate::condition::Condition;
use crate::device::devices;
use crate::draw::{Draw, Purpose};
use crate::film::Emulsion;
use crate::noise::cloud;
use crate::pathology::{Pathology, vessel_fullness};
use crate::shape::{Point, bell, inside, mix, segment_distance, smoothstep};
use crate::spec::PhantomSpec;

/// Density of air, of the thickest soft tissue, and of what a full depth of aerated lung takes away from it.
const AIR: f32 = 0.04;
const TISSUE: f32 = 0.68;
const LUNG_AIR: f32 = 0.40;

/// Softness of the edges of organs.
const EDGE: f32 = 0.012;

/// Everything that is drawn, placed.
struct Scene {
    frame: Frame,
    anatomy: Anatomy,
    pathology: Pathology,
    vessels: Layer,
    devices: Layer,
    texture: u32,
}

/// Renders a phantom.
pub(crate) fn render(spec: &PhantomSpec) -> GrayImage {
    let scene = Scene::new(spec.seed, spec.size, &spec.conditions);
    let film = Emulsion::new(spec.seed);
    let pixels = (0..spec.size)
        .flat_map(|row| (0..spec.size).map(move |column| (column, row)))
        .map(|(column, row)| {
            let p = scene.frame.image_point(column, row);
            film.develop(scene.density(column, row), p, column, row)
        })
        .collect();
    GrayImage::new(spec.size, spec.size, pixels).expect("one byte for every pixel of a positive size")
}

impl Scene {
    fn new(seed: u64, size: u32, conditions: &[Condition]) -> Self {
        let frame = Emulsion::frame(seed, size);
        let anatomy = Anatomy::new(seed, conditions);
        let mut draw = Draw::new(seed, Purpose::Vessels);
        let texture = draw.bits();
        let vessels = vessels(&anatomy, frame, vessel_fullness(conditions), &mut draw);
        Self {
            pathology: Pathology::new(seed, conditions, &anatomy, frame),
            devices: devices(seed, conditions, &anatomy, frame),
            frame,
            anatomy,
            vessels,
            texture,
        }
    }

    fn density(&self, column: u32, row: u32) -> f32 {
        let p = self.frame.anatomy_point(self.frame.image_point(column, row));
        let thickness = self.anatomy.body.thickness(p);
        let tissue = smoothstep(0.0, 0.25, thickness);
        let soft = mix(AIR, TISSUE * (0.55 + 0.45 * thickness), tissue);
        let uneven = 0.035 * (cloud(self.texture, p.x * 3.0, p.y * 3.0, 3) - 0.5);
        let within = self.lungs(p, column, row) + self.trunk(p) + uneven;
        soft + tissue * within + self.devices.at(column, row)
    }

    /// What the lungs take away, and what vessels and disease give back.
    fn lungs(&self, p: Point, column: u32, row: u32) -> f32 {
        let lung = self.anatomy.lung_near(p);
        let depth = lung.depth(p).min(lung.above_diaphragm(p));
        let field = inside(depth, EDGE);
        if field <= 0.0 {
            return 0.0;
        }
        let covered = inside(self.anatomy.heart.depth(p), EDGE);
        let change = self.pathology.at(lung, p, column, row);
        let chord = 0.62 + 0.38 * smoothstep(0.0, 0.22, lung.depth(p)).sqrt();
        let air = LUNG_AIR * chord * (1.0 - 0.93 * covered) * (1.0 - change.opacity);
        let interstitium = 0.05 * (cloud(self.texture ^ 0xA5, p.x * 24.0, p.y * 24.0, 3) - 0.5);
        let markings = (0.16 * self.vessels.at(column, row) + interstitium)
            * change.markings
            * (1.0 - change.opacity)
            * (1.0 - 0.85 * covered);
        field * (markings - air + change.density * (1.0 - 0.8 * covered))
    }

    /// Heart, mediastinum, abdomen, breasts and bones.
    fn trunk(&self, p: Point) -> f32 {
        let anatomy = &self.anatomy;
        let lung = anatomy.lung_near(p);
        let wall = lung.depth(p);
        let abdomen = self.abdomen(p, wall);
        let heart = anatomy.heart.depth(p);
        let silhouette = inside(heart, EDGE) * (0.07 + 0.04 * smoothstep(0.0, 0.2, heart)) * (1.0 - abdomen);
        let chest_wall = 0.05 * bell(wall * wall / 0.0006) * smoothstep(0.55, 0.4, p.y);
        silhouette + 0.18 * abdomen - 0.2 * anatomy.body.gas(p)
            + chest_wall
            + 0.05 * anatomy.body.breast(p)
            + anatomy.bones.density(p, lung.wall_at(p.y)) * (1.0 - 0.5 * abdomen)
            + self.hilum(p) * (1.0 - abdomen)
            - trachea(p, lung.apex())
    }

    /// How much of a point lies below the diaphragm; its edge is sharp against the lung only.
    fn abdomen(&self, p: Point, wall: f32) -> f32 {
        let right = -self.anatomy.right_lung.above_diaphragm(p);
        let left = -self.anatomy.left_lung.above_diaphragm(p);
        let below = mix(right, left, smoothstep(-0.12, 0.12, p.x));
        mix(smoothstep(-0.15, 0.3, below), inside(below, EDGE), inside(wall, 0.06))
    }

    fn hilum(&self, p: Point) -> f32 {
        let hilum = self.anatomy.lung_near(p).hilum();
        let (x, y) = ((p.x - hilum.x) / 0.13, (p.y - hilum.y) / 0.20);
        0.08 * bell(x * x + y * y) * (0.6 + 0.8 * cloud(self.texture ^ 0x3C, p.x * 16.0, p.y * 16.0, 2))
    }
}

/// Air in the windpipe and main bronchi.
fn trachea(p: Point, apex: f32) -> f32 {
    let carina = Point::new(0.0, apex + 0.55);
    let folded = Point::new(p.x.abs(), p.y);
    let pipe = inside(0.034 - segment_distance(p, Point::new(0.0, -1.6), carina), 0.012);
    let bronchus = inside(0.022 - segment_distance(folded, carina, Point::new(0.12, carina.y + 0.13)), 0.012);
    0.07 * pipe.max(0.7 * bronchus)
}
