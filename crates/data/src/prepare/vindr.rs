//! VinDr-CXR.
//!
//! `image_labels_train.csv` has a row for every film and reader (three readers a film), `image_labels_test.csv` the consensus of five.
//! A finding that more than half of a film's readers saw is present, one that nobody saw is absent, and one that a minority saw is
//! uncertain. `train.csv` of the Kaggle challenge has a row for every box instead and covers 14 labels: Pneumonia, Fracture and Edema
//! stay blank. Enlarged Cardiomediastinum and Support Devices are never covered. There are no patients: each film is its own, and
//! one patient's films cannot be told. Films are DICOM; all are PA.
//!
//! Source: Nguyen et al., Scientific Data 2022, <https://doi.org/10.1038/s41597-022-01498-w>; <https://doi.org/10.13026/3akn-b287>.
//! License: PhysioNet Credentialed Health Data License 1.5.0.

use medclip_core::Finding;

use super::error::PrepareError;
use super::gather::{Found, Gather};
use super::listed::{Mapping, with_parents};
use super::tree::{Line, Tree, join};
use crate::columns::{Column, Kind};
use crate::manifest::Split;

mod readers;

use readers::Readers;

/// Labels by their columns. Those that the challenge has are `true`.
static LABELS: [(Mapping, bool); 29] = [
    (("Aortic enlargement", &[]), true),
    (("Atelectasis", &[Finding::Atelectasis]), true),
    (("Calcification", &[]), true),
    (("Cardiomegaly", &[Finding::Cardiomegaly]), true),
    (("Clavicle fracture", &[Finding::Fracture]), false),
    (("Consolidation", &[Finding::Consolidation]), true),
    (("Edema", &[Finding::Edema]), false),
    (("Emphysema", &[]), false),
    (("Enlarged PA", &[]), false),
    (("ILD", &[]), true),
    // CheXpert's labeler counts "infiltrate" as an opacity.
    (("Infiltration", &[Finding::LungOpacity]), true),
    (("Lung Opacity", &[Finding::LungOpacity]), true),
    // CheXpert's labeler counts cavitary lesions as lesions.
    (("Lung cavity", &[Finding::LungLesion]), false),
    (("Lung cyst", &[]), false),
    (("Mediastinal shift", &[]), false),
    (("Nodule/Mass", &[Finding::LungLesion]), true),
    (("Pleural effusion", &[Finding::PleuralEffusion]), true),
    (("Pleural thickening", &[Finding::PleuralOther]), true),
    (("Pneumothorax", &[Finding::Pneumothorax]), true),
    (("Pulmonary fibrosis", &[]), true),
    (("Rib fracture", &[Finding::Fracture]), false),
    (("Other lesion", &[]), true),
    (("COPD", &[]), false),
    (("Lung tumor", &[Finding::LungLesion]), false),
    (("Pneumonia", &[Finding::Pneumonia]), false),
    (("Tuberculosis", &[]), false),
    // Of the test table, and of the training table.
    (("Other disease", &[]), false),
    (("Other diseases", &[]), false),
    (("No finding", &[Finding::NoFinding]), true),
];

/// Endings under which films are shared: as distributed, and resized.
const ENDINGS: [&str; 5] = ["dicom", "dcm", "png", "jpg", "jpeg"];

pub(super) fn read(tree: &Tree, gather: &mut Gather<'_>) -> Result<(), PrepareError> {
    let folders = ["", "annotations"];
    let train = tree.need(&folders, &["image_labels_train.csv", "train.csv"])?;
    if train.ends_with("image_labels_train.csv") {
        let test = tree.need(&folders, &["image_labels_test.csv"])?;
        add(read_columns(tree, &train, gather)?, "train", Some(Split::Train), gather)?;
        add(read_columns(tree, &test, gather)?, "test", Some(Split::Test), gather)
    } else {
        add(read_boxes(tree, &train, gather)?, "train", None, gather)
    }
}

/// A table with a column a label.
fn read_columns(tree: &Tree, file: &str, gather: &mut Gather<'_>) -> Result<Readers, PrepareError> {
    let mut columns = vec![Column::required("image_id", Kind::Name), Column::optional("rad_id", Kind::Name)];
    columns.extend(LABELS.iter().map(|((name, findings), _)| match findings {
        // What nothing is made of need not be there.
        [] => Column::optional(*name, Kind::Number),
        _ => Column::required(*name, Kind::Number),
    }));
    let mut readers = Readers::new(covered(|_| true));
    tree.rows(file, &columns, |line| {
        let mut said = Vec::new();
        for (index, (mapping, _)) in LABELS.iter().enumerate() {
            match line.cell(2 + index) {
                "1" | "1.0" => said.push(mapping),
                "0" | "0.0" => {}
                "" if mapping.1.is_empty() => {}
                _ => return Err(line.wrong(2 + index, "1 or 0")),
            }
        }
        say(line, &said, true, &mut readers, gather)
    })?;
    Ok(readers)
}

/// A table with a row for every box.
fn read_boxes(tree: &Tree, file: &str, gather: &mut Gather<'_>) -> Result<Readers, PrepareError> {
    let columns = ["image_id", "rad_id", "class_name"].map(|name| Column::required(name, Kind::Name));
    let mut readers = Readers::new(covered(|is_of_challenge| is_of_challenge));
    tree.rows(file, &columns, |line| {
        let label = line.name(2)?;
        let known = LABELS.iter().find(|((name, _), is_of_challenge)| *name == label && *is_of_challenge);
        if known.is_none() {
            gather.unknown(label, line.origin())?;
        }
        let said: Vec<&Mapping> = known.iter().map(|(mapping, _)| mapping).collect();
        say(line, &said, false, &mut readers, gather)
    })?;
    Ok(readers)
}

/// Notes what a row says.
fn say(
    line: &Line<'_>,
    said: &[&'static Mapping],
    is_once: bool,
    readers: &mut Readers,
    gather: &mut Gather<'_>,
) -> Result<(), PrepareError> {
    let (film, reader) = (line.name(0)?, line.cell(1));
    if let Err(first) = readers.note(film, reader, line.origin())
        && is_once
    {
        let what = format!("{film} {reader}").trim().to_owned();
        return Err(PrepareError::Twice { what, first, second: line.origin() });
    }
    for (label, findings) in said {
        let findings: Vec<Finding> = with_parents(findings).collect();
        if readers.say(film, reader, label, &findings) && findings.is_empty() {
            gather.unmapped(label);
        }
    }
    Ok(())
}

fn covered(is_in: impl Fn(bool) -> bool) -> Vec<Finding> {
    LABELS
        .iter()
        .filter(|(_, challenge)| is_in(*challenge))
        .flat_map(|((_, findings), _)| *findings)
        .copied()
        .collect()
}

fn add(
    readers: Readers,
    folder: &str,
    split: Option<Split>,
    gather: &mut Gather<'_>,
) -> Result<(), PrepareError> {
    for vote in readers.votes() {
        gather.add(Found {
            origin: vote.origin,
            images: ENDINGS.iter().map(|end| join(folder, &format!("{}.{end}", vote.film))).collect(),
            split,
            patient: format!("vindr:{}", vote.film),
            view: "PA".to_owned(),
            annotations: vote.annotations,
            labels: vote.labels.join("|"),
            text: None,
        })?;
    }
    Ok(())
}
