//! CheXpert.

use medclip_data::{PrepareOptions, Split, UncertainAs};

use crate::tree::{Tree, left_out, rows};

const FINDINGS: &str = "No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,\
                        Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices";

pub(crate) fn tree() -> Tree {
    let tree = Tree::new("chexpert");
    let top = "CheXpert-v1.0-small";
    let train = format!(
        "Path,Sex,Age,Frontal/Lateral,AP/PA,{FINDINGS}\r\n\
         CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0,,,,,,,,,0.0,,,,1.0\r\n\
         CheXpert-v1.0-small/train/patient00002/study2/view1_frontal.jpg,Female,87,Frontal,PA,,,-1.0,1.0,,-1.0,-1.0,,-1.0,,-1.0,,1.0,\r\n\
         CheXpert-v1.0-small/train/patient00002/study2/view2_lateral.jpg,Female,87,Lateral,,,,-1.0,1.0,,-1.0,-1.0,,-1.0,,-1.0,,1.0,\r\n\
         \"CheXpert-v1.0-small/train/patient00002/study1/view1_frontal.jpg\",Female,83,Frontal,LL,,,,1.0,,,-1.0,,,,,,1.0,\r\n\
         CheXpert-v1.0-small/train/patient00003/study1/view1_frontal.jpg,Male,41,Frontal,AP,,,,,,1.0,,,,0.0,,,,\r\n"
    );
    let valid = format!(
        "Path,Sex,Age,Frontal/Lateral,AP/PA,{FINDINGS}\n\
         CheXpert-v1.0-small/valid/patient64541/study1/view1_frontal.jpg,Male,73,Frontal,AP,0.0,1.0,1.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
    );
    let test = format!(
        "Path,{FINDINGS}\ntest/patient64741/study1/view1_frontal.jpg,0,1,1,1,0,0,0,0,1,0,1,0,0,1\n\
         test/patient64742/study1/view2_lateral.jpg,1,0,0,0,0,0,0,0,0,0,0,0,0,0\n"
    );
    tree.write(&format!("{top}/train.csv"), train)
        .write(&format!("{top}/valid.csv"), valid)
        .write(&format!("{top}/test_labels.csv"), test);
    let images = [
        "train/patient00001/study1/view1_frontal.jpg",
        "train/patient00002/study2/view1_frontal.jpg",
        "train/patient00002/study2/view2_lateral.jpg",
        "train/patient00002/study1/view1_frontal.jpg",
        "valid/patient64541/study1/view1_frontal.jpg",
        "test/patient64741/study1/view1_frontal.jpg",
        "test/patient64742/study1/view2_lateral.jpg",
    ];
    tree.images(images.map(|image| format!("{top}/{image}")).iter().map(String::as_str));
    tree
}

#[test]
fn becomes_a_manifest() {
    let prepared = tree().prepare();
    let path = "CheXpert-v1.0-small";
    let expected = format!(
        "{path}/train/patient00001/study1/view1_frontal.jpg,train,chexpert,chexpert:patient00001,chexpert:patient00001,AP,1,,,,,,,,,0,,,,1,,\n\
         {path}/train/patient00002/study2/view1_frontal.jpg,train,chexpert,chexpert:patient00002,chexpert:patient00002,PA,,,,,1,,,,,,,,1,,,\n\
         {path}/train/patient00002/study2/view2_lateral.jpg,train,chexpert,chexpert:patient00002,chexpert:patient00002,Lateral,,,,,1,,,,,,,,1,,,\n\
         {path}/train/patient00002/study1/view1_frontal.jpg,train,chexpert,chexpert:patient00002,chexpert:patient00002,Frontal,,,,,1,,,,,,,,1,,,\n\
         {path}/valid/patient64541/study1/view1_frontal.jpg,val,chexpert,chexpert:patient64541,chexpert:patient64541,AP,0,1,1,0,1,0,0,0,0,0,0,0,0,0,,\n\
         {path}/test/patient64741/study1/view1_frontal.jpg,test,chexpert,chexpert:patient64741,chexpert:patient64741,Frontal,0,1,1,0,1,0,0,0,1,0,1,0,0,1,,\n\
         {path}/test/patient64742/study1/view2_lateral.jpg,test,chexpert,chexpert:patient64742,chexpert:patient64742,Lateral,1,0,0,0,0,0,0,0,0,0,0,0,0,0,,\n"
    );
    assert_eq!(rows(&prepared), expected);
    assert_eq!(left_out(&prepared), ["the image is missing: 1"]);
    let counts = prepared.counts();
    assert_eq!((counts.films, counts.patients, counts.texts), (7, 5, 0));
    assert_eq!(counts.splits, [(Split::Train, 4), (Split::Val, 1), (Split::Test, 2)]);
    let opacity = counts.findings[4];
    assert_eq!((opacity.present, opacity.absent, opacity.uncertain, opacity.blank), (5, 1, 0, 1));
}

#[test]
fn uncertain_labels_follow_the_policy() {
    for (uncertain, cells) in [
        (UncertainAs::Present, ",,1,,1,1,1,,1,,1,,1,,,"),
        (UncertainAs::Absent, ",,0,,1,0,0,,0,,0,,1,,,"),
        (UncertainAs::Uncertain, ",,-1,,1,-1,-1,,-1,,-1,,1,,,"),
    ] {
        let prepared = tree().prepare_with(&PrepareOptions { uncertain, ..PrepareOptions::default() });
        let line = rows(&prepared).lines().nth(1).unwrap().to_owned();
        assert!(line.ends_with(&format!(",PA,{cells}")), "{line}");
    }
}

#[test]
fn lies_in_the_directory_itself_too() {
    let tree = tree();
    let inner = Tree::new("chexpert");
    for file in ["train.csv", "valid.csv"] {
        inner.write(file, std::fs::read(tree.path().join("CheXpert-v1.0-small").join(file)).unwrap());
    }
    inner.images([
        "train/patient00001/study1/view1_frontal.jpg",
        "valid/patient64541/study1/view1_frontal.jpg",
    ]);
    let prepared = inner.prepare();
    let paths: Vec<&str> = prepared.rows.iter().map(|row| row.path.as_str()).collect();
    assert_eq!(
        paths,
        ["train/patient00001/study1/view1_frontal.jpg", "valid/patient64541/study1/view1_frontal.jpg"]
    );
}

#[test]
fn refusals_name_file_row_and_column() {
    let (tree, train) = (tree(), "CheXpert-v1.0-small/train.csv");
    let wrong_column = tree.refused_after(train, "Edema", "Oedema");
    assert_eq!(
        wrong_column,
        "CheXpert: CheXpert-v1.0-small/train.csv cannot be used: column `Edema` is missing; the columns are `Path`, `Sex`, `Age`, \
         `Frontal/Lateral`, `AP/PA`, `No Finding`, `Enlarged Cardiomediastinum`, `Cardiomegaly`, `Lung Opacity`, `Lung Lesion`, \
         `Oedema`, `Consolidation`, `Pneumonia`, `Atelectasis`, `Pneumothorax`, `Pleural Effusion`, `Pleural Other`, `Fracture`, \
         `Support Devices`"
    );
    assert_eq!(
        tree.refused_after("CheXpert-v1.0-small/valid.csv", "patient64541", "patient00002"),
        "patient `chexpert:patient00002` is in two parts of CheXpert: CheXpert-v1.0-small/train.csv, row 2 (line 3) puts it into train, \
         CheXpert-v1.0-small/valid.csv, row 1 (line 2) into val; keep it in one of them"
    );
    assert_eq!(
        tree.refused_after(train, "AP,1.0,,", "AP,2.0,,"),
        "CheXpert: CheXpert-v1.0-small/train.csv cannot be used: row 1 (line 2), column `No Finding`: `2.0` is not 1, 0, -1 or blank"
    );
    assert!(
        tree.refused_after(train, "Lateral,,,,-1.0", "Oblique,,,,-1.0")
            .ends_with("`Oblique` is not Frontal or Lateral")
    );
    assert!(
        tree.refused_after(train, "train/patient00003/study1", "train/p3/study1")
            .contains("row 5 (line 6), column `Path`: `CheXpert-v1.0-small/train/p3/study1/view1_frontal.jpg` is not a path such as")
    );
    assert_eq!(
        tree.refused_after(train, "patient00002/study1", "patient00002/study2"),
        "CheXpert-v1.0-small/train.csv, row 4 (line 5): `CheXpert-v1.0-small/train/patient00002/study2/view1_frontal.jpg` is also on \
         CheXpert-v1.0-small/train.csv, row 2 (line 3); remove one of them"
    );
    assert_eq!(
        tree.refused_after(train, "train/patient00003/study1", "../patient00003/study1"),
        "CheXpert-v1.0-small/train.csv, row 5 (line 6): the image \
         `CheXpert-v1.0-small/../patient00003/study1/view1_frontal.jpg` is not in the directory of CheXpert; correct the path"
    );
    assert_eq!(
        tree.remove("CheXpert-v1.0-small/valid.csv").refused(),
        "CheXpert is incomplete: DIR has none of valid.csv, CheXpert-v1.0-small/valid.csv, CheXpert-v1.0/valid.csv, \
         CheXpert/valid.csv, chexlocalize/CheXpert/valid.csv; unpack what is missing there"
    );
}
