//! `medclip train`, stopped at any moment.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::setting::{medclip, text};

/// A run that has all of it: frozen parts, averaged weights, augmentation, checkpoints between epochs.
const EPOCHS: &str = "epochs = 3\nema_decay = 0.9\ncheckpoint_every = 2";

/// Writes `train.toml`, the demo made as small as it goes, for the phantoms in `phantoms`; `epochs` is its line of that
/// name, with whatever settings go beside it.
pub(crate) fn training_file(directory: &Path, epochs: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let demo = fs::read_to_string(root.join("training/phantom-demo.toml")).unwrap();
    let demo = demo
        .replace("/tmp/phantoms", "phantoms")
        .replace("\"models/", &format!("\"{}/models/", root.display()))
        .replace("size = 96", "size = 32")
        .replace("epochs = 8", epochs)
        .replace("images = 16", "images = 4")
        .replace("sentences = 32", "sentences = 6");
    fs::write(directory.join("train.toml"), demo).unwrap();
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

/// Steps the log holds by now, those of repeated parts counted again.
fn logged_steps(directory: &Path, output: &str) -> usize {
    let log = fs::read_to_string(directory.join(output).join("log.jsonl")).unwrap_or_default();
    log.lines().filter(|line| line.contains("\"event\":\"step\"")).count()
}

/// Kills `child` once it has taken `steps` steps more; false when it came to its end first.
fn kill_after(child: &mut Child, directory: &Path, output: &str, steps: usize) -> bool {
    let before = logged_steps(directory, output);
    let start = Instant::now();
    while logged_steps(directory, output) < before + steps {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(start.elapsed() < Duration::from_mins(2), "training stands still");
        sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

#[test]
fn a_killed_run_goes_on_to_the_same_weights() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let phantoms = medclip(&["phantom", "phantoms", "--count", "40", "--size", "48", "--seed", "5"])
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(phantoms.status.success(), "{}", text(&phantoms.stderr));
    training_file(directory, EPOCHS);
    assert!(train(directory, "whole").status().unwrap().success());

    let mut kills = 0;
    for steps in [1, 2, 3, 1, 4, 5, 2, 3] {
        let mut child = train(directory, "killed").spawn().unwrap();
        kills += usize::from(kill_after(&mut child, directory, "killed", steps));
    }
    assert!(kills >= 5, "only {kills} kills came in time");
    assert!(train(directory, "killed").status().unwrap().success());

    for file in ["parameters.safetensors", "weights.safetensors", "optimizer.safetensors", "state.json"] {
        let last = |output: &str| {
            let checkpoints = directory.join(output).join("checkpoints");
            let mut names: Vec<_> =
                fs::read_dir(&checkpoints).unwrap().map(|entry| entry.unwrap().path()).collect();
            names.sort();
            assert_eq!(names.len(), 1, "{names:?}");
            fs::read(names[0].join(file)).unwrap()
        };
        assert!(last("whole") == last("killed"), "{file} differs");
    }
    let best = |output: &str| fs::read(directory.join(output).join("best/weights.safetensors")).unwrap();
    assert!(best("whole") == best("killed"), "the best weights differ");

    let page = |output: &str| fs::read_to_string(directory.join(output).join("report.html")).unwrap();
    let steps = |output: &str| {
        let page = page(output);
        let (_, rest) = page.split_once("<dt>Steps</dt><dd>").unwrap();
        rest.split("</dd>").next().unwrap().to_owned()
    };
    assert!(logged_steps(directory, "killed") > logged_steps(directory, "whole"), "no step was repeated");
    let counted = format!("{} of ", logged_steps(directory, "whole"));
    assert!(steps("whole").starts_with(&counted), "{} {counted}", steps("whole"));
    assert_eq!(steps("killed"), steps("whole"), "repeated steps count once");
    let written = page("killed");
    assert!(written.contains("macro-AUROC") && written.contains("label_temperature = 0.1"));
    let again = medclip(&["eval", "report", "killed"]).current_dir(directory).output().unwrap();
    assert_eq!(text(&again.stdout), "killed/report.html\n");
    assert!(page("killed") == written, "written again, it is the same");
}

#[test]
fn settings_from_the_command_line_replace_those_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    training_file(directory.path(), EPOCHS);
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
