//! `medclip eval retrieval`.

use std::fs;

use super::{eval, names, phantoms, refusal, report};
use crate::setting::text;

const CLASSES: [&str; 4] = ["--class", "Cardiomegaly", "--class", "Pleural Effusion"];

#[test]
fn sentences_and_own_reports_are_ranked_by_chance_in_a_random_model() {
    let directory = phantoms(60);
    let found = report(directory.path(), "retrieval", &CLASSES);
    assert_eq!(found, report(directory.path(), "retrieval", &[&CLASSES[..], &["--threads", "3"]].concat()));
    let sentences = &found["sentences"];
    assert_eq!((sentences["pool"].as_str(), sentences["chance"].as_f64()), (Some("reports"), Some(0.5)));
    assert_eq!(names(&sentences["classes"]), ["Cardiomegaly", "Pleural Effusion"]);
    let depths = sentences["mean"].as_array().unwrap();
    assert_eq!(depths.iter().map(|at| at["k"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 5, 10]);

    let own = &found["own_report"];
    assert_eq!(own["queries"].as_u64().unwrap() + own["illegible"].as_u64().unwrap(), 60);
    let recall: Vec<f64> = own["recall"]
        .as_array()
        .unwrap()
        .iter()
        .map(|at| at["recall"]["estimate"].as_f64().unwrap())
        .collect();
    assert!(recall.is_sorted(), "{recall:?}");
    let candidates = own["candidates"].as_f64().unwrap();
    let median = own["median_rank"]["estimate"].as_f64().unwrap();
    assert!(candidates <= 60.0 && (1.0..=candidates).contains(&median));

    let table = text(&eval(directory.path(), "retrieval", &CLASSES).stdout);
    assert!(table.contains("| Cardiomegaly |") && table.contains("| median rank |"), "{table}");
}

#[test]
fn reports_may_come_from_a_file_or_not_at_all() {
    let directory = phantoms(40);
    let with_text = report(directory.path(), "retrieval", &CLASSES);
    let manifest = directory.path().join("films/manifest.csv");
    let mut reader = csv::Reader::from_path(&manifest).unwrap();
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let mut writer = csv::Writer::from_path(&manifest).unwrap();
    for row in std::iter::once(&header).chain(&rows) {
        writer.write_record(row.iter().take(header.len() - 1)).unwrap();
    }
    writer.flush().unwrap();

    let from_file = [&CLASSES[..], &["--reports", "films/reports.csv"]].concat();
    assert_eq!(report(directory.path(), "retrieval", &from_file), with_text);

    let without = report(directory.path(), "retrieval", &CLASSES);
    assert_eq!(without["sentences"]["pool"].as_str(), Some("prompts"));
    assert!(without["own_report"].is_null());
    let refused = |arguments: &[&str]| refusal(directory.path(), "retrieval", arguments);
    assert!(refused(&["--pool", "reports"]).contains("none of the images chosen has a report"));
    fs::write(directory.path().join("bad.csv"), "id,words\n1,a\n").unwrap();
    let message = refused(&["--reports", "bad.csv"]);
    assert!(message.contains("bad.csv") && message.contains("text"), "{message}");
}

#[test]
fn classes_that_cannot_be_retrieved_are_named() {
    let directory = phantoms(40);
    let refused = |arguments: &[&str]| refusal(directory.path(), "retrieval", arguments);
    assert!(refused(&["--class", "Edema"]).contains("at least two classes"));
    let many = refused(&[&CLASSES[..], &["--sentences-per-class", "1000"]].concat());
    assert!(many.contains("1000 sentences") && many.contains("Cardiomegaly ("), "{many}");
    // The tiny model has prompts of two classes; the others cannot be found by prompts.
    let found = report(directory.path(), "retrieval", &["--pool", "prompts"]);
    assert_eq!(names(&found["sentences"]["left_out"]), ["Atelectasis", "Consolidation", "Edema"]);
}
