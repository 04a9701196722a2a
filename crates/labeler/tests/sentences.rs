//! What single sentences and short reports say. All texts are invented.

use medclip_core::Certainty::{Negative, Positive, Uncertain, Unmentioned};
use medclip_core::Finding::{
    Atelectasis, Cardiomegaly, Consolidation, Edema, EnlargedCardiomediastinum, Fracture, LungLesion,
    LungOpacity, NoFinding, PleuralEffusion, PleuralOther, Pneumonia, Pneumothorax, SupportDevices,
};
use medclip_core::{Certainty, Finding};
use medclip_labeler::{Labeler, PhraseError, PhraseLists};

type Case = (&'static str, &'static [(Finding, Certainty)]);

/// Every finding in the list as stated; "No Finding" is checked only where listed.
const SENTENCES: &[Case] = &[
    ("", &[(NoFinding, Unmentioned)]),
    ("Marked cardiomegaly.", &[(Cardiomegaly, Positive), (NoFinding, Negative)]),
    ("The heart is moderately enlarged.", &[(Cardiomegaly, Positive)]),
    ("This heart is not enlarged.", &[(Cardiomegaly, Negative)]),
    ("Heart size is well within normal limits.", &[(Cardiomegaly, Negative), (NoFinding, Unmentioned)]),
    ("Normal size of the cardiac silhouette.", &[(Cardiomegaly, Negative)]),
    ("The superior mediastinum is widened.", &[(EnlargedCardiomediastinum, Positive)]),
    ("Mediastinal contours are unremarkable.", &[(EnlargedCardiomediastinum, Negative)]),
    // Negation over lists and where it ends.
    (
        "No pleural effusion, pneumothorax or focal consolidation.",
        &[
            (PleuralEffusion, Negative),
            (Pneumothorax, Negative),
            (Consolidation, Negative),
            (NoFinding, Unmentioned),
        ],
    ),
    (
        "No pneumothorax, large effusion, or edema is identified.",
        &[(Pneumothorax, Negative), (PleuralEffusion, Negative), (Edema, Negative)],
    ),
    (
        "No pneumothorax, but a moderate effusion persists.",
        &[(Pneumothorax, Negative), (PleuralEffusion, Positive)],
    ),
    ("No pneumothorax; cardiomegaly again.", &[(Pneumothorax, Negative), (Cardiomegaly, Positive)]),
    ("No effusion, the heart is enlarged.", &[(PleuralEffusion, Negative), (Cardiomegaly, Positive)]),
    (
        "No effusion is present and the heart is enlarged.",
        &[(PleuralEffusion, Negative), (Cardiomegaly, Positive)],
    ),
    (
        "No effusion or pneumothorax, stable cardiomegaly.",
        &[(Pneumothorax, Negative), (Cardiomegaly, Positive)],
    ),
    ("A right effusion is unlikely.", &[(PleuralEffusion, Negative)]),
    ("Cardiomegaly without edema.", &[(Cardiomegaly, Positive), (Edema, Negative)]),
    ("The bases are free of consolidation.", &[(Consolidation, Negative)]),
    ("Negative for fracture or pneumothorax.", &[(Fracture, Negative), (Pneumothorax, Negative)]),
    ("The earlier effusion has resolved.", &[(PleuralEffusion, Negative)]),
    ("Effusion and pneumothorax are not seen.", &[(PleuralEffusion, Negative), (Pneumothorax, Negative)]),
    ("Right lower lobe consolidation has cleared.", &[(Consolidation, Negative)]),
    ("Interval resolution of the left pneumothorax.", &[(Pneumothorax, Negative)]),
    ("Atelectasis rather than pneumonia.", &[(Atelectasis, Positive), (Pneumonia, Negative)]),
    ("No opacity to suggest pneumonia.", &[(LungOpacity, Negative), (Pneumonia, Negative)]),
    ("No new nodules or masses.", &[(LungLesion, Negative)]),
    // Negation words that deny only a change.
    ("No change in the small effusion.", &[(PleuralEffusion, Positive)]),
    ("Cardiomegaly is not significantly changed.", &[(Cardiomegaly, Positive)]),
    ("No increase in edema.", &[(Edema, Positive)]),
    // Uncertainty.
    ("Basilar opacity may represent pneumonia.", &[(LungOpacity, Positive), (Pneumonia, Uncertain)]),
    ("Cannot exclude a small pneumothorax.", &[(Pneumothorax, Uncertain), (NoFinding, Uncertain)]),
    ("A small effusion cannot be excluded.", &[(PleuralEffusion, Uncertain)]),
    ("Possible rib fracture.", &[(Fracture, Uncertain)]),
    ("Atelectasis versus consolidation.", &[(Atelectasis, Uncertain), (Consolidation, Uncertain)]),
    ("Streaky opacity, atelectasis versus scar.", &[(LungOpacity, Positive), (Atelectasis, Uncertain)]),
    ("No effusion, possible pneumonia.", &[(PleuralEffusion, Negative), (Pneumonia, Uncertain)]),
    ("Probable basilar atelectasis.", &[(Atelectasis, Positive)]),
    // Not an observation.
    ("History of pneumonia.", &[(Pneumonia, Unmentioned)]),
    ("Evaluate for pneumothorax.", &[(Pneumothorax, Unmentioned)]),
    ("Nondisplaced fractures may not be visible.", &[(Fracture, Unmentioned)]),
    // Normality.
    ("The lungs are clear.", &[(LungOpacity, Negative), (Consolidation, Negative), (NoFinding, Positive)]),
    ("No acute cardiopulmonary abnormality.", &[(NoFinding, Positive), (Cardiomegaly, Unmentioned)]),
    (
        "Lungs are clear, stable cardiomegaly.",
        &[(LungOpacity, Negative), (Cardiomegaly, Positive), (NoFinding, Negative)],
    ),
    ("The lungs are clear of consolidation.", &[(Consolidation, Negative), (Atelectasis, Unmentioned)]),
    ("Both pleural spaces are clear on this view.", &[(PleuralEffusion, Negative)]),
    ("Osseous structures all appear intact.", &[(Fracture, Negative)]),
    // Devices, and words that mean something else.
    ("Sternotomy wires are intact.", &[(SupportDevices, Positive), (NoFinding, Unmentioned)]),
    ("Tip of the PICC in the upper SVC.", &[(SupportDevices, Positive)]),
    ("Large pericardial effusion.", &[(PleuralEffusion, Unmentioned), (NoFinding, Negative)]),
    ("Blunting of the left costophrenic sulcus.", &[(PleuralOther, Positive)]),
    ("Calcified granuloma in the lingula.", &[(LungLesion, Unmentioned), (NoFinding, Negative)]),
];

#[test]
fn sentences() {
    let labeler = Labeler::new();
    for (text, want) in SENTENCES {
        let labels = labeler.sentence(text);
        for &(finding, certainty) in *want {
            assert_eq!(labels[finding], certainty, "{finding} in {text:?}");
        }
    }
}

#[test]
fn reports() {
    let labeler = Labeler::new();
    let cases: &[Case] = &[
        ("", &[(NoFinding, Unmentioned)]),
        ("Portable film.", &[(NoFinding, Unmentioned)]),
        ("Heart size is normal. No effusion.", &[(NoFinding, Positive), (Cardiomegaly, Negative)]),
        ("Pacemaker in place. Lungs are clear.", &[(NoFinding, Positive), (SupportDevices, Positive)]),
        ("Lungs are clear. Scoliosis.", &[(NoFinding, Negative), (LungOpacity, Negative)]),
        ("Possible effusion. Effusion is present.", &[(PleuralEffusion, Positive)]),
        ("No effusion. Possible effusion.", &[(PleuralEffusion, Uncertain), (NoFinding, Uncertain)]),
        (
            "INDICATION: Pneumonia. FINDINGS: No acute disease.",
            &[(Pneumonia, Unmentioned), (NoFinding, Positive)],
        ),
    ];
    for (text, want) in cases {
        let labels = labeler.report(text).labels;
        for &(finding, certainty) in *want {
            assert_eq!(labels[finding], certainty, "{finding} in {text:?}");
        }
    }
}

#[test]
fn mentions_name_their_family_and_place() {
    let labeler = Labeler::new();
    let text = "Émphase: nodule, no mass.";
    let mentions = labeler.mentions(text);
    let found: Vec<_> = mentions.iter().map(|m| (m.family, &text[m.span.clone()], m.certainty)).collect();
    assert_eq!(found, [("nodule", "nodule", Positive), ("mass", "mass", Negative)]);
    assert!(mentions.iter().all(|mention| mention.finding == Some(LungLesion)));
}

#[test]
fn lists_can_be_extended_and_are_checked() {
    let mut lists = PhraseLists::builtin().unwrap();
    lists.families[0].phrases.push("jumbo mediastinum".to_owned());
    let labels = Labeler::with_lists(&lists).unwrap().sentence("Jumbo mediastinum.");
    assert_eq!(labels[EnlargedCardiomediastinum], Positive);

    lists.families[0].finding = Some("Flu".to_owned());
    assert!(
        matches!(Labeler::with_lists(&lists), Err(PhraseError::UnknownFinding { finding, .. }) if finding == "Flu")
    );
    lists.families[0].finding = None;
    lists.families[0].phrases.push("Not (lower case)".to_owned());
    assert!(matches!(Labeler::with_lists(&lists), Err(PhraseError::Grammar { .. })));
}
