//! Two trainings on one output.

use std::process::Stdio;

use super::{logged, setting, train, training_file, wait_until};
use crate::setting::text;

#[test]
fn a_second_training_on_the_same_output_is_refused_and_costs_the_first_nothing() {
    let directory = setting(20, "epochs = 3\ncheckpoint_every = 1");
    let directory = directory.path();
    let mut first = train(directory, "run").spawn().unwrap();
    assert!(wait_until(&mut first, || !logged(directory, "run", "step").is_empty()));
    let second = train(directory, "run").stderr(Stdio::piped()).output().unwrap();
    let said = text(&second.stderr);
    assert_eq!(second.status.code(), Some(2), "{said}");
    let holder = format!("run/lock is in use by process {} of ", first.id());
    assert!(said.contains("another training is at work") && said.contains(&holder), "{said}");
    assert!(first.wait().unwrap().success());
    let again = train(directory, "run").stderr(Stdio::piped()).output().unwrap();
    assert!(again.status.success(), "{}", text(&again.stderr));
    let steps = logged(directory, "run", "step");
    let mut places: Vec<_> =
        steps.iter().map(|step| (step["epoch"].as_u64(), step["step"].as_u64())).collect();
    places.dedup();
    assert!(places.is_sorted() && places.len() == steps.len(), "each step is logged once: {places:?}");
}

#[test]
fn a_training_that_does_not_begin_leaves_no_directory() {
    let directory = tempfile::tempdir().unwrap();
    training_file(directory.path(), "epochs = 3");
    let refused = train(directory.path(), "run").output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(!directory.path().join("run").exists());
}
