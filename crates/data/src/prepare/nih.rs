//! NIH ChestX-ray14.
//!
//! `Data_Entry_2017_v2020.csv` lists the films with labels mined from their reports; the list is complete over 14 labels, so a
//! covered finding that is not named is absent. Enlarged Cardiomediastinum, Fracture and Support Devices are not covered. Emphysema,
//! Fibrosis and Hernia have no finding: such a film is not "No Finding", and nothing else follows. `train_val_list.txt` and
//! `test_list.txt` are the official division, by patient; where both are not there, the data set counts as undivided.
//!
//! Source: Wang et al., CVPR 2017, <https://arxiv.org/abs/1705.02315>; <https://nihcc.app.box.com/v/ChestXray-NIHCC>. License: free
//! use with citation and acknowledgment of the NIH Clinical Center.

use std::collections::BTreeMap;

use medclip_core::Finding;

use super::error::{PrepareError, SourcePlace};
use super::gather::{Found, Gather, whole};
use super::listed::{Mapping, annotate, findings_of};
use super::options::UnlistedAs;
use super::prepared::LeftOutReason;
use super::tree::{Line, Tree};
use crate::columns::{Column, Kind};
use crate::manifest::Split;

const LABELS: [Mapping; 15] = [
    ("Atelectasis", &[Finding::Atelectasis]),
    ("Cardiomegaly", &[Finding::Cardiomegaly]),
    ("Consolidation", &[Finding::Consolidation]),
    ("Edema", &[Finding::Edema]),
    // The data set's short form of pleural effusion.
    ("Effusion", &[Finding::PleuralEffusion]),
    ("Emphysema", &[]),
    ("Fibrosis", &[]),
    ("Hernia", &[]),
    // CheXpert's labeler counts "infiltrate" as an opacity.
    ("Infiltration", &[Finding::LungOpacity]),
    ("Mass", &[Finding::LungLesion]),
    ("No Finding", &[Finding::NoFinding]),
    ("Nodule", &[Finding::LungLesion]),
    ("Pleural_Thickening", &[Finding::PleuralOther]),
    ("Pneumonia", &[Finding::Pneumonia]),
    ("Pneumothorax", &[Finding::Pneumothorax]),
];

const COVERED: [Finding; 11] = [
    Finding::NoFinding,
    Finding::Cardiomegaly,
    Finding::LungLesion,
    Finding::LungOpacity,
    Finding::Edema,
    Finding::Consolidation,
    Finding::Pneumonia,
    Finding::Atelectasis,
    Finding::Pneumothorax,
    Finding::PleuralEffusion,
    Finding::PleuralOther,
];

/// Places in the columns asked for.
const IMAGE: usize = 0;
const LABEL_LIST: usize = 1;
const PATIENT: usize = 2;
const VIEW: usize = 3;

pub(super) fn read(tree: &Tree, gather: &mut Gather<'_>) -> Result<(), PrepareError> {
    let file = tree.need(&[""], &["Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv"])?;
    let mut division = division(tree)?;
    let folders: Vec<String> = (1..=12).map(|number| format!("images_{number:03}/images")).collect();
    let images = tree.index(["images", ""].into_iter().chain(folders.iter().map(String::as_str)))?;
    let columns = ["Image Index", "Finding Labels", "Patient ID", "View Position"];
    tree.rows(&file, &columns.map(|name| Column::required(name, Kind::Name)), |line| {
        let image = line.name(IMAGE)?;
        let part = division.as_mut().map(|parts| parts.get_mut(image));
        let split = match part {
            None => None,
            Some(None) => {
                gather.leave_out(LeftOutReason::NotInDivision);
                return Ok(());
            }
            Some(Some((split, is_named))) => {
                *is_named = true;
                Some(*split)
            }
        };
        let found = film(line, split, images.get(image), gather)?;
        gather.add(found)
    })?;
    for _ in division.iter().flat_map(BTreeMap::values).filter(|(_, is_named)| !is_named) {
        gather.leave_out(LeftOutReason::NotInTable);
    }
    Ok(())
}

fn film(
    line: &Line<'_>,
    split: Option<Split>,
    image: Option<&String>,
    gather: &mut Gather<'_>,
) -> Result<Found, PrepareError> {
    let list = line.name(LABEL_LIST)?;
    let labels: Vec<&str> = list.split('|').collect();
    if labels.len() > 1 && labels.contains(&"No Finding") {
        return Err(line.wrong(LABEL_LIST, "No Finding alone, or findings without it"));
    }
    let view @ ("PA" | "AP") = line.cell(VIEW) else {
        return Err(line.wrong(VIEW, "PA or AP"));
    };
    let present = findings_of(labels, &LABELS, &line.origin(), gather)?;
    Ok(Found {
        origin: line.origin(),
        images: vec![image.cloned().unwrap_or_else(|| format!("images/{}", line.cell(IMAGE)))],
        split,
        patient: patient(line.name(PATIENT)?),
        view: view.to_owned(),
        annotations: annotate(&present, &COVERED, gather.unlisted(UnlistedAs::Absent)),
        labels: list.to_owned(),
        text: None,
    })
}

/// The patient of a number, with or without zeros in front.
pub(super) fn patient(number: &str) -> String {
    match number.trim_start_matches('0') {
        "" => "nih:0".to_owned(),
        digits => format!("nih:{digits}"),
    }
}

/// The part of every film, and whether a row named it yet.
type Division = BTreeMap<String, (Split, bool)>;

/// `None` where the data set has no lists.
fn division(tree: &Tree) -> Result<Option<Division>, PrepareError> {
    let names = [("train_val_list.txt", Split::Train), ("test_list.txt", Split::Test)];
    if names.iter().all(|(name, _)| !tree.has(name)) {
        return Ok(None);
    }
    let mut parts: BTreeMap<String, (Split, SourcePlace)> = BTreeMap::new();
    for (name, split) in names {
        let text = tree.text(&tree.need(&[""], &[name])?)?;
        for film in text.lines().map(str::trim).filter(|film| !film.is_empty()) {
            let said = parts.insert(film.to_owned(), (split, whole(name)));
            if let Some((first_split, first)) = said.filter(|(first, _)| *first != split) {
                let (data_set, who) = (tree.data_set, format!("film `{film}`"));
                let (second, second_split) = (whole(name), split);
                return Err(PrepareError::Leak { data_set, who, first, first_split, second, second_split });
            }
        }
    }
    Ok(Some(parts.into_iter().map(|(film, (split, _))| (film, (split, false))).collect()))
}
