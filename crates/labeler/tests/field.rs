//! Sentences as they arrive: dictated, abbreviated, misspelt, from templates. All texts are invented.
//!
//! `field/own.csv` was written before the rules that read it. `field/relatives.csv` holds relatives of every kind, written after.

#[path = "field/table.rs"]
mod table;

use medclip_labeler::Labeler;

/// Least share of rows that must be right.
const LEAST: f64 = 0.85;

#[test]
fn most_sentences_from_the_field_are_right() {
    let rows = table::rows(&include_bytes!("field/own.csv")[..]).unwrap();
    assert!(rows.len() >= 110);
    let labeler = Labeler::new();
    let mut wrong = Vec::new();
    let mut denied = Vec::new();
    for row in &rows {
        let labels = labeler.report(&row.text).labels;
        let faults = row.faults(&labels);
        if !faults.is_empty() {
            wrong.push(format!("[{}] {:?}: {}", row.kind, row.text, faults.join(", ")));
        }
        if !row.denied_but_present(&labels).is_empty() {
            denied.push(row.text.as_str());
        }
    }
    let right = rows.len() - wrong.len();
    #[expect(clippy::cast_precision_loss, reason = "a few hundred rows")]
    let share = right as f64 / rows.len() as f64;
    assert!(share >= LEAST, "{right} of {} right:\n{}", rows.len(), wrong.join("\n"));
    assert!(denied.is_empty(), "denied, but present: {denied:?}");
}

#[test]
fn relatives_of_every_kind_are_right() {
    let labeler = Labeler::new();
    let mut wrong = Vec::new();
    for row in table::rows(&include_bytes!("field/relatives.csv")[..]).unwrap() {
        let faults = row.faults(&labeler.report(&row.text).labels);
        if !faults.is_empty() {
            wrong.push(format!("[{}] {:?}: {}", row.kind, row.text, faults.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
