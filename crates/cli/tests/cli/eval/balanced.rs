//! `medclip eval zero-shot --balanced`.

use std::fs;

use serde_json::Value;

use super::{eval, names, phantoms, refusal, report};
use crate::setting::text;

const CLASSES: [&str; 4] = ["--class", "Cardiomegaly", "--class", "Pleural Effusion"];

fn confusion(report: &Value) -> Vec<Vec<u64>> {
    serde_json::from_value(report["balanced"]["confusion"].clone()).unwrap()
}

#[test]
fn one_of_two_findings_is_chosen_for_equally_many_films_of_each() {
    let directory = phantoms(60);
    let at = directory.path();
    let found = report(at, "zero-shot", &[&CLASSES[..], &["--balanced", "4"]].concat());
    let balanced = &found["balanced"];
    assert_eq!((balanced["per_class"].as_u64(), balanced["chance"].as_f64()), (Some(4), Some(0.5)));
    assert_eq!(names(&balanced["classes"]), ["Cardiomegaly", "Pleural Effusion"]);
    let matrix = confusion(&found);
    assert!(matrix.iter().all(|row| row.iter().sum::<u64>() == 4), "{matrix:?}");
    let accuracy = &balanced["accuracy"];
    assert_eq!(accuracy["estimate"].as_f64(), Some((matrix[0][0] + matrix[1][1]) as f64 / 8.0));
    assert!(accuracy["low"].as_f64() <= accuracy["estimate"].as_f64());
    let recall = balanced["classes"][1]["recall"]["estimate"].as_f64();
    assert_eq!(recall, Some(matrix[1][1] as f64 / 4.0));

    let mut plain = found.clone();
    plain.as_object_mut().unwrap().remove("balanced");
    assert_eq!(plain, report(at, "zero-shot", &[]), "the rest is as without");

    // The same films and the same choices, whatever the order of the classes.
    let [first, second] = [&CLASSES[..2], &CLASSES[2..]];
    let turned = report(at, "zero-shot", &[second, first, &["--balanced", "4"]].concat());
    let transposed: Vec<Vec<u64>> =
        matrix.iter().rev().map(|row| row.iter().rev().copied().collect()).collect();
    assert_eq!(confusion(&turned), transposed);
}

#[test]
fn the_rarest_class_and_the_draws_are_told() {
    let directory = phantoms(60);
    let at = directory.path();
    let many = [&CLASSES[..], &["--balanced", "1000", "--draws", "2", "--per-class", "1"]].concat();
    let found = report(at, "zero-shot", &many);
    let classes = found["balanced"]["classes"].as_array().unwrap();
    let fewest = classes.iter().map(|class| class["available"].as_u64().unwrap()).min();
    assert_eq!(found["balanced"]["per_class"].as_u64(), fewest);
    let matrix = confusion(&found);
    assert!(matrix.iter().all(|row| Some(row.iter().sum::<u64>() / 2) == fewest), "both draws: {matrix:?}");
    let accuracy = &found["balanced"]["accuracy"];
    let members: Vec<f64> = serde_json::from_value(accuracy["members"].clone()).unwrap();
    assert_eq!(members.len(), 2);
    assert!((accuracy["estimate"].as_f64().unwrap() - f64::midpoint(members[0], members[1])).abs() < 1e-12);
    let table = text(&eval(at, "zero-shot", &many).stdout);
    for expected in
        ["1000 were asked for; there are: Cardiomegaly ", "| films, mean over draws: actual \\ chosen |"]
    {
        assert!(table.contains(expected), "{expected}: {table}");
    }
}

#[test]
fn what_cannot_be_balanced_is_refused() {
    let directory = phantoms(30);
    let refused = |arguments: &[&str]| refusal(directory.path(), "zero-shot", arguments);
    let one = refused(&["--balanced", "5", "--class", "Edema"]);
    assert!(one.contains("--balanced: at least two classes are needed, got Edema"), "{one}");
    let prompts = refused(&["--balanced", "1", "--class", "Cardiomegaly", "--class", "Edema"]);
    assert!(prompts.contains("--balanced: no prompts of Edema"), "{prompts}");
    let sides = "positive.sentences = [\"large\"]\nnegative.sentences = [\"clear\"]\n";
    let classes = ["Cardiomegaly", "Edema"].map(|name| format!("[[class]]\nname = \"{name}\"\n{sides}"));
    fs::write(directory.path().join("edema.toml"), classes.concat()).unwrap();
    let edema = ["--class", "Cardiomegaly", "--class", "Edema", "--prompts", "edema.toml"];
    let films = refused(&[&edema[..], &["--balanced", "1"]].concat());
    assert!(films.contains("--balanced: no image has Edema and none of the other classes"), "{films}");
    let without = eval(directory.path(), "zero-shot", &["--class", "Edema"]);
    assert_eq!(without.status.code(), Some(2));
    assert!(text(&without.stderr).contains("--balanced"));
}
