//! Damaged tables and reports of data sets: no panic, and what is not refused is a manifest that can be read.

use std::fs;

use medclip_data::{MissingImages, PrepareOptions, UncertainAs, UnknownLabels};

use crate::tree::{Tree, rows};
use crate::{chexpert, mimic, nih, openi, padchest, rsna, support, vindr};

#[test]
fn damaged_data_sets_neither_panic_nor_become_manifests_that_cannot_be_read() {
    let cases: [(Tree, &str); 8] = [
        (chexpert::tree(), "CheXpert-v1.0-small/train.csv"),
        (mimic::tree(), "mimic-cxr-2.0.0-metadata.csv"),
        (mimic::tree(), "files/p10/p10000032/s50414267.txt"),
        (nih::tree(), "Data_Entry_2017_v2020.csv"),
        (padchest::tree(), "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"),
        (vindr::tree(), "annotations/image_labels_train.csv"),
        (rsna::tree(), "stage_2_detailed_class_info.csv"),
        (openi::tree(), "ecgen-radiology/1.xml"),
    ];
    let options = PrepareOptions {
        uncertain: UncertainAs::Uncertain,
        missing: MissingImages::LeaveOut,
        unknown_labels: UnknownLabels::Count,
        ..PrepareOptions::default()
    };
    let seeds: Vec<(String, Vec<u8>)> = cases
        .iter()
        .map(|(tree, file)| ((*file).to_owned(), fs::read(tree.path().join(file)).unwrap()))
        .collect();
    support::run("data sets", &seeds, 800, |name, bytes| {
        let (tree, file) = cases.iter().find(|(_, file)| *file == name).unwrap();
        tree.write(file, bytes);
        match tree.try_prepare(&options) {
            Ok(prepared) => !rows(&prepared).is_empty(),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                false
            }
        }
    });
}
