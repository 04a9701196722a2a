//! The patient: where every organ of one phantom lies.

mod body;
mod bones;
mod heart;
mod lung;
mod vessels;

pub(crate) use body::Body;
pub(crate) use bones::Bones;
pub(crate) use heart::Heart;
pub(crate) use lung::Lung;
pub(crate) use vessels::vessels;

use crate::condition::{Condition, Side};
use crate::draw::{Draw, Purpose};
use crate::shape::Point;

/// Organs by their shapes.
pub(crate) struct Anatomy {
    pub(crate) body: Body,
    pub(crate) right_lung: Lung,
    pub(crate) left_lung: Lung,
    pub(crate) heart: Heart,
    pub(crate) bones: Bones,
}

impl Anatomy {
    /// The anatomy of a seed, changed as the conditions change it.
    pub(crate) fn new(seed: u64, conditions: &[Condition]) -> Self {
        let mut draw = Draw::new(seed, Purpose::Anatomy);
        let apex = draw.uniform(-0.88, -0.80);
        let half_width = draw.uniform(0.28, 0.33);
        let dome = draw.uniform(0.27, 0.42);
        let mut lung = |side| Lung::new(side, apex, half_width, dome, conditions, &mut draw);
        let (right_lung, left_lung) = (lung(Side::Right), lung(Side::Left));
        let heart = Heart::new(&left_lung, conditions, &mut draw);
        let bones = Bones::new(apex, conditions, &mut draw);
        let body = Body::new(right_lung.wall(), &mut draw);
        Self { body, right_lung, left_lung, heart, bones }
    }

    pub(crate) const fn lung(&self, side: Side) -> &Lung {
        match side {
            Side::Right => &self.right_lung,
            Side::Left => &self.left_lung,
        }
    }

    /// The lung in whose half of the chest a point lies.
    pub(crate) fn lung_near(&self, p: Point) -> &Lung {
        self.lung(if p.x < 0.0 { Side::Right } else { Side::Left })
    }
}
