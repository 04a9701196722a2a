//! CheXpert.
//!
//! `train.csv` (labels of the CheXpert labeler), `valid.csv` and the test part's `test_labels.csv` (radiologists) have a path and
//! the 14 findings; the first two also have the view. Blank stays blank: the labeler found no mention. The test part was published
//! with CheXlocalize, without views, which are taken from the file's name.
//!
//! Source: Irvin et al., AAAI 2019, <https://arxiv.org/abs/1901.07031>; Saporta et al., Nature Machine Intelligence 2022,
//! <https://doi.org/10.1038/s42256-022-00536-x>. License: Stanford University Dataset Research Use Agreement.

use medclip_core::Finding;

use super::error::PrepareError;
use super::gather::{Found, Gather};
use super::tree::{Line, Tree, join};
use crate::columns::{Column, Kind};
use crate::manifest::{Annotation, Split, annotation};

/// Where the tables may be.
const FOLDERS: [&str; 5] = ["", "CheXpert-v1.0-small", "CheXpert-v1.0", "CheXpert", "chexlocalize/CheXpert"];

/// Places in the columns asked for. The findings follow.
const PATH: usize = 0;
const SIDE: usize = 1;
const PROJECTION: usize = 2;
const FINDINGS: usize = 3;

pub(super) fn read(tree: &Tree, gather: &mut Gather<'_>) -> Result<(), PrepareError> {
    let train = tree.need(&FOLDERS, &["train.csv"])?;
    let valid = tree.need(&FOLDERS, &["valid.csv"])?;
    read_table(tree, &train, Split::Train, gather)?;
    read_table(tree, &valid, Split::Val, gather)?;
    match tree.find(&FOLDERS, &["test.csv", "test_labels.csv"]) {
        Some(test) => read_table(tree, &test, Split::Test, gather),
        None => Ok(()),
    }
}

fn read_table(tree: &Tree, file: &str, split: Split, gather: &mut Gather<'_>) -> Result<(), PrepareError> {
    let view = |name| match split {
        Split::Test => Column::optional(name, Kind::Name),
        Split::Train | Split::Val => Column::required(name, Kind::Name),
    };
    let mut columns = vec![Column::required("Path", Kind::Name), view("Frontal/Lateral"), view("AP/PA")];
    columns.extend(Finding::ALL.map(|finding| Column::required(finding.name(), Kind::Number)));
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    tree.rows(file, &columns, |line| {
        let named = line.name(PATH)?;
        // Paths start from the directory above the table's: `CheXpert-v1.0-small/train/…`.
        let path = match named.split_once('/') {
            Some((top, rest)) if top.starts_with("CheXpert") => rest,
            _ => named,
        };
        let patient = path.split('/').find(|part| is_patient(part)).ok_or_else(|| {
            line.wrong(PATH, "a path such as CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg")
        })?;
        gather.add(Found {
            origin: line.origin(),
            images: vec![join(folder, path)],
            split: Some(split),
            patient: format!("chexpert:{patient}"),
            view: view_of(line, path)?.to_owned(),
            annotations: annotations(line, FINDINGS)?,
            labels: String::new(),
            text: None,
        })
    })
}

fn is_patient(part: &str) -> bool {
    part.strip_prefix("patient")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

fn view_of(line: &Line<'_>, path: &str) -> Result<&'static str, PrepareError> {
    Ok(match (line.cell(SIDE), line.cell(PROJECTION)) {
        ("Lateral", _) => "Lateral",
        ("Frontal", "AP") => "AP",
        ("Frontal", "PA") => "PA",
        // A few frontal films have LL, RL or nothing.
        ("Frontal", _) => "Frontal",
        ("", _) if path.contains("_frontal") => "Frontal",
        ("", _) if path.contains("_lateral") => "Lateral",
        ("", _) => "",
        _ => return Err(line.wrong(SIDE, "Frontal or Lateral")),
    })
}

/// The 14 findings in the columns from `start`, in [`Finding::ALL`] order.
pub(super) fn annotations(
    line: &Line<'_>,
    start: usize,
) -> Result<[Annotation; Finding::COUNT], PrepareError> {
    let mut annotations = [Annotation::NotAnnotated; Finding::COUNT];
    for (index, entry) in annotations.iter_mut().enumerate() {
        let column = start + index;
        *entry = annotation(line.cell(column)).ok_or_else(|| line.wrong(column, "1, 0, -1 or blank"))?;
    }
    Ok(annotations)
}
