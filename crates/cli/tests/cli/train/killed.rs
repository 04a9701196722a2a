//! A run that is killed again and again ends where an undisturbed one does.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use medclip_export::Weights;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::{kill, logged, setting, train, wait_until};
use crate::setting::{medclip, text};

/// A run that has all of it: averaged weights, batches in pieces and together, a checkpoint a step, early stopping.
const EPOCHS: &str = "epochs = 5\nema_decay = 0.9\ncheckpoint_every = 1\nmicro_batch = 3\naccumulate = 2\n\
                      early_stop = { patience = 4, min_delta = 1e-3 }";
/// What is compared of the last checkpoint.
const STATE: [&str; 4] =
    ["parameters.safetensors", "weights.safetensors", "optimizer.safetensors", "state.json"];

/// When a run is killed, and how long after that.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// From its start on: while it reads data, resumes, or does anything else.
    Anywhere,
    /// After so many further steps.
    Steps(usize),
    /// While a checkpoint is written.
    Saving,
    /// After the last step of an epoch: in the evaluation, or while the best model is written.
    Evaluating,
    /// While the best model is written.
    SavingBest,
}

impl Moment {
    fn random(rng: &mut ChaCha8Rng) -> (Self, Duration) {
        let (moment, longest) = match rng.random_range(0..5) {
            0 => (Self::Anywhere, 1500),
            1 => (Self::Steps(rng.random_range(1..6)), 20),
            2 => (Self::Saving, 40),
            3 => (Self::Evaluating, 60),
            _ => (Self::SavingBest, 40),
        };
        (moment, Duration::from_millis(rng.random_range(0..=longest)))
    }

    /// Whether it has come for a run that logged `before` steps before it was started again.
    fn has_come(self, directory: &Path, output: &str, before: usize) -> bool {
        let steps = logged(directory, output, "step");
        let since = &steps[before..];
        let output = directory.join(output);
        match self {
            Self::Anywhere => true,
            Self::Steps(count) => since.len() >= count,
            Self::Saving => !since.is_empty() && is_writing(&output.join("checkpoints")),
            Self::Evaluating => since.iter().any(|step| step["step"] == 3),
            Self::SavingBest => !since.is_empty() && is_writing(&output),
        }
    }
}

fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}

/// Whether a directory is staged here, and no file.
fn is_writing(parent: &Path) -> bool {
    names(parent).iter().any(|name| name.ends_with(".partial") && parent.join(name).join("new").is_dir())
}

/// Whatever has its name is whole.
fn assert_whole(output: &Path) {
    let checkpoints = output.join("checkpoints");
    let states = names(&checkpoints).into_iter().map(|name| checkpoints.join(name));
    let is_in_place = |path: &Path| path.exists() && !path.to_str().unwrap().ends_with(".partial");
    for directory in states.filter(|path| is_in_place(path)) {
        for file in STATE.iter().filter(|file| file.ends_with(".safetensors")) {
            let path = directory.join(file);
            Weights::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        let state = fs::read_to_string(directory.join("state.json")).unwrap();
        serde_json::from_str::<Value>(&state).unwrap();
    }
    let best = output.join("best");
    if best.exists() {
        Weights::open(best.join("weights.safetensors")).unwrap();
        let metrics = fs::read_to_string(best.join("metrics.json")).unwrap();
        serde_json::from_str::<Value>(&metrics).unwrap();
    }
}

/// Both ended with the same bytes and left nothing else.
fn assert_same(directory: &Path, killed: &str) {
    let last = |output: &str, file: &str| {
        let checkpoints = directory.join(output).join("checkpoints");
        let names = names(&checkpoints);
        assert_eq!(names.len(), 1, "{names:?}");
        fs::read(checkpoints.join(&names[0]).join(file)).unwrap()
    };
    for file in STATE {
        assert!(last("whole", file) == last(killed, file), "{killed}: {file} differs");
    }
    for file in ["weights.safetensors", "metrics.json"] {
        let best = |output: &str| fs::read(directory.join(output).join("best").join(file)).unwrap();
        assert!(best("whole") == best(killed), "{killed}: the best {file} differs");
    }
    let mut left = names(&directory.join(killed));
    left.sort();
    assert_eq!(left, ["best", "checkpoints", "inputs.json", "lock", "log.jsonl", "report.html"]);
    assert_eq!(steps_of_report(directory, killed), steps_of_report(directory, "whole"));
}

/// Steps that the report counts, each once.
fn steps_of_report(directory: &Path, output: &str) -> String {
    let path = directory.join(output).join("report.html");
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.contains("macro-AUROC") && page.contains("label_temperature = 0.1"));
    let again = medclip(&["runs", "report", output]).current_dir(directory).output().unwrap();
    assert_eq!(text(&again.stdout), format!("{output}/report.html\n"));
    assert!(fs::read_to_string(path).unwrap() == page, "written again, it is the same");
    let (_, rest) = page.split_once("<dt>Steps</dt><dd>").unwrap();
    rest.split("</dd>").next().unwrap().to_owned()
}

/// Kills runs until `kills` kills were in time, a new run beginning whenever one has come to its end; returns how many
/// left a checkpoint or a best model half written.
fn kill_at_random(kills: usize, seed: u64) -> [usize; 2] {
    let directory = setting(40, EPOCHS);
    let directory = directory.path();
    assert!(train(directory, "whole").status().unwrap().success());

    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut killed, mut run, mut torn) = (0, 0, [0, 0]);
    while killed < kills {
        let output = format!("killed-{run}");
        let (moment, delay) = Moment::random(&mut rng);
        let before = logged(directory, &output, "step").len();
        let mut child = train(directory, &output).spawn().unwrap();
        let in_time = wait_until(&mut child, || moment.has_come(directory, &output, before)) && {
            sleep(delay);
            kill(&mut child)
        };
        assert_whole(&directory.join(&output));
        if in_time {
            killed += 1;
            let root = directory.join(&output);
            for (count, parent) in torn.iter_mut().zip([root.join("checkpoints"), root]) {
                *count += usize::from(is_writing(&parent));
            }
        } else {
            assert!(child.wait().unwrap().success(), "{moment:?} {delay:?}: the run failed");
            assert_same(directory, &output);
            run += 1;
        }
    }
    let output = format!("killed-{run}");
    assert!(train(directory, &output).status().unwrap().success());
    assert_same(directory, &output);
    torn
}

#[test]
fn a_killed_run_goes_on_to_the_same_weights() {
    kill_at_random(6, 1);
}

/// `cargo test -p medclip-cli --features train --test cli twenty_kills -- --ignored`
#[test]
#[ignore = "a minute; the six kills above are of the same kind"]
fn twenty_kills() {
    let torn = kill_at_random(20, 2);
    assert!(torn.iter().all(|count| *count > 0), "no kill came while each was written: {torn:?}");
}
