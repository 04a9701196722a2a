//! VinDr-CXR.

use medclip_data::{PrepareOptions, Split, UncertainAs};

use crate::tree::{Tree, left_out, marks, rows, unmapped};

const LABELS: &str = "Aortic enlargement,Atelectasis,Calcification,Cardiomegaly,Clavicle fracture,Consolidation,Edema,Emphysema,\
                      Enlarged PA,ILD,Infiltration,Lung Opacity,Lung cavity,Lung cyst,Mediastinal shift,Nodule/Mass,Pleural effusion,\
                      Pleural thickening,Pneumothorax,Pulmonary fibrosis,Rib fracture,Other lesion,COPD,Lung tumor,Pneumonia,\
                      Tuberculosis,Other disease,No finding";

/// A row's cells, with 1 for the labels named.
fn cells(labels: &[&str]) -> String {
    let cells: Vec<&str> =
        LABELS.split(',').map(|label| if labels.contains(&label) { "1" } else { "0" }).collect();
    assert_eq!(cells.iter().filter(|cell| **cell == "1").count(), labels.len());
    cells.join(",")
}

pub(crate) fn tree() -> Tree {
    let tree = Tree::new("vindr");
    let train = [
        ("f1", "R1", &["Cardiomegaly", "Rib fracture", "ILD"][..]),
        ("f1", "R2", &["Cardiomegaly", "Consolidation"]),
        ("f2", "R3", &["No finding"]),
        ("f1", "R4", &["Clavicle fracture", "ILD"]),
        ("f2", "R5", &["No finding"]),
        ("f2", "R6", &["No finding"]),
        ("f3", "R1", &["Nodule/Mass", "Lung tumor", "Other disease"]),
    ];
    let train: Vec<String> =
        train.iter().map(|(film, reader, labels)| format!("{film},{reader},{}\r\n", cells(labels))).collect();
    let train = train.concat();
    let test = format!("t1,{}\n", cells(&["Pneumonia", "Pleural effusion"]));
    tree.write(
        "annotations/image_labels_train.csv",
        format!("image_id,rad_id,{}\r\n{train}", LABELS.replace("Other disease", "Other diseases")),
    )
    .write("annotations/image_labels_test.csv", format!("image_id,{LABELS}\n{test}"))
    .images(["train/f1.dicom", "train/f2.png", "test/t1.dicom"]);
    tree
}

#[test]
fn becomes_a_manifest_by_votes() {
    let options = PrepareOptions { uncertain: UncertainAs::Uncertain, ..PrepareOptions::default() };
    let prepared = tree().prepare_with(&options);
    // Two of three saw a fracture, though not the same; one saw the consolidation, which is an opacity.
    let expected = "\
        train/f1.dicom,train,vindr,vindr:f1,vindr:f1,PA,0,,1,0,-1,0,-1,0,0,0,0,0,1,,Cardiomegaly|Clavicle fracture|Consolidation|ILD|Rib fracture,\n\
        train/f2.png,train,vindr,vindr:f2,vindr:f2,PA,1,,0,0,0,0,0,0,0,0,0,0,0,,No finding,\n\
        test/t1.dicom,test,vindr,vindr:t1,vindr:t1,PA,0,,0,0,1,0,0,1,0,0,1,0,0,,Pleural effusion|Pneumonia,\n";
    assert_eq!(rows(&prepared), expected);
    assert_eq!(unmapped(&prepared), ["ILD: 2", "Other diseases: 1"]);
    assert_eq!(left_out(&prepared), ["the image is missing: 1"]);
}

#[test]
fn the_challenge_has_boxes_and_fewer_labels() {
    let tree = Tree::new("vindr");
    tree.write(
        "train.csv",
        "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\nf1,Nodule/Mass,8,R1,1,2,3,4\nf1,Nodule/Mass,8,R1,5,6,7,8\n\
         f1,Nodule/Mass,8,R2,1,2,3,4\nf1,No finding,14,R3,,,,\nf2,No finding,14,R1,,,,\nf2,No finding,14,R2,,,,\nf2,ILD,5,R3,1,2,3,4\n",
    )
    .images(["train/f1.dicom", "train/f2.dicom"]);
    let prepared = tree.prepare();
    assert_eq!(prepared.counts().splits[0], (Split::Train, 2));
    assert_eq!(marks(&prepared, 0), "..011.0.0000..", "edema, pneumonia and fractures are not annotated");
    assert_eq!(marks(&prepared, 1), "1.000.0.0000..");
    assert_eq!(unmapped(&prepared), ["ILD: 1"]);
    let unknown = tree.refused_after("train.csv", "f2,ILD", "f2,Edema");
    assert!(
        unknown.starts_with("train.csv, row 7 (line 8): `Edema` is not a label of VinDr-CXR"),
        "{unknown}"
    );
    assert!(
        tree.refused_after("train.csv", "class_name", "label")
            .contains("train.csv cannot be used: column `class_name` is missing")
    );
}

#[test]
fn refusals_name_file_row_and_column() {
    let (tree, train, test) =
        (tree(), "annotations/image_labels_train.csv", "annotations/image_labels_test.csv");
    assert!(
        tree.refused_after(train, "Pleural effusion", "Effusion").starts_with(
            "VinDr-CXR: annotations/image_labels_train.csv cannot be used: column `Pleural effusion` is missing; the columns are `image_id`"
        )
    );
    assert_eq!(
        tree.refused_after(test, "t1,", "f2,"),
        "patient `vindr:f2` is in two parts of VinDr-CXR: annotations/image_labels_train.csv, row 3 (line 4) puts it into train, \
         annotations/image_labels_test.csv, row 1 (line 2) into test; keep it in one of them"
    );
    assert_eq!(
        tree.refused_after(train, "f2,R5", "f2,R3"),
        "annotations/image_labels_train.csv, row 5 (line 6): `f2 R3` is also on annotations/image_labels_train.csv, row 3 (line 4); \
         remove one of them"
    );
    assert!(
        tree.refused_after(test, "t1,0", "t1,yes")
            .contains("row 1 (line 2), column `Aortic enlargement`: `yes` is not 1 or 0")
    );
    assert!(
        tree.remove(test)
            .refused()
            .contains("none of image_labels_test.csv, annotations/image_labels_test.csv")
    );
}
