//! What a report would say of a phantom.

use medclip_core::{Certainty, Finding, Labels};

use crate::condition::{Condition, Device};
use crate::draw::{Draw, Purpose};
use crate::spec::PhantomSpec;

/// One sentence and what it states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// The sentence with its full stop.
    pub text: String,
    /// What it says of each finding; parents of a finding are not implied.
    pub labels: Labels,
}

/// A sentence for every condition, then one to three for what is absent.
pub(crate) fn sentences(spec: &PhantomSpec, labels: &Labels) -> Vec<Sentence> {
    let mut draw = Draw::new(spec.seed, Purpose::Text);
    let mut sentences: Vec<Sentence> =
        spec.conditions.iter().map(|condition| positive(*condition, &mut draw)).collect();
    if labels[Finding::NoFinding] == Certainty::Positive {
        sentences.push(normal(&mut draw));
    }
    let mut sayable: Vec<&Absence> = ABSENCES.iter().filter(|absence| absence.holds(labels)).collect();
    for _ in 0..=draw.below(3) {
        if !sayable.is_empty() {
            let absence = sayable.swap_remove(draw.below(sayable.len()));
            sayable.retain(|other| other.findings.iter().all(|finding| !absence.findings.contains(finding)));
            sentences.push(absence.sentence(&mut draw));
        }
    }
    sentences
}

fn positive(condition: Condition, draw: &mut Draw) -> Sentence {
    let templates = templates(condition);
    let mut text = templates[draw.below(templates.len())].to_owned();
    if let Some(side) = condition.side() {
        text = text.replace("{side}", side.word());
    }
    if let Some(zone) = condition.zone() {
        text = text.replace("{zone}", zone.word());
    }
    if let Some(severity) = condition.severity() {
        text = text
            .replace("{severity}", severity.word())
            .replace("{adverb}", severity.adverb())
            .replace("{size}", severity.size());
    }
    let mut labels = Labels::default();
    labels[condition.finding()] = Certainty::Positive;
    Sentence { text: capitalized(&text), labels }
}

fn normal(draw: &mut Draw) -> Sentence {
    let text = draw.pick([
        "No acute cardiopulmonary abnormality.",
        "Normal chest radiograph.",
        "No acute cardiopulmonary disease.",
        "No evidence of active disease.",
    ]);
    let mut labels = Labels::default();
    labels[Finding::NoFinding] = Certainty::Positive;
    Sentence { text: text.to_owned(), labels }
}

/// Ways to say what a condition is.
const fn templates(condition: Condition) -> &'static [&'static str] {
    match condition {
        Condition::Cardiomegaly { .. } => &[
            "The heart is {adverb} enlarged.",
            "{severity} cardiomegaly.",
            "There is {severity} cardiomegaly.",
            "The cardiac silhouette is {adverb} enlarged.",
        ],
        Condition::WideMediastinum => &[
            "The mediastinum is widened.",
            "Widened superior mediastinum.",
            "There is widening of the mediastinum.",
        ],
        Condition::PleuralEffusion { .. } => &[
            "There is a {size} {side} pleural effusion.",
            "{size} {side} pleural effusion.",
            "A {size} pleural effusion is present on the {side}.",
        ],
        Condition::Consolidation { .. } => &[
            "There is consolidation in the {side} {zone} lung.",
            "Dense consolidation of the {side} {zone} lung zone.",
            "{side} {zone} lung consolidation.",
        ],
        Condition::Pneumonia { .. } => &[
            "Findings consistent with pneumonia in the {side} {zone} lung.",
            "{side} {zone} lung pneumonia.",
            "There is pneumonia in the {side} {zone} lung zone.",
        ],
        Condition::Opacity { .. } => &[
            "There is a hazy opacity in the {side} {zone} lung.",
            "Ill-defined opacity of the {side} {zone} lung zone.",
            "{side} {zone} lung opacity.",
        ],
        Condition::Atelectasis { .. } => &[
            "There is {side} basilar atelectasis.",
            "Plate-like atelectasis at the {side} lung base.",
            "Bandlike {side} lower lung atelectasis with volume loss.",
        ],
        Condition::Pneumothorax { .. } => &[
            "There is a {size} {side} pneumothorax.",
            "{size} {side} pneumothorax.",
            "A {size} pneumothorax is seen on the {side}.",
        ],
        Condition::Edema { .. } => &[
            "There is {severity} pulmonary edema.",
            "{severity} pulmonary edema with perihilar haze.",
            "{severity} interstitial pulmonary edema.",
        ],
        Condition::Nodule { .. } => &[
            "There is a nodule in the {side} {zone} lung.",
            "Round pulmonary nodule in the {side} {zone} lung zone.",
            "{side} {zone} lung nodule.",
        ],
        Condition::PleuralThickening { .. } => &[
            "There is {side} pleural thickening.",
            "Pleural thickening along the {side} lateral chest wall.",
            "{side}-sided pleural thickening.",
        ],
        Condition::RibFracture { .. } => &[
            "There is a displaced {side} rib fracture.",
            "Fracture of a {side} posterior rib.",
            "{side} rib fracture.",
        ],
        Condition::Device(Device::CentralLine) => &[
            "A central venous catheter ends in the superior vena cava.",
            "There is a central line in place.",
        ],
        Condition::Device(Device::Pacemaker) => {
            &["There is a left-sided pacemaker with an intact lead.", "A pacemaker is in place."]
        }
        Condition::Device(Device::EndotrachealTube) => {
            &["The endotracheal tube ends above the carina.", "An endotracheal tube is in place."]
        }
        Condition::Device(Device::SternalWires) => {
            &["Sternotomy wires are intact.", "There are median sternotomy wires."]
        }
    }
}

/// Ways to say that some findings are absent.
struct Absence {
    findings: &'static [Finding],
    texts: &'static [&'static str],
}

impl Absence {
    fn holds(&self, labels: &Labels) -> bool {
        self.findings.iter().all(|finding| labels[*finding] == Certainty::Negative)
    }

    fn sentence(&self, draw: &mut Draw) -> Sentence {
        let mut labels = Labels::default();
        for finding in self.findings {
            labels[*finding] = Certainty::Negative;
        }
        Sentence { text: self.texts[draw.below(self.texts.len())].to_owned(), labels }
    }
}

const ABSENCES: [Absence; 9] = [
    Absence {
        findings: &[Finding::Cardiomegaly],
        texts: &["The heart is normal in size.", "Heart size is within normal limits.", "No cardiomegaly."],
    },
    Absence {
        findings: &[Finding::PleuralEffusion],
        texts: &["There is no pleural effusion.", "No pleural effusion."],
    },
    Absence {
        findings: &[Finding::Pneumothorax],
        texts: &["There is no pneumothorax.", "No pneumothorax is seen."],
    },
    Absence {
        findings: &[Finding::PleuralEffusion, Finding::Pneumothorax],
        texts: &["No pleural effusion or pneumothorax.", "There is no pneumothorax or pleural effusion."],
    },
    Absence {
        findings: &[Finding::Consolidation],
        texts: &["There is no focal consolidation.", "No consolidation."],
    },
    Absence { findings: &[Finding::Edema], texts: &["There is no pulmonary edema.", "No pulmonary edema."] },
    Absence {
        findings: &[Finding::Pneumonia],
        texts: &["There is no evidence of pneumonia.", "No pneumonia."],
    },
    Absence {
        findings: &[Finding::Fracture],
        texts: &["There is no rib fracture.", "No displaced rib fracture."],
    },
    Absence {
        findings: &[Finding::LungLesion],
        texts: &["There are no pulmonary nodules.", "No suspicious pulmonary nodule or mass."],
    },
];

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phantom::Phantom;

    #[test]
    fn sentences_state_what_the_labels_hold() {
        for seed in 0..500 {
            let phantom = Phantom::random(seed, 8).unwrap();
            let labels = phantom.labels();
            let mut stated = Labels::default();
            for sentence in phantom.sentences() {
                assert!(!sentence.text.contains('{'), "unfilled: {}", sentence.text);
                assert!(sentence.text.ends_with('.') && sentence.text.starts_with(char::is_uppercase));
                for (finding, certainty) in sentence.labels.iter() {
                    if certainty != Certainty::Unmentioned {
                        assert_eq!(labels[finding], certainty, "seed {seed}: {}", sentence.text);
                        stated[finding] = certainty;
                    }
                }
            }
            for condition in &phantom.spec().conditions {
                assert_eq!(
                    stated[condition.finding()],
                    Certainty::Positive,
                    "seed {seed}: {condition:?} unsaid"
                );
            }
        }
    }
}
