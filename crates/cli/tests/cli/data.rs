//! `medclip data prepare`.

use std::fs;
use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use crate::setting::{medclip, text};

const FINDINGS: &str = "No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,\
                        Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices";

/// `CheXpert` with three films of two patients, one of whose images is missing.
fn chexpert() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |file: &str, bytes: String| {
        let path = directory.path().join("chexpert").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let header = format!("Path,Sex,Age,Frontal/Lateral,AP/PA,{FINDINGS}\n");
    let film = "CheXpert-v1.0/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0,,,,,,,,,0.0,,,,\n";
    let gone =
        "CheXpert-v1.0/train/patient00001/study2/view1_frontal.jpg,Female,68,Frontal,AP,,,,,,,,,,,,,,\n";
    let valid =
        "CheXpert-v1.0/valid/patient00002/study1/view1_frontal.jpg,Male,7,Frontal,PA,,,-1.0,,,,,,,,,,,\n";
    write("train.csv", format!("{header}{film}{gone}"));
    write("valid.csv", format!("{header}{valid}"));
    write("train/patient00001/study1/view1_frontal.jpg", String::new());
    write("valid/patient00002/study1/view1_frontal.jpg", String::new());
    directory
}

fn prepare(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = medclip(&["data", "prepare"]);
    command.args(arguments).current_dir(directory).output().unwrap()
}

fn refusal(directory: &Path, arguments: &[&str]) -> String {
    let output = prepare(directory, arguments);
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(output.stdout.is_empty());
    errors
}

const TO_MANIFEST: [&str; 4] = ["chexpert", "chexpert", "-o", "manifest.csv"];

#[test]
fn a_data_set_becomes_a_manifest_with_a_summary() {
    let directory = chexpert();
    let at = directory.path();
    let output = prepare(at, &TO_MANIFEST);
    let summary = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{summary}");
    assert!(output.stdout.is_empty());
    let expected = "CheXpert: 2 films of 2 patients, train 1, val 1, test 0 (official division), 0 reports\n\
                    findings, present/absent: No Finding 1/0, Pneumothorax 0/1\n\
                    left out: 1 (the image is missing)\n";
    assert_eq!(summary, expected);
    let manifest = fs::read_to_string(at.join("manifest.csv")).unwrap();
    let rows: Vec<&str> = manifest.lines().skip(1).collect();
    let [first, second] = rows[..] else { panic!("{manifest}") };
    assert!(first.starts_with("train/patient00001/study1/view1_frontal.jpg,train,chexpert,"), "{first}");
    assert!(second.contains(",PA,,,,"), "an uncertain label is blank: {second}");

    assert!(refusal(at, &TO_MANIFEST).contains("manifest.csv already exists; --replace replaces it"));
    let again = [&TO_MANIFEST[..], &["--replace", "--uncertain", "uncertain"]].concat();
    let kept = text(&prepare(at, &again).stderr);
    assert!(kept.contains("No Finding 1/0, Cardiomegaly 0/0 (1 uncertain), Pneumothorax 0/1"), "{kept}");
    let quiet = prepare(at, &[&again[..], &["-q"]].concat());
    assert_eq!((quiet.status.code(), text(&quiet.stderr)), (Some(0), String::new()));
    assert!(fs::read_to_string(at.join("manifest.csv")).unwrap().contains(",PA,,,-1,"));
}

#[test]
fn a_refused_data_set_writes_nothing() {
    let directory = chexpert();
    let at = directory.path();
    let table = at.join("chexpert/valid.csv");
    let valid = fs::read_to_string(&table).unwrap();
    fs::write(&table, valid.replace("Edema", "Oedema")).unwrap();
    let column = refusal(at, &TO_MANIFEST);
    assert!(column.contains("CheXpert: valid.csv cannot be used: column `Edema` is missing"), "{column}");
    fs::write(&table, valid.replace("patient00002", "patient00001")).unwrap();
    let leak = refusal(at, &TO_MANIFEST);
    let expected = "patient `chexpert:patient00001` is in two parts of CheXpert: train.csv, row 1 (line 2) puts it into train, \
                    valid.csv, row 1 (line 2) into val";
    assert!(leak.contains(expected), "{leak}");
    fs::write(&table, &valid).unwrap();
    for (arguments, expected) in [
        (&["--split", "test"][..], "CheXpert has an official division, which is kept"),
        (&["--test-share", "0.5"], "leave out --split and --test-share"),
        (&["--all-images"], "train.csv, row 2 (line 3): the image is missing"),
        (&["--labeler", "negbio"], "--labeler is of mimic alone"),
        (&["--physicians-only"], "--physicians-only is of padchest alone"),
        (&["--val-share", "1"], "1 of the patients cannot be drawn"),
        (&["--uncertain", "maybe"], "[possible values: blank, present, absent, uncertain]"),
    ] {
        let message = refusal(at, &[&TO_MANIFEST[..], arguments].concat());
        assert!(message.contains(expected), "{message}");
    }
    let unknown = refusal(at, &["CheXpert", "chexpert", "-o", "manifest.csv"]);
    assert!(unknown.contains("[possible values: chexpert, mimic, nih, padchest, vindr, rsna, openi, covid]"));
    assert!(!at.join("manifest.csv").exists());
    let other = refusal(at, &["chexpert", "chexpert", "-o", "chexpert/train.csv", "--replace"]);
    assert!(other.contains("chexpert/train.csv is not a manifest, so --replace leaves it alone"), "{other}");
}

#[test]
fn parts_are_chosen_where_there_is_no_official_division() {
    let directory = tempfile::tempdir().unwrap();
    for class in ["COVID", "Lung_Opacity", "Normal", "Viral Pneumonia"] {
        for number in 1..=5 {
            let path = directory.path().join(format!("covid/{class}/images/{class}-{number}.png"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
    }
    for (arguments, expected) in [
        (&["--split", "test"][..], "train 0, val 0, test 20 (no official division)"),
        (&["--val-share", "0.2", "--test-share", "0.3", "--seed", "1"], "train 10, val 4, test 6"),
    ] {
        let all = [&["covid", "covid", "-o", "m.csv", "--replace"], arguments].concat();
        let output = prepare(directory.path(), &all);
        let summary = text(&output.stderr);
        assert!(output.status.success() && summary.contains(expected), "{summary}");
    }
}
