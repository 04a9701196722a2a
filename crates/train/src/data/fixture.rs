//! Small manifests for the tests of this module.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use medclip_core::Finding;
use medclip_core::preprocess::PreprocessConfig;
use medclip_decode::Limits;
use tempfile::TempDir;

use crate::data::augment::AugmentConfig;
use crate::data::dataset::{DataConfig, Dataset};
use crate::data::label::LabelPolicy;
use crate::data::manifest::{Record, Split, read_manifest_from};
use crate::data::sampler::{Pairing, SamplerConfig};
use crate::data::selection::Selection;
use crate::data::sentences::SentenceConfig;
use crate::data::train_set::TrainSet;

/// One manifest row; findings not listed are blank.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) path: String,
    pub(crate) split: &'static str,
    pub(crate) fold: &'static str,
    pub(crate) source: &'static str,
    pub(crate) patient: String,
    pub(crate) view: &'static str,
    pub(crate) findings: Vec<(Finding, &'static str)>,
    pub(crate) text: &'static str,
}

impl Row {
    pub(crate) fn new(path: &str, patient: &str) -> Self {
        Self {
            path: path.to_owned(),
            split: "train",
            fold: "0",
            source: "phantom",
            patient: patient.to_owned(),
            view: "PA",
            findings: Vec::new(),
            text: "",
        }
    }
}

pub(crate) fn manifest(rows: &[Row]) -> String {
    let mut text = String::from("path,split,fold,source,patient_id,patient_group,view,age");
    for finding in Finding::ALL {
        write!(text, ",{finding}").unwrap();
    }
    text.push_str(",text\n");
    for row in rows {
        let Row { path, split, fold, source, patient, view, .. } = row;
        write!(text, "{path},{split},{fold},{source},{patient},{patient},{view},50").unwrap();
        for finding in Finding::ALL {
            let cell =
                row.findings.iter().find(|(listed, _)| *listed == finding).map_or("", |(_, cell)| cell);
            write!(text, ",{cell}").unwrap();
        }
        writeln!(text, ",\"{}\"", row.text).unwrap();
    }
    text
}

pub(crate) fn records(rows: &[Row]) -> Vec<Record> {
    read_manifest_from(manifest(rows).as_bytes()).unwrap()
}

pub(crate) fn write_png(path: &Path, side: u32, pixel: impl Fn(u32, u32) -> u8) {
    image::GrayImage::from_fn(side, side, |x, y| image::Luma([pixel(x, y)])).save(path).unwrap();
}

pub(crate) fn preprocess() -> PreprocessConfig {
    PreprocessConfig { pad_min_side: 0, ..PreprocessConfig::medclip(16, 3) }
}

/// Eight training images and one that is missing, two to evaluate on, and reports for all.
pub(crate) fn data_config() -> (TempDir, DataConfig) {
    let directory = tempfile::tempdir().unwrap();
    let mut rows: Vec<Row> = (0..11)
        .map(|index| Row {
            findings: vec![(Finding::PleuralEffusion, if index % 4 == 0 { "1" } else { "0" })],
            text: if index % 4 == 0 {
                "There is a large pleural effusion."
            } else {
                "There is no pleural effusion or pneumothorax."
            },
            split: if index < 9 { "train" } else { "val" },
            ..Row::new(&format!("{index}.png"), &format!("p{index}"))
        })
        .collect();
    rows[5].path = "missing.png".to_owned();
    for (index, row) in rows.iter().enumerate().filter(|(index, _)| *index != 5) {
        write_png(&directory.path().join(&row.path), 20, |x, y| (x * 9 + y * index as u32) as u8);
    }
    let manifest_path = directory.path().join("manifest.csv");
    std::fs::write(&manifest_path, manifest(&rows)).unwrap();
    let part = |split| Selection { splits: vec![split], ..Selection::default() };
    let config = DataConfig {
        manifest: manifest_path,
        image_root: directory.path().to_owned(),
        further: Vec::new(),
        reports: None,
        prompts: None,
        cache: None,
        in_memory: true,
        max_lost: 0.2,
        train: part(Split::Train),
        eval: [("val".to_owned(), part(Split::Val))].into(),
        labels: LabelPolicy::default(),
        teacher: None,
        sentences: SentenceConfig::default(),
        sampler: SamplerConfig {
            images: 2,
            pairing: Pairing::Unpaired { sentences: 3, natural: 0.5, positive: 0.5 },
            balance: 0.0,
            source_share: BTreeMap::new(),
        },
        augment: AugmentConfig::default(),
        text_augment: None,
    };
    (directory, config)
}

pub(crate) fn train_set() -> (TempDir, Arc<TrainSet>) {
    let (directory, config) = data_config();
    let data = Dataset::load(&config, &preprocess(), &Limits::default(), 1).unwrap();
    (directory, data.train)
}
