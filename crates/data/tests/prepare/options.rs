//! What holds for every data set.

use medclip_data::{DataSet, MissingImages, PrepareOptions, Undivided, is_manifest, prepare, read_manifest};

use crate::chexpert;
use crate::tree::{HEADER, Tree};

fn covid() -> Tree {
    let tree = Tree::new("covid");
    for class in ["COVID", "Lung_Opacity", "Normal", "Viral Pneumonia"] {
        for number in 1..=5 {
            tree.images([&*format!("{class}/images/{class}-{number}.png")]);
        }
    }
    tree
}

#[test]
fn names_are_those_of_the_manifest() {
    for data_set in DataSet::ALL {
        assert_eq!(data_set.name().parse(), Ok(data_set));
    }
    let error = "CheXpert".parse::<DataSet>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "no data set is called `CheXpert`; there are chexpert, mimic, nih, padchest, vindr, rsna, openi, covid"
    );
}

#[test]
fn patients_are_drawn_with_the_seed() {
    let tree = covid();
    let drawn = |seed| {
        let undivided = Undivided::Drawn { val: 0.2, test: 0.3 };
        tree.prepare_with(&PrepareOptions { undivided, seed, ..PrepareOptions::default() })
    };
    assert_eq!(drawn(1).counts().splits.map(|(_, films)| films), [10, 4, 6]);
    assert!(!drawn(1).is_divided && chexpert::tree().prepare().is_divided);
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}

#[test]
fn shares_leave_somebody_to_train_on() {
    for undivided in [
        Undivided::Drawn { val: 0.5, test: 0.5 },
        Undivided::Drawn { val: -0.1, test: 0.5 },
        Undivided::Drawn { val: f64::NAN, test: 0.5 },
    ] {
        let options = PrepareOptions { undivided, ..PrepareOptions::default() };
        assert!(covid().refused_with(&options).contains("of the patients cannot be drawn"), "{undivided:?}");
    }
    let options = PrepareOptions { validation: 1.0, ..PrepareOptions::default() };
    assert!(covid().refused_with(&options).starts_with("1 of the patients cannot be drawn"));
}

#[test]
fn a_missing_image_is_refused_where_that_is_asked_for() {
    let tree = Tree::new("rsna");
    tree.write("stage_2_detailed_class_info.csv", "patientId,class\na,Normal\nb,Normal\n")
        .write("stage_2_train_labels.csv", "patientId,x,y,width,height,Target\na,,,,,0\nb,,,,,0\n")
        .images(["stage_2_train_images/a.dcm"]);
    assert_eq!(tree.prepare().rows.len(), 1);
    let options = PrepareOptions { missing: MissingImages::Refuse, ..PrepareOptions::default() };
    assert_eq!(
        tree.refused_with(&options),
        "stage_2_detailed_class_info.csv, row 2 (line 3): the image is missing; looked for stage_2_train_images/b.dcm, \
         stage_2_train_images/b.png, stage_2_train_images/b.jpg"
    );
    assert_eq!(
        tree.remove("stage_2_train_images/a.dcm").refused(),
        "RSNA Pneumonia: no film of DIR is left: the tables have 2 rows, and 2 of their images are missing; unpack the images there"
    );
}

#[test]
fn a_manifest_is_saved_whole() {
    let tree = covid();
    let path = tree.path().join("manifest.csv");
    std::fs::write(&path, "earlier").unwrap();
    assert!(!is_manifest(&path));
    tree.prepare().save(&path).unwrap();
    assert!(is_manifest(&path));
    assert!(std::fs::read_to_string(&path).unwrap().starts_with(HEADER));
    assert_eq!(read_manifest(&path).unwrap().len(), 20);
    assert!(tree.prepare().save(&tree.path().join("none/manifest.csv")).is_err());
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let error = prepare(DataSet::OpenI, "/nowhere/at/all".as_ref(), &PrepareOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "cannot open the directory /nowhere/at/all");
}
