//! Small data sets for the tests of this module.

#[path = "../../../data/src/fixture/rows.rs"]
mod rows;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use medclip_core::Finding;
use medclip_core::preprocess::PreprocessConfig;
use medclip_data::{LabelPolicy, Record, Selection, SentenceConfig, Split, read_manifest_from};
use medclip_decode::Limits;
use tempfile::TempDir;

use crate::data::augment::AugmentConfig;
use crate::data::dataset::{DataConfig, Dataset};
use crate::data::sampler::{Pairing, SamplerConfig};
use crate::data::train_set::TrainSet;

pub(crate) use self::rows::{Row, manifest};

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
