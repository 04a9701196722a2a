//! COVID-19 Radiography.

use std::fs;

use medclip_data::{PrepareOptions, Split, Undivided};

use crate::tree::{Tree, left_out, rows};

const TOP: &str = "COVID-19_Radiography_Dataset";

fn tree() -> Tree {
    let tree = Tree::new("covid");
    let files = [
        "COVID/images/COVID-1.png",
        "COVID/images/COVID-10.png",
        "COVID/masks/COVID-1.png",
        "COVID.metadata.xlsx",
        "Lung_Opacity/images/Lung_Opacity-1.png",
        "Normal/images/Normal-1.png",
        "Normal/images/Thumbs.db",
        "Viral Pneumonia/images/Viral Pneumonia-1.png",
    ];
    tree.images(files.map(|file| format!("{TOP}/{file}")).iter().map(String::as_str));
    tree
}

#[test]
fn becomes_a_manifest() {
    let prepared = tree().prepare();
    let expected = format!(
        "{TOP}/COVID/images/COVID-1.png,train,covid,covid:COVID-1,covid:COVID-1,,,,,,,,,,,,,,,,COVID,\n\
         {TOP}/COVID/images/COVID-10.png,train,covid,covid:COVID-10,covid:COVID-10,,,,,,,,,,,,,,,,COVID,\n\
         {TOP}/Lung_Opacity/images/Lung_Opacity-1.png,train,covid,covid:Lung_Opacity-1,covid:Lung_Opacity-1,,0,,,,1,,,,,,,,,,Lung_Opacity,\n\
         {TOP}/Normal/images/Normal-1.png,train,covid,covid:Normal-1,covid:Normal-1,,1,,,,0,,,0,,,,,,,Normal,\n\
         {TOP}/Viral Pneumonia/images/Viral Pneumonia-1.png,train,covid,covid:Viral Pneumonia-1,covid:Viral Pneumonia-1,,0,,,,1,,,1,,,,,,,Viral Pneumonia,\n"
    );
    assert_eq!(rows(&prepared), expected);
    assert_eq!(left_out(&prepared), ["not an image: 1"]);
    let options = PrepareOptions { undivided: Undivided::All(Split::Test), ..PrepareOptions::default() };
    assert!(tree().prepare_with(&options).rows.iter().all(|row| row.split == Split::Test));
}

#[test]
fn refusals_name_folder_and_film() {
    let tree = tree();
    tree.images([&*format!("{TOP}/Normal/images/COVID-2.png")]);
    assert_eq!(
        tree.refused(),
        format!(
            "{TOP}/Normal/images/COVID-2.png: `COVID-2` is in the folder of `Normal`, but its name is one of `COVID`; put it back"
        )
    );
    fs::remove_dir_all(tree.path().join(TOP).join("Normal/images")).unwrap();
    assert_eq!(
        tree.refused(),
        "COVID-19 Radiography is incomplete: DIR has none of Normal/images, COVID-19_Radiography_Dataset/Normal/images; unpack what is \
         missing there"
    );
}
