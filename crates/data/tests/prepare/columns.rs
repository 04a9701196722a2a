//! What every data set refuses by name: a column that is missing, and a patient or film in two parts of an official division.

use std::fs;

use medclip_core::Finding;
use medclip_data::{PrepareError, PrepareOptions};

use crate::tree::Tree;
use crate::{chexpert, mimic, nih, openi, padchest, rsna, vindr};

/// Columns of VinDr-CXR that a finding is made of.
const OF_VINDR: [&str; 16] = [
    "Atelectasis",
    "Cardiomegaly",
    "Clavicle fracture",
    "Consolidation",
    "Edema",
    "Infiltration",
    "Lung Opacity",
    "Lung cavity",
    "Nodule/Mass",
    "Pleural effusion",
    "Pleural thickening",
    "Pneumothorax",
    "Rib fracture",
    "Lung tumor",
    "Pneumonia",
    "No finding",
];

/// A tree's table with the columns that it must have.
type Case = (Tree, &'static str, Vec<&'static str>);

/// Every table of every data set. COVID-19 Radiography has none.
fn tables() -> Vec<Case> {
    let with = |first: &[&'static str], more: &[&'static str]| [first, more].concat();
    let findings = Finding::ALL.map(Finding::name);
    let projections = openi::tree();
    projections
        .write("indiana_projections.csv", "uid,filename,projection\n1,1_1_IM-0001-3001.dcm.png,Frontal\n");
    let challenge = Tree::new("vindr");
    challenge
        .write("train.csv", "image_id,class_name,class_id,rad_id\nf1,No finding,14,R1\n")
        .images(["train/f1.png"]);
    let top = ["Path", "Frontal/Lateral", "AP/PA"];
    vec![
        (chexpert::tree(), "CheXpert-v1.0-small/train.csv", with(&top, &findings)),
        (chexpert::tree(), "CheXpert-v1.0-small/valid.csv", with(&top, &findings)),
        (chexpert::tree(), "CheXpert-v1.0-small/test_labels.csv", with(&["Path"], &findings)),
        (
            mimic::tree(),
            "mimic-cxr-2.0.0-metadata.csv",
            vec!["dicom_id", "subject_id", "study_id", "ViewPosition"],
        ),
        (mimic::tree(), "mimic-cxr-2.0.0-split.csv", vec!["dicom_id", "split"]),
        (mimic::tree(), "mimic-cxr-2.0.0-chexpert.csv", with(&["study_id"], &findings)),
        (
            nih::tree(),
            "Data_Entry_2017_v2020.csv",
            vec!["Image Index", "Finding Labels", "Patient ID", "View Position"],
        ),
        (
            padchest::tree(),
            "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv",
            vec!["ImageID", "ImageDir", "PatientID", "Projection", "MethodLabel", "Labels"],
        ),
        (vindr::tree(), "annotations/image_labels_train.csv", with(&["image_id"], &OF_VINDR)),
        (vindr::tree(), "annotations/image_labels_test.csv", with(&["image_id"], &OF_VINDR)),
        (challenge, "train.csv", vec!["image_id", "rad_id", "class_name"]),
        (rsna::tree(), "stage_2_detailed_class_info.csv", vec!["patientId", "class"]),
        (rsna::tree(), "stage_2_train_labels.csv", vec!["patientId", "Target"]),
        (projections, "indiana_projections.csv", vec!["filename", "projection"]),
    ]
}

#[test]
fn a_wrong_column_is_refused_by_name() {
    for (tree, file, columns) in tables() {
        tree.prepare();
        let text = fs::read_to_string(tree.path().join(file)).unwrap();
        let (header, rows) = text.split_once('\n').unwrap();
        for column in columns {
            let renamed = |name: &str| if name == column { "renamed".to_owned() } else { name.to_owned() };
            let line_end = if header.ends_with('\r') { "\r" } else { "" };
            let names: Vec<String> = header.trim_end().split(',').map(renamed).collect();
            assert_eq!(names.iter().filter(|name| *name == "renamed").count(), 1, "{file}: {column}");
            let wrong = format!("{}{line_end}\n{rows}", names.join(","));
            let refused = tree.write(file, wrong).refused();
            let expected =
                format!(": {file} cannot be used: column `{column}` is missing; the columns are `");
            assert!(refused.contains(&expected), "{refused}");
            assert!(refused.contains("`renamed`"), "{refused}");
        }
        tree.write(file, text).prepare();
    }
}

#[test]
fn a_leak_between_official_parts_is_refused_by_name_even_without_the_image() {
    let cases = [
        (
            chexpert::tree(),
            "CheXpert-v1.0-small/valid.csv",
            "patient64541",
            "patient00001",
            "chexpert:patient00001",
        ),
        (
            chexpert::tree(),
            "CheXpert-v1.0-small/test_labels.csv",
            "patient64741",
            "patient64541",
            "chexpert:patient64541",
        ),
        (
            mimic::tree(),
            "mimic-cxr-2.0.0-split.csv",
            "aa-1,50414267,10000032,train",
            "aa-1,50414267,10000032,test",
            "mimic:10000032",
        ),
        (nih::tree(), "test_list.txt", "00000009_000.png", "00000001_001.png", "00000001_001.png"),
        (vindr::tree(), "annotations/image_labels_test.csv", "t1,", "f1,", "vindr:f1"),
    ];
    for (tree, file, from, to, who) in cases {
        let error = tree.edit(file, from, to).try_prepare(&PrepareOptions::default()).unwrap_err();
        let words = error.to_string();
        let PrepareError::Leak { who: found, first, second, .. } = error else { panic!("{file}: {words}") };
        assert!(found.contains(&format!("`{who}`")), "{words}");
        assert!(words.contains(&first.to_string()) && words.contains(&second.to_string()), "{words}");
    }
}
