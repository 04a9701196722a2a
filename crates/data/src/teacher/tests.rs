//! Labels that scores soften.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::fixture::{self, Row};
use crate::manifest::read_manifest_from;

/// Eight images, of which the first four have oedema; the last is not annotated.
fn records() -> Vec<Record> {
    let row = |index: usize| {
        let mut row = Row::new(&format!("{index}.png"), &format!("p{index}"));
        if index < 7 {
            row.findings = vec![(Finding::Edema, if index < 4 { "1" } else { "0" })];
        }
        row
    };
    read_manifest_from(fixture::manifest(&(0..8).map(row).collect::<Vec<_>>()).as_bytes()).unwrap()
}

fn scores(directory: &TempDir, name: &str, logits: &[(usize, f32)]) -> PathBuf {
    let path = directory.path().join(name);
    let rows = logits.iter().map(|(image, logit)| format!("{image}.png,m,tract,,{logit},0.5\n"));
    let header = "path,model,engine,error,Edema logit,Edema probability\n".to_owned();
    fs::write(&path, std::iter::once(header).chain(rows).collect::<String>()).unwrap();
    path
}

fn labels(records: &[Record]) -> Vec<LabelVector> {
    let policy = crate::label::LabelPolicy::default();
    records.iter().map(|record| policy.vector(&record.annotations, None)).collect()
}

const LOGITS: [f32; 8] = [3.0, 1.0, 2.0, -1.0, 0.5, -2.0, -3.0, 0.0];

#[test]
fn scores_move_labels_towards_their_probability() {
    let directory = TempDir::new().unwrap();
    let all: Vec<_> = LOGITS.into_iter().enumerate().collect();
    let config = |share| TeacherConfig { scores: vec![scores(&directory, "a.csv", &all)], share };
    let records = records();
    let hard = labels(&records);
    assert_eq!(soften(&config(0.0), &records, &hard, true).unwrap(), hard);
    let edema = |vectors: &[LabelVector]| {
        vectors.iter().map(|vector| vector[Finding::Edema.index()]).collect::<Vec<_>>()
    };
    let soft = edema(&soften(&config(1.0), &records, &hard, true).unwrap());
    for (a, b) in [(0, 2), (2, 1), (1, 4), (4, 7), (7, 3), (3, 5), (5, 6)] {
        assert!(soft[a] > soft[b], "in the order of the scores: {soft:?}");
    }
    assert!(soft.iter().all(|entry| (-1.0..=1.0).contains(entry)));
    let half = edema(&soften(&config(0.5), &records, &hard, true).unwrap());
    for ((half, soft), hard) in half.iter().zip(&soft).zip(edema(&hard)) {
        assert!((half - 0.5 * (soft + hard)).abs() < 1e-6);
    }
    let unsigned = edema(&soften(&config(1.0), &records, &hard, false).unwrap());
    assert!(unsigned.iter().zip(&soft).all(|(p, signed)| (2.0 * p - 1.0 - signed).abs() < 1e-6));
    // Of the annotated images as many are present as the probabilities add up to.
    assert!((unsigned[..7].iter().sum::<f32>() - 4.0).abs() < 0.05, "{unsigned:?}");
}

#[test]
fn models_of_any_temperature_and_folds_count_alike() {
    let directory = TempDir::new().unwrap();
    let records = records();
    let hard = labels(&records);
    let soft =
        |scores: Vec<PathBuf>| soften(&TeacherConfig { scores, share: 1.0 }, &records, &hard, true).unwrap();
    let all: Vec<_> = LOGITS.into_iter().enumerate().collect();
    let cold: Vec<_> = all.iter().map(|(image, logit)| (*image, logit * 16.0 - 4.0)).collect();
    let one = soft(vec![scores(&directory, "a.csv", &all)]);
    let both = soft(vec![scores(&directory, "b.csv", &all), scores(&directory, "c.csv", &cold)]);
    for (one, both) in one.iter().zip(&both) {
        assert!((one[Finding::Edema.index()] - both[Finding::Edema.index()]).abs() < 1e-5);
    }
    let (first, second) = all.split_at(3);
    let folds = soft(vec![scores(&directory, "d.csv", first), scores(&directory, "e.csv", second)]);
    assert!(folds.iter().all(|vector| vector[Finding::Edema.index()] != 0.0));
}

#[test]
fn refusals_name_the_file_and_the_image() {
    let directory = TempDir::new().unwrap();
    let records = records();
    let hard = labels(&records);
    let refused = |scores: Vec<PathBuf>, share| {
        let config = TeacherConfig { scores, share };
        let error = config.validate().and_then(|()| soften(&config, &records, &hard, true)).unwrap_err();
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        format!("{error}: {cause}")
    };
    let some = scores(&directory, "some.csv", &[(0, 1.0), (1, -1.0)]);
    assert!(
        refused(vec![some.clone()], 0.5).starts_with("no score for 6 of 8 training images, such as 2.png")
    );
    assert!(refused(vec![some.clone()], 1.5).contains("data.teacher.share"));
    assert!(refused(Vec::new(), 0.5).contains("no file"));
    let text = fs::read_to_string(&some).unwrap();
    fs::write(&some, text.replace(",-1,", ",NaN,")).unwrap();
    let message = refused(vec![some.clone()], 0.5);
    assert!(message.contains("some.csv") && message.contains("`NaN` is not a finite number"), "{message}");
    fs::write(&some, text.replace("Edema", "Oedema")).unwrap();
    assert!(refused(vec![some], 0.5).contains("some.csv: no column"));
}
