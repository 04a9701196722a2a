//! A phantom: one seed, one size, some conditions.

use medclip_core::{Certainty, Finding, GrayImage, Labels};
use thiserror::Error;

use crate::condition::{Condition, Device, Severity, Side, Zone};
use crate::draw::{Draw, Purpose};
use crate::render::render;
use crate::sentence::{Sentence, sentences};
use crate::spec::PhantomSpec;

/// A synthetic chest radiograph, postero-anterior, with what a report would say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phantom {
    spec: PhantomSpec,
}

/// A phantom that cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PhantomError {
    /// No pixels, or too many.
    #[error("a phantom is 1 to {} pixels wide, got {size}", Phantom::MAX_SIZE)]
    Size {
        /// Side asked for.
        size: u32,
    },
}

impl Phantom {
    /// Largest side of an image in pixels.
    pub const MAX_SIZE: u32 = 8192;

    /// The phantom of a specification.
    ///
    /// # Errors
    /// [`PhantomError::Size`] when the size is 0 or above [`Phantom::MAX_SIZE`].
    pub fn new(spec: PhantomSpec) -> Result<Self, PhantomError> {
        if spec.size == 0 || spec.size > Self::MAX_SIZE {
            return Err(PhantomError::Size { size: spec.size });
        }
        Ok(Self { spec })
    }

    /// A phantom whose conditions the seed draws: normal in a third of the seeds, else one to three conditions,
    /// hardware among either.
    ///
    /// # Errors
    /// As [`Phantom::new`].
    pub fn random(seed: u64, size: u32) -> Result<Self, PhantomError> {
        Self::new(PhantomSpec { seed, size, conditions: random_conditions(seed) })
    }

    /// What it shows.
    pub const fn spec(&self) -> &PhantomSpec {
        &self.spec
    }

    /// The film, 8-bit gray, dense tissue bright. The same bits on every platform.
    ///
    /// Takes memory for about three floats a pixel.
    pub fn render(&self) -> GrayImage {
        render(&self.spec)
    }

    /// What a report would say: a sentence for every condition, then some for what is absent.
    pub fn sentences(&self) -> Vec<Sentence> {
        sentences(&self.spec, &self.labels())
    }

    /// What is there and what is not.
    ///
    /// A film cannot tell everything: [`Certainty::Unmentioned`] stand Pneumonia beside an opacity or a
    /// consolidation, Consolidation beside pneumonia, and Enlarged Cardiomediastinum beside a large heart.
    pub fn labels(&self) -> Labels {
        let mut labels = Labels::new([Certainty::Negative; Finding::COUNT]);
        for condition in &self.spec.conditions {
            for finding in unclear_beside(*condition) {
                labels[*finding] = Certainty::Unmentioned;
            }
        }
        for condition in &self.spec.conditions {
            let finding = condition.finding();
            labels[finding] = Certainty::Positive;
            if is_opacity(finding) {
                labels[Finding::LungOpacity] = Certainty::Positive;
            }
        }
        let normal = self.spec.conditions.iter().all(|condition| matches!(condition, Condition::Device(_)));
        if normal {
            labels[Finding::NoFinding] = Certainty::Positive;
        }
        labels
    }
}

/// The findings whose parent is Lung Opacity.
const fn is_opacity(finding: Finding) -> bool {
    matches!(
        finding,
        Finding::Edema
            | Finding::Consolidation
            | Finding::Pneumonia
            | Finding::Atelectasis
            | Finding::LungLesion
    )
}

const fn unclear_beside(condition: Condition) -> &'static [Finding] {
    match condition {
        Condition::Cardiomegaly { .. } => &[Finding::EnlargedCardiomediastinum],
        Condition::Consolidation { .. } | Condition::Opacity { .. } => &[Finding::Pneumonia],
        Condition::Pneumonia { .. } => &[Finding::Consolidation],
        _ => &[],
    }
}

fn random_conditions(seed: u64) -> Vec<Condition> {
    let mut draw = Draw::new(seed, Purpose::Conditions);
    let wanted = match draw.uniform(0.0, 1.0) {
        share if share < 0.33 => 0,
        share if share < 0.75 => 1,
        share if share < 0.93 => 2,
        _ => 3,
    };
    let mut conditions: Vec<Condition> = Vec::new();
    while conditions.len() < wanted {
        let candidate = random_condition(&mut draw);
        if conditions.iter().all(|present| compatible(*present, candidate)) {
            conditions.push(candidate);
        }
    }
    if draw.chance(0.15) {
        conditions.push(Condition::Device(draw.pick([
            Device::CentralLine,
            Device::Pacemaker,
            Device::EndotrachealTube,
            Device::SternalWires,
        ])));
    }
    conditions
}

fn random_condition(draw: &mut Draw) -> Condition {
    let side = draw.pick(Side::BOTH);
    let zone = draw.pick([Zone::Upper, Zone::Middle, Zone::Lower]);
    let severity = draw.pick([Severity::Mild, Severity::Moderate, Severity::Severe]);
    let all = [
        Condition::Cardiomegaly { severity },
        Condition::Cardiomegaly { severity },
        Condition::PleuralEffusion { side, severity },
        Condition::PleuralEffusion { side, severity },
        Condition::Consolidation { side, zone },
        Condition::Pneumonia { side, zone },
        Condition::Opacity { side, zone },
        Condition::Atelectasis { side },
        Condition::Pneumothorax { side, severity },
        Condition::Edema { severity },
        Condition::Nodule { side, zone },
        Condition::PleuralThickening { side },
        Condition::RibFracture { side },
        Condition::WideMediastinum,
    ];
    draw.pick(all)
}

/// Whether a film can show both and a reader tell them apart.
fn compatible(one: Condition, other: Condition) -> bool {
    if one.finding() == other.finding() && one.side() == other.side() {
        return false;
    }
    let hides = |condition| {
        matches!(
            condition,
            Condition::PleuralEffusion { severity: Severity::Severe, .. }
                | Condition::Pneumothorax { .. }
                | Condition::Edema { severity: Severity::Severe }
        )
    };
    let in_lung = |condition: Condition| {
        is_opacity(condition.finding())
            || matches!(
                condition.finding(),
                Finding::LungOpacity | Finding::PleuralEffusion | Finding::PleuralOther
            )
    };
    let apart = one.side().zip(other.side()).is_some_and(|(a, b)| a != b);
    apart || !((hides(one) && (in_lung(other) || hides(other))) || (hides(other) && in_lung(one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_outside_the_range_are_refused() {
        for size in [0, Phantom::MAX_SIZE + 1] {
            assert_eq!(Phantom::random(1, size), Err(PhantomError::Size { size }));
        }
        assert_eq!(Phantom::random(1, 1).unwrap().render().pixels().len(), 1);
    }

    #[test]
    fn parents_and_no_finding_follow_from_the_conditions() {
        let labels =
            |conditions| Phantom::new(PhantomSpec { seed: 1, size: 8, conditions }).unwrap().labels();
        let normal = labels(vec![Condition::Device(Device::Pacemaker)]);
        assert_eq!(normal[Finding::NoFinding], Certainty::Positive);
        assert_eq!(normal[Finding::SupportDevices], Certainty::Positive);
        let consolidation = labels(vec![Condition::Consolidation { side: Side::Left, zone: Zone::Lower }]);
        assert_eq!(consolidation[Finding::NoFinding], Certainty::Negative);
        assert_eq!(consolidation[Finding::LungOpacity], Certainty::Positive);
        assert_eq!(consolidation[Finding::Pneumonia], Certainty::Unmentioned);
        assert_eq!(consolidation[Finding::PleuralEffusion], Certainty::Negative);
    }

    #[test]
    fn seeds_cover_every_finding() {
        for finding in Finding::ALL {
            let positives = (0..400)
                .filter(|seed| Phantom::random(*seed, 8).unwrap().labels()[finding] == Certainty::Positive)
                .count();
            assert!(positives >= 8, "{finding}: {positives} of 400");
        }
    }
}
