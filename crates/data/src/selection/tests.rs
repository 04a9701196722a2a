//! What selections admit, share out and refuse.

use super::*;
use crate::fixture::{Row, records};

#[test]
fn views_folds_and_sources_combine() {
    let rows = records(&[
        Row { view: "PA", fold: "0", ..Row::new("a", "1") },
        Row { view: "Lateral", fold: "0", ..Row::new("b", "2") },
        Row { view: "", fold: "1", ..Row::new("c", "3") },
        Row { view: "Frontal", fold: "1", source: "other", ..Row::new("d", "4") },
        Row { view: "AP", fold: "2", ..Row::new("e", "5") },
    ]);
    let all = Selection::default();
    let views = |views: &[&str]| Selection {
        views: views.iter().map(ToString::to_string).collect(),
        ..Selection::default()
    };
    let cases = [
        (all.clone(), vec![0, 1, 2, 3, 4]),
        (views(&["frontal"]), vec![0, 3, 4]),
        (views(&["pa", "unknown"]), vec![0, 2]),
        (Selection { sources: vec!["other".into()], ..all.clone() }, vec![3]),
        (Selection { exclude_folds: vec![0], ..all.clone() }, vec![2, 3, 4]),
        (Selection { only_folds: vec![0, 2], ..views(&["frontal"]) }, vec![0, 4]),
    ];
    for (selection, expected) in cases {
        assert_eq!(selection.indices("x", &rows).unwrap(), expected, "{selection:?}");
    }
}

#[test]
fn refuses_the_empty_and_the_misspelt() {
    let rows = records(&[Row::new("a", "1")]);
    let empty = Selection { splits: vec![Split::Test], ..Selection::default() };
    assert_eq!(empty.indices("final", &rows).unwrap_err().to_string(), "selection `final` admits no image");
    let misspelt = Selection { sources: vec!["open-i".into()], ..Selection::default() };
    assert!(matches!(misspelt.indices("train", &rows), Err(SelectionError::UnknownSource { .. })));
}

#[test]
fn shares_are_nested_and_counted_in_groups() {
    let names: Vec<String> = (0..40).map(|group| format!("g{}", group % 20)).collect();
    let share = |fraction, seed| {
        let selection = Selection { fraction, ..Selection::default() };
        selection.share(names.iter().map(String::as_str), seed)
    };
    let mut larger = share(None, 3);
    assert_eq!(larger.len(), 20);
    for (fraction, expected) in [(1.0, 20), (0.5, 10), (0.12, 3), (0.1, 2), (0.001, 1)] {
        let kept = share(Some(fraction), 3);
        assert_eq!(kept.len(), expected, "{fraction}");
        assert!(kept.is_subset(&larger), "{fraction}");
        larger = kept;
    }
    assert_ne!(share(Some(0.5), 3), share(Some(0.5), 4));
}

#[test]
fn refuses_a_fraction_that_is_no_share() {
    let rows = records(&[Row::new("a", "1")]);
    for fraction in [0.0, -0.1, 1.5, f64::NAN] {
        let error = Selection { fraction: Some(fraction), ..Selection::default() }.indices("train", &rows);
        assert_eq!(
            error.unwrap_err().to_string(),
            format!("selection `train`: fraction must be above 0 and at most 1, not {fraction}")
        );
    }
}

#[test]
fn a_patient_on_both_sides_is_named() {
    let train = records(&[Row::new("a", "1"), Row::new("b", "2")]);
    let eval = records(&[Row::new("c", "3"), Row::new("d", "2")]);
    let error = check_disjoint(&train, "val", &eval).unwrap_err();
    assert_eq!(error.to_string(), "patient group `2` is in the training selection and in evaluation `val`");
    assert_eq!(
        error.unnamed(),
        "the patient group of row 2 (line 3) is in the training selection and, with row 2 (line 3), in evaluation `val`"
    );
    assert_eq!(check_disjoint(&train, "val", &eval[..1]), Ok(()));
}
