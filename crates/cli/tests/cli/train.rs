//! `medclip train`: stopped at any moment, ended early, refused.

#[path = "train/accumulate.rs"]
mod accumulate;
#[path = "train/early_stop.rs"]
mod early_stop;
#[path = "train/killed.rs"]
mod killed;
#[path = "train/locked.rs"]
mod locked;
#[path = "train/lost.rs"]
mod lost;
#[path = "train/refused.rs"]
mod refused;
#[path = "train/resumed.rs"]
mod resumed;
#[cfg(unix)]
#[path = "train/stopped.rs"]
mod stopped;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::setting::{medclip, text};

/// Writes `train.toml`, the demo made as small as it goes, for the phantoms in `phantoms`; `epochs` is its line of that
/// name, with whatever settings go beside it.
pub(crate) fn training_file(directory: &Path, epochs: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let demo = fs::read_to_string(root.join("training/phantom-demo.toml")).unwrap();
    let demo = demo
        .replace("/tmp/phantoms", "phantoms")
        .replace("\"models/", &format!("\"{}/models/", root.display()))
        // Few phantoms are not enough to evaluate every finding of the demo.
        .replace(", \"Pleural Effusion\", \"Pneumothorax\"]", "]")
        .replace("size = 96", "size = 32")
        .replace("epochs = 8", epochs)
        .replace("images = 16", "images = 4")
        .replace("sentences = 32", "sentences = 6");
    fs::write(directory.join("train.toml"), demo).unwrap();
}

/// A directory with `count` phantoms and a training file for them.
fn setting(count: usize, epochs: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let count = count.to_string();
    let phantoms = medclip(&["phantom", "-o", "phantoms", "--count", &count, "--size", "48", "--seed", "5"])
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(phantoms.status.success(), "{}", text(&phantoms.stderr));
    training_file(directory.path(), epochs);
    directory
}

fn train(directory: &Path, output: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_medclip"));
    command
        .args(["train", "train.toml", "--output", output])
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// The events of this kind in the log, those of repeated parts counted again; half a line at its end is left out.
fn logged(directory: &Path, output: &str, event: &str) -> Vec<Value> {
    let log = fs::read_to_string(directory.join(output).join("log.jsonl")).unwrap_or_default();
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.filter(|line| line["event"] == event).collect()
}

/// Waits until `is_time`; false when `child` came to its end first.
fn wait_until(child: &mut Child, is_time: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !is_time() {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(start.elapsed() < Duration::from_mins(2), "training stands still");
        sleep(Duration::from_micros(500));
    }
    true
}

/// Ends `child` by SIGKILL; false when it had come to its end before.
fn kill(child: &mut Child) -> bool {
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

#[test]
fn a_run_in_half_precision_follows_the_other_and_is_told_apart_from_it() {
    let directory = setting(20, "epochs = 1");
    let directory = directory.path();
    let half = ["--set", "precision=bf16"];
    assert!(train(directory, "single").status().unwrap().success());
    assert!(train(directory, "half").args(half).status().unwrap().success());
    let losses = |output| -> Vec<f64> {
        logged(directory, output, "step").iter().map(|step| step["loss"].as_f64().unwrap()).collect()
    };
    let (single, half_losses) = (losses("single"), losses("half"));
    assert_eq!(single.len(), half_losses.len());
    for (single, half) in single.iter().zip(&half_losses) {
        assert!(single != half && (single - half).abs() < 0.02 * single, "{single} and {half}");
    }
    assert_eq!(train(directory, "single").args(half).status().unwrap().code(), Some(2));
}

#[test]
fn settings_from_the_command_line_replace_those_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    training_file(directory.path(), "epochs = 3");
    let refused = |set: &str, reason: &str| {
        let output =
            medclip(&["train", "train.toml", "--set", set]).current_dir(directory.path()).output().unwrap();
        let message = text(&output.stderr);
        assert!(output.status.code() == Some(2) && message.contains(reason), "{set}: {message}");
    };
    refused("objective.kind=nothing", "nothing");
    refused("data.sampler.imagse=3", "imagse");
    refused("epochs=0", "epochs");
    refused("epochs", "KEY=VALUE");
    // Everything is in order, but there are no phantoms yet.
    refused("objective={ kind = \"info_nce\" }", "phantoms");
}
