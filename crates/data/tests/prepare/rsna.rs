//! RSNA Pneumonia.

use medclip_data::{PrepareOptions, Split, Undivided};

use crate::tree::{Tree, left_out, rows};

const CLASSES: &str = "stage_2_detailed_class_info.csv";
const TARGETS: &str = "stage_2_train_labels.csv";
const MAPPING: &str = "pneumonia-challenge-dataset-mappings_2018.json";

pub(crate) fn tree() -> Tree {
    let tree = Tree::new("rsna");
    tree.write(
        CLASSES,
        "patientId,class\r\na,No Lung Opacity / Not Normal\r\nb,Normal\r\nc,Lung Opacity\r\nc,Lung Opacity\r\nd,\"Normal\"\r\ne,Lung Opacity\r\n",
    )
    .write(
        TARGETS,
        "patientId,x,y,width,height,Target\na,,,,,0\nb,,,,,0\nc,264.0,152.0,213.0,379.0,1\nc,562.0,152.0,256.0,453.0,1\nd,,,,,0\n\
         e,1.0,2.0,3.0,4.0,1\n",
    )
    .images(["a", "b", "c", "e"].map(|film| format!("stage_2_train_images/{film}.dcm")).iter().map(String::as_str));
    tree
}

#[test]
fn becomes_a_manifest() {
    let prepared = tree().prepare();
    let expected = "\
        stage_2_train_images/a.dcm,train,rsna,rsna:a,rsna:a,Frontal,0,,,,,,,0,,,,,,,No Lung Opacity / Not Normal,\n\
        stage_2_train_images/b.dcm,train,rsna,rsna:b,rsna:b,Frontal,1,,,,0,,,0,,,,,,,Normal,\n\
        stage_2_train_images/c.dcm,train,rsna,rsna:c,rsna:c,Frontal,0,,,,1,,,1,,,,,,,Lung Opacity,\n\
        stage_2_train_images/e.dcm,train,rsna,rsna:e,rsna:e,Frontal,0,,,,1,,,1,,,,,,,Lung Opacity,\n";
    assert_eq!(rows(&prepared), expected);
    assert_eq!(left_out(&prepared), ["the image is missing: 1"]);
}

#[test]
fn the_mapping_gives_the_patients_of_nih() {
    let tree = tree();
    tree.write(
        MAPPING,
        r#"[{"SOPInstanceUID": "1.2", "img_id": "00000013_009.png", "subset_img_id": "a"},
            {"img_id": "00000013_031.png", "subset_img_id": "c"}]"#,
    );
    let options = PrepareOptions { undivided: Undivided::All(Split::Test), ..PrepareOptions::default() };
    let prepared = tree.prepare_with(&options);
    let patients: Vec<&str> = prepared.rows.iter().map(|row| row.patient.as_str()).collect();
    assert_eq!(patients, ["nih:13", "rsna:b", "nih:13", "rsna:e"]);
    assert!(prepared.rows.iter().all(|row| row.split == Split::Test));
    assert!(
        tree.refused_after(MAPPING, "00000013_009.png", "x.png")
            .contains("films of NIH are called 00000001_000.png")
    );
    assert!(
        tree.refused_after(MAPPING, "\"subset_img_id\": \"a\"", "\"id\": \"a\"")
            .contains("missing field `subset_img_id`")
    );
}

#[test]
fn refusals_name_file_row_and_column() {
    let tree = tree();
    assert_eq!(
        tree.refused_after(TARGETS, "Target", "target_class"),
        "RSNA Pneumonia: stage_2_train_labels.csv cannot be used: column `Target` is missing; the columns are `patientId`, `x`, `y`, \
         `width`, `height`, `target_class`"
    );
    assert!(
        tree.refused_after(CLASSES, "b,Normal", "b,normal")
            .contains("column `class`: `normal` is not Normal, Lung Opacity or")
    );
    assert_eq!(
        tree.refused_after(TARGETS, "b,,,,,0", "b,,,,,1"),
        "stage_2_detailed_class_info.csv, row 2 (line 3): `b` is `Normal`, but its Target on stage_2_train_labels.csv, row 2 (line 3) \
         is 1"
    );
    assert_eq!(
        tree.refused_after(TARGETS, "c,562.0,152.0,256.0,453.0,1", "c,562.0,152.0,256.0,453.0,0"),
        "stage_2_train_labels.csv, row 4 (line 5): `c` is `0`, but `1` on stage_2_train_labels.csv, row 3 (line 4)"
    );
    assert!(
        tree.refused_after(TARGETS, "a,,,,,0\n", "")
            .ends_with("but stage_2_train_labels.csv does not have it")
    );
    assert!(
        tree.refused_after(CLASSES, "b,Normal\r\n", "")
            .ends_with("but stage_2_detailed_class_info.csv does not have it")
    );
    assert!(tree.remove(CLASSES).refused().contains("DIR has none of stage_2_detailed_class_info.csv"));
}
