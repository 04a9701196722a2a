//! NIH ChestX-ray14.

use medclip_data::{PrepareOptions, Split, UnlistedAs};

use crate::tree::{Tree, left_out, marks, rows, unmapped};

const TABLE: &str = "Data_Entry_2017_v2020.csv";

pub(crate) fn tree() -> Tree {
    let tree = Tree::new("nih");
    tree.write(
        TABLE,
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,OriginalImage[Width,Height],\
         OriginalImagePixelSpacing[x,y]\r\n\
         00000001_000.png,Cardiomegaly,0,1,57,M,PA,2682,2749,0.143,0.143\r\n\
         00000001_001.png,Cardiomegaly|Emphysema,1,1,58,M,PA,2894,2729,0.143,0.143\r\n\
         00000002_000.png,No Finding,0,2,80,M,AP,2500,2048,0.171,0.171\r\n\
         00000003_000.png,Hernia,0,3,74,F,PA,2500,2048,0.168,0.168\r\n\
         00000004_000.png,\"Infiltration|Mass|Pleural_Thickening|Effusion\",0,4,82,M,AP,2500,2048,0.168,0.168\r\n\
         00000005_000.png,Pneumonia,0,5,69,F,AP,2500,2048,0.168,0.168\r\n\
         00000006_000.png,Pneumothorax,0,6,69,F,AP,2500,2048,0.168,0.168\r\n",
    );
    tree.write(
        "train_val_list.txt",
        "00000001_000.png\r\n00000001_001.png\r\n00000002_000.png\r\n00000005_000.png\r\n",
    )
    .write("test_list.txt", "00000003_000.png\n00000004_000.png\n00000009_000.png\n\n")
    .images([
        "images_001/images/00000001_000.png",
        "images_001/images/00000001_001.png",
        "images_002/images/00000002_000.png",
        "images_012/images/00000003_000.png",
        "images/00000004_000.png",
    ]);
    tree
}

#[test]
fn becomes_a_manifest() {
    let prepared = tree().prepare();
    let expected = "\
        images_001/images/00000001_000.png,train,nih,nih:1,nih:1,PA,0,,1,0,0,0,0,0,0,0,0,0,,,Cardiomegaly,\n\
        images_001/images/00000001_001.png,train,nih,nih:1,nih:1,PA,0,,1,0,0,0,0,0,0,0,0,0,,,Cardiomegaly|Emphysema,\n\
        images_002/images/00000002_000.png,train,nih,nih:2,nih:2,AP,1,,0,0,0,0,0,0,0,0,0,0,,,No Finding,\n\
        images_012/images/00000003_000.png,test,nih,nih:3,nih:3,PA,0,,0,0,0,0,0,0,0,0,0,0,,,Hernia,\n\
        images/00000004_000.png,test,nih,nih:4,nih:4,AP,0,,0,1,1,0,0,0,0,0,1,1,,,Infiltration|Mass|Pleural_Thickening|Effusion,\n";
    assert_eq!(rows(&prepared), expected);
    assert_eq!(unmapped(&prepared), ["Emphysema: 1", "Hernia: 1"]);
    assert_eq!(
        left_out(&prepared),
        [
            "the image is missing: 1",
            "not in the official division: 1",
            "in the official division, but in no table: 1"
        ]
    );
}

#[test]
fn what_is_not_listed_stays_blank_where_that_is_asked_for() {
    let options = PrepareOptions { unlisted: Some(UnlistedAs::Blank), ..PrepareOptions::default() };
    let prepared = tree().prepare_with(&options);
    assert_eq!(marks(&prepared, 0), "0.1...........");
    assert_eq!(marks(&prepared, 3), "..............", "a hernia is none of the 14");
    assert_eq!(marks(&prepared, 4), "0..11.....11..");
}

#[test]
fn validation_is_drawn_from_the_training_patients() {
    let options = PrepareOptions { validation: 0.5, seed: 1, ..PrepareOptions::default() };
    let prepared = tree().prepare_with(&options);
    let splits = prepared.counts().splits;
    assert_eq!(splits[2], (Split::Test, 2), "the test part stays");
    let of = |patient: &str| -> Vec<Split> {
        prepared.rows.iter().filter(|row| row.patient == patient).map(|row| row.split).collect()
    };
    assert_eq!(of("nih:1")[0], of("nih:1")[1], "a patient is in one part");
    assert_ne!(of("nih:1")[0], of("nih:2")[0], "one of the two patients is drawn");
    assert_eq!(prepared, tree().prepare_with(&options));
}

#[test]
fn without_lists_it_is_undivided() {
    let tree = tree();
    tree.remove("train_val_list.txt").remove("test_list.txt");
    assert_eq!(tree.prepare().counts().splits, [(Split::Train, 5), (Split::Val, 0), (Split::Test, 0)]);
}

#[test]
fn refusals_name_file_row_and_column() {
    let tree = tree();
    assert!(
        tree.refused_after(TABLE, "Finding Labels", "Labels").starts_with(
            "NIH ChestX-ray14: Data_Entry_2017_v2020.csv cannot be used: column `Finding Labels` is missing; the columns are \
             `Image Index`, `Labels`, `Follow-up #`, `Patient ID`"
        )
    );
    assert_eq!(
        tree.refused_after("test_list.txt", "00000009_000.png", "00000002_000.png"),
        "film `00000002_000.png` is in two parts of NIH ChestX-ray14: train_val_list.txt puts it into train, test_list.txt into test; \
         keep it in one of them"
    );
    assert_eq!(
        tree.refused_after(TABLE, "00000003_000.png,Hernia,0,3", "00000003_000.png,Hernia,0,00000001"),
        "patient `nih:1` is in two parts of NIH ChestX-ray14: Data_Entry_2017_v2020.csv, row 1 (line 2) puts it into train, \
         Data_Entry_2017_v2020.csv, row 4 (line 5) into test; keep it in one of them"
    );
    assert_eq!(
        tree.refused_after(TABLE, ",Hernia,", ",Hernias,"),
        "Data_Entry_2017_v2020.csv, row 4 (line 5): `Hernias` is not a label of NIH ChestX-ray14; correct it, or have unknown labels \
         counted"
    );
    assert!(
        tree.refused_after(TABLE, "No Finding,0", "No Finding|Edema,0")
            .ends_with("`No Finding|Edema` is not No Finding alone, or findings without it")
    );
    assert!(
        tree.refused_after(TABLE, "M,AP,2500,2048,0.171", "M,XX,2500,2048,0.171")
            .ends_with("`XX` is not PA or AP")
    );
    assert!(tree.refused_after(TABLE, "00000001_001.png,", "00000001_000.png,").contains("is also on"));
    assert!(tree.remove("test_list.txt").refused().contains("DIR has none of test_list.txt"));
}
