//! PadChest.
//!
//! `PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv` has a row for every film, with a list of labels that physicians or a network
//! took from its report. Lists name what was found, so a finding that is not named stays blank by default. [`labels`] maps the labels;
//! those that no finding stands for are counted. Reports are Spanish, without stop words and endings: an English labeler would misread
//! them, so they are left out.
//!
//! Source: Bustos et al., Medical Image Analysis 2020, <https://arxiv.org/abs/1901.07441>; <https://bimcv.cipf.es/bimcv-projects/padchest/>.
//! License: PadChest Dataset Research Use Agreement.

use medclip_core::Finding;

use super::error::PrepareError;
use super::gather::{Found, Gather};
use super::listed::{annotate, findings_of};
use super::options::UnlistedAs;
use super::prepared::LeftOutReason;
use super::python;
use super::tree::{Line, Tree, join};
use crate::columns::{Column, Kind};

mod labels;

const TABLES: [&str; 2] = [
    "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv",
    "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz",
];

/// Places in the columns asked for.
const IMAGE: usize = 0;
const FOLDER: usize = 1;
const PATIENT: usize = 2;
const PROJECTION: usize = 3;
const METHOD: usize = 4;
const LABELS: usize = 5;

pub(super) fn read(tree: &Tree, gather: &mut Gather<'_>) -> Result<(), PrepareError> {
    let file = tree.need(&[""], &TABLES)?;
    let columns = ["ImageID", "ImageDir", "PatientID", "Projection", "MethodLabel", "Labels"]
        .map(|name| Column::required(name, Kind::Name));
    tree.rows(&file, &columns, |line| {
        let is_by_physician = match line.cell(METHOD) {
            "Physician" => true,
            // Blank where there are no labels.
            "RNN_model" | "" => false,
            _ => return Err(line.wrong(METHOD, "Physician or RNN_model")),
        };
        // A few rows have no labels at all; pandas writes them as `nan`.
        let labels = match line.cell(LABELS) {
            "" | "nan" => Vec::new(),
            list => python::list(list).ok_or_else(|| line.wrong(LABELS, "a list such as ['normal']"))?,
        };
        if line.cell(PROJECTION) == "EXCLUDE" || labels.iter().any(|label| label == "exclude") {
            gather.leave_out(LeftOutReason::Excluded);
            return Ok(());
        }
        if gather.options.physicians_only && !is_by_physician {
            gather.leave_out(LeftOutReason::LabeledByNetwork);
            return Ok(());
        }
        let found = film(line, &labels, gather)?;
        gather.add(found)
    })
}

fn film(line: &Line<'_>, labels: &[String], gather: &mut Gather<'_>) -> Result<Found, PrepareError> {
    let view = match line.cell(PROJECTION) {
        // Lying on the back or side.
        "AP_horizontal" => "AP",
        "L" => "Lateral",
        // Of the ribs.
        "COSTAL" => "Costal",
        "UNK" => "",
        other => other,
    };
    let (image, folder) = (line.name(IMAGE)?, line.cell(FOLDER));
    let present = findings_of(labels.iter().map(String::as_str), &labels::LABELS, &line.origin(), gather)?;
    let covered: &[Finding] = if labels.is_empty() { &[] } else { &Finding::ALL };
    Ok(Found {
        origin: line.origin(),
        // As unpacked with a folder for every archive, or all into one.
        images: vec![
            join(folder, image),
            join("images", &join(folder, image)),
            join("images", image),
            image.to_owned(),
        ],
        split: None,
        patient: format!("padchest:{}", line.name(PATIENT)?),
        view: view.to_owned(),
        annotations: annotate(&present, covered, gather.unlisted(UnlistedAs::Blank)),
        labels: labels.join("|"),
        text: None,
    })
}
