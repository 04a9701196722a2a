//! RSNA Pneumonia Detection Challenge (stage 2).
//!
//! `stage_2_detailed_class_info.csv` and `stage_2_train_labels.csv` have a row for every box; the first says the class, the second
//! whether there is an opacity that looks like pneumonia. Such an opacity is Lung Opacity and Pneumonia here, as the challenge's
//! name has it. "No Lung Opacity / Not Normal" denies Pneumonia and No Finding and leaves Lung Opacity blank: the class has films with
//! other opacities. "Normal" denies Lung Opacity and Pneumonia. The challenge's test films have no labels and are left alone. Tables
//! do not tell AP from PA: the view is Frontal.
//!
//! The films are from NIH ChestX-ray14. Where `pneumonia-challenge-dataset-mappings_2018.json` is there, patients are those of NIH, so
//! that a leak between the two is found; otherwise every film is its own patient.
//!
//! Source: Shih et al., Radiology: Artificial Intelligence 2019, <https://doi.org/10.1148/ryai.2019180041>;
//! <https://www.kaggle.com/c/rsna-pneumonia-detection-challenge>. License: the challenge's rules, and the terms of NIH.

use std::collections::BTreeMap;

use medclip_core::Finding;
use medclip_files::read_regular;
use serde::Deserialize;

use super::error::{PrepareError, SourcePlace};
use super::gather::{Found, Gather, whole};
use super::nih;
use super::tree::{Tree, join};
use crate::columns::{Column, Kind};
use crate::manifest::Annotation::{self, Absent, NotAnnotated, Present};

/// Class, whether its films are targets, and No Finding, Lung Opacity and Pneumonia.
const CLASSES: [(&str, bool, [Annotation; 3]); 3] = [
    ("Normal", false, [Present, Absent, Absent]),
    ("No Lung Opacity / Not Normal", false, [Absent, NotAnnotated, Absent]),
    ("Lung Opacity", true, [Absent, Present, Present]),
];

const MAPPING: &str = "pneumonia-challenge-dataset-mappings_2018.json";

/// Most bytes of the mapping, which has some 12 MB.
const MAX_MAPPING_BYTES: u64 = 256 << 20;

/// A film of the challenge and its name in NIH ChestX-ray14.
#[derive(Deserialize)]
struct Mapped {
    subset_img_id: String,
    img_id: String,
}

pub(super) fn read(tree: &Tree, gather: &mut Gather<'_>) -> Result<(), PrepareError> {
    let classes = tree.need(&[""], &["stage_2_detailed_class_info.csv"])?;
    let targets = tree.need(&[""], &["stage_2_train_labels.csv"])?;
    let patients = patients(tree)?;
    let targets = once(tree, &targets, "Target", &["0", "1"], "0 or 1")?;
    let mut by_film: BTreeMap<String, (String, SourcePlace)> =
        targets.into_iter().map(|(film, said, at)| (film, (said, at))).collect();
    let names = CLASSES.map(|(name, _, _)| name);
    let expected = "Normal, Lung Opacity or No Lung Opacity / Not Normal";
    for (film, class, origin) in once(tree, &classes, "class", &names, expected)? {
        let Some((_, is_target, said)) = CLASSES.into_iter().find(|(name, _, _)| *name == class) else {
            continue;
        };
        let contradiction = |other| {
            let (film, origin) = (film.clone(), origin.clone());
            PrepareError::Contradiction { film, origin, said: format!("`{class}`"), other }
        };
        match by_film.remove(&film) {
            None => return Err(contradiction("stage_2_train_labels.csv does not have it".to_owned())),
            Some((target, at)) if (target == "1") != is_target => {
                return Err(contradiction(format!("its Target on {at} is {target}")));
            }
            Some(_) => {}
        }
        let mut annotations = [NotAnnotated; Finding::COUNT];
        for (finding, value) in
            [Finding::NoFinding, Finding::LungOpacity, Finding::Pneumonia].into_iter().zip(said)
        {
            annotations[finding.index()] = value;
        }
        gather.add(Found {
            images: ["dcm", "png", "jpg"]
                .map(|end| join("stage_2_train_images", &format!("{film}.{end}")))
                .to_vec(),
            origin,
            split: None,
            patient: patients.get(&film).cloned().unwrap_or_else(|| format!("rsna:{film}")),
            view: "Frontal".to_owned(),
            annotations,
            labels: class,
            text: None,
        })?;
    }
    match by_film.into_iter().next() {
        None => Ok(()),
        Some((film, (target, origin))) => {
            let other = "stage_2_detailed_class_info.csv does not have it".to_owned();
            Err(PrepareError::Contradiction { film, origin, said: format!("Target {target}"), other })
        }
    }
}

/// Films in the order of a table that may have several rows of each, all of which say the same.
fn once(
    tree: &Tree,
    file: &str,
    column: &'static str,
    values: &[&str],
    expected: &'static str,
) -> Result<Vec<(String, String, SourcePlace)>, PrepareError> {
    let columns = [Column::required("patientId", Kind::Name), Column::required(column, Kind::Name)];
    let mut films: Vec<(String, String, SourcePlace)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    tree.rows(file, &columns, |line| {
        let (film, value, origin) = (line.name(0)?.to_owned(), line.cell(1).to_owned(), line.origin());
        if !values.contains(&value.as_str()) {
            return Err(line.wrong(1, expected));
        }
        match places.get(&film).map(|&place| &films[place]) {
            Some((_, first, at)) if *first != value => {
                let other = format!("`{first}` on {at}");
                Err(PrepareError::Contradiction { film, origin, said: format!("`{value}`"), other })
            }
            Some(_) => Ok(()),
            None => {
                places.insert(film.clone(), films.len());
                films.push((film, value, origin));
                Ok(())
            }
        }
    })?;
    Ok(films)
}

/// Patients of NIH by the challenge's film; none where there is no mapping.
fn patients(tree: &Tree) -> Result<BTreeMap<String, String>, PrepareError> {
    if !tree.has(MAPPING) {
        return Ok(BTreeMap::new());
    }
    let bytes = read_regular(&tree.path(MAPPING), MAX_MAPPING_BYTES)
        .map_err(|error| tree.unreadable(MAPPING, error))?;
    let mapped: Vec<Mapped> =
        serde_json::from_slice(&bytes).map_err(|error| tree.unreadable(MAPPING, error))?;
    let mut patients = BTreeMap::new();
    for Mapped { subset_img_id, img_id } in mapped {
        let number = img_id.split_once('_').map(|(number, _)| number);
        let Some(number) = number.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit())) else {
            let (said, other) =
                (format!("`{img_id}`"), "films of NIH are called 00000001_000.png".to_owned());
            return Err(PrepareError::Contradiction {
                film: subset_img_id,
                origin: whole(MAPPING),
                said,
                other,
            });
        };
        patients.insert(subset_img_id, nih::patient(number));
    }
    Ok(patients)
}
