//! `medclip eval benchmark`.

use std::fs;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::setting::{bundle, images, medclip, text};

/// Films of COVID-19 Radiography with their manifest.
fn covid() -> TempDir {
    let classes = ["COVID", "Lung_Opacity", "Normal", "Viral Pneumonia"];
    let films: Vec<String> = classes
        .iter()
        .flat_map(|class| (1..=4).map(move |number| format!("covid/{class}/images/{class}-{number}.png")))
        .collect();
    let directory = images(&films.iter().map(String::as_str).collect::<Vec<_>>());
    let prepare = ["data", "prepare", "covid", "covid", "-o", "covid.csv", "-q"];
    assert!(medclip(&prepare).current_dir(directory.path()).output().unwrap().status.success());
    directory
}

fn run(directory: &TempDir, arguments: &[&str]) -> Output {
    let mut command = medclip(&["eval", "benchmark"]);
    command.args(arguments).args(["--images", "covid", "--model", bundle().to_str().unwrap()]);
    command.args(["--resamples", "50"]).current_dir(directory.path()).output().unwrap()
}

#[test]
fn a_prepared_copy_gives_accuracy_and_auroc() {
    let directory = covid();
    let arguments = ["covid", "covid.csv", "--films-per-class", "3", "--seed", "7"];
    let output = run(&directory, &[&arguments[..], &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((found["benchmark"].as_str(), found["images"].as_u64()), (Some("covid"), Some(6)));
    assert_eq!(found["drawn"]["available"], serde_json::json!([["COVID-19", 4], ["Normal", 4]]));
    assert_eq!(found["prompts"]["draws"]["seeds"], serde_json::json!([7, 8, 9, 10, 11]));
    let matrix: Vec<Vec<u64>> = serde_json::from_value(found["confusion"].clone()).unwrap();
    assert!(matrix.iter().all(|row| row.iter().sum::<u64>() == 15), "three films in five draws: {matrix:?}");
    let accuracy = found["accuracy"]["estimate"].as_f64().unwrap();
    assert!((accuracy - (matrix[0][0] + matrix[1][1]) as f64 / 30.0).abs() < 1e-12);
    assert!(
        found["auroc"]["estimate"].as_f64().is_some() && found["accuracy"]["deviation"].as_f64().is_some()
    );

    let sheet = text(&run(&directory, &arguments).stdout);
    for expected in [
        "tiny: 6 images of 6 patients, COVID of the MedCLIP paper; 95 % intervals from",
        "3 films of each class, drawn from your copy of COVID-19 Radiography with seed 7 (train 6).",
        "Prompts of medclip, pooled by mean: 5 draws of 10 sentences a class side (seeds 7, 8, 9, 10, 11).",
        "| COVID-19 |",
        "These figures hold only for a model that was not trained on these films.",
    ] {
        assert!(sheet.contains(expected), "{expected}: {sheet}");
    }
}

#[test]
fn a_copy_that_lacks_films_or_is_of_another_data_set_is_refused() {
    let directory = covid();
    for (arguments, expected) in [
        (
            &["covid", "covid.csv"][..],
            "COVID needs 1500 films of each class, and covid.csv has COVID-19 4, Normal 4",
        ),
        (
            &["chexpert-5x200", "covid.csv"],
            "drawn from CheXpert, and no such film of covid.csv has the source `chexpert`",
        ),
        (
            &["rsna", "covid.csv"],
            "RSNA is drawn from RSNA Pneumonia, and no such film of covid.csv has the source `rsna`",
        ),
        (&["nih", "covid.csv"], "[possible values: chexpert-5x200, mimic-5x200, rsna, covid]"),
    ] {
        let output = run(&directory, arguments);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(expected), "{message}");
    }
    let prompts = "[[class]]\nname = \"Pneumonia\"\npositive.sentences = [\"large\"]\nnegative.sentences = [\"clear\"]\n";
    fs::write(directory.path().join("prompts.toml"), prompts).unwrap();
    let output =
        run(&directory, &["covid", "covid.csv", "--films-per-class", "2", "--prompts", "prompts.toml"]);
    let message = text(&output.stderr);
    assert!(message.contains("the file has no class `COVID-19`"), "{message}");
}
