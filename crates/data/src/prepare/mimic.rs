//! MIMIC-CXR-JPG.
//!
//! `mimic-cxr-2.0.0-metadata.csv` lists the films, `…-split.csv` gives each its part, and `…-chexpert.csv` or `…-negbio.csv` has the
//! labels of each study; all may be gzipped. Blank stays blank: the labeler found no mention. A study without a row of labels has
//! 14 blanks. Reports are those of MIMIC-CXR (`mimic-cxr-reports.zip`), unpacked into the same `files`; findings and impression are
//! taken where a report has these headings. The radiologists' labels of version 2.1.0's test part are not read.
//!
//! Source: Johnson et al., 2019, <https://arxiv.org/abs/1901.07042>; <https://doi.org/10.13026/jsn5-t979>. License: PhysioNet
//! Credentialed Health Data License 1.5.0.

use std::collections::BTreeMap;

use medclip_core::Finding;

use super::chexpert;
use super::error::{PrepareError, SourcePlace};
use super::gather::{Found, Gather, insert_once};
use super::options::MimicLabels;
use super::prepared::LeftOutReason;
use super::sections::findings_and_impression;
use super::tree::Tree;
use crate::columns::{Column, Kind};
use crate::manifest::{Annotation, Split};

/// What is known once of a film or study, by its id, and where it is said.
type Once<T> = BTreeMap<String, (T, SourcePlace)>;

type Annotations = [Annotation; Finding::COUNT];

pub(super) fn read(tree: &Tree, gather: &mut Gather<'_>) -> Result<(), PrepareError> {
    let metadata = table(tree, "metadata")?;
    let mut parts = parts(tree)?;
    let labels = labels(tree, gather.options.mimic_labels)?;
    let columns = ["dicom_id", "subject_id", "study_id", "ViewPosition"];
    tree.rows(&metadata, &columns.map(|name| Column::required(name, Kind::Name)), |line| {
        let (film, subject, study) = (line.name(0)?, line.name(1)?, line.name(2)?);
        let Some(((split, is_named), _)) = parts.get_mut(film) else {
            gather.leave_out(LeftOutReason::NotInDivision);
            return Ok(());
        };
        *is_named = true;
        let group: String = subject.chars().take(2).collect();
        let folder = format!("files/p{group}/p{subject}");
        let report = format!("{folder}/s{study}.txt");
        let text = if tree.has(&report) { findings_and_impression(&tree.text(&report)?) } else { None };
        gather.add(Found {
            origin: line.origin(),
            images: vec![format!("{folder}/s{study}/{film}.jpg")],
            split: Some(*split),
            patient: format!("mimic:{subject}"),
            view: view(line.cell(3)),
            annotations: labels
                .get(study)
                .map_or([Annotation::NotAnnotated; Finding::COUNT], |(found, _)| *found),
            labels: String::new(),
            text,
        })
    })?;
    for _ in parts.values().filter(|((_, is_named), _)| !is_named) {
        gather.leave_out(LeftOutReason::NotInTable);
    }
    Ok(())
}

fn table(tree: &Tree, name: &str) -> Result<String, PrepareError> {
    let [plain, packed] = ["csv", "csv.gz"].map(|end| format!("mimic-cxr-2.0.0-{name}.{end}"));
    tree.need(&[""], &[&plain, &packed])
}

/// The part of every film, and false for whether a row named it yet.
fn parts(tree: &Tree) -> Result<Once<(Split, bool)>, PrepareError> {
    let mut parts = Once::new();
    let columns = ["dicom_id", "split"].map(|name| Column::required(name, Kind::Name));
    tree.rows(&table(tree, "split")?, &columns, |line| {
        let split = match line.cell(1) {
            "train" => Split::Train,
            "validate" => Split::Val,
            "test" => Split::Test,
            _ => return Err(line.wrong(1, "train, validate or test")),
        };
        insert_once(&mut parts, line.name(0)?, (split, false), line.origin())
    })?;
    Ok(parts)
}

fn labels(tree: &Tree, labeler: MimicLabels) -> Result<Once<Annotations>, PrepareError> {
    let file = table(
        tree,
        match labeler {
            MimicLabels::Chexpert => "chexpert",
            MimicLabels::Negbio => "negbio",
        },
    )?;
    let mut columns = vec![Column::required("study_id", Kind::Name)];
    columns.extend(Finding::ALL.map(|finding| Column::required(finding.name(), Kind::Number)));
    let mut labels = Once::new();
    tree.rows(&file, &columns, |line| {
        insert_once(&mut labels, line.name(0)?, chexpert::annotations(line, 1)?, line.origin())
    })?;
    Ok(labels)
}

/// The view of a `ViewPosition`. Oblique, decubitus and other rare positions keep their names, so nobody takes them for frontal.
fn view(position: &str) -> String {
    match position {
        "LATERAL" | "LL" | "RL" => "Lateral".to_owned(),
        other => other.to_owned(),
    }
}
