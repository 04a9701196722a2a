//! A run that is asked to stop ends after a step and continues to the same weights.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{logged, setting, train, wait_until};
use crate::setting::text;

/// The files of the last checkpoint that decide how a run continues.
const STATE: [&str; 3] = ["parameters.safetensors", "optimizer.safetensors", "state.json"];

fn last_checkpoint(directory: &Path, output: &str) -> Vec<Vec<u8>> {
    let checkpoints = fs::read_dir(directory.join(output).join("checkpoints")).unwrap();
    let [last] = &checkpoints.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()[..] else {
        panic!("one checkpoint is kept")
    };
    STATE.map(|file| fs::read(last.join(file)).unwrap()).to_vec()
}

#[test]
fn an_interrupt_finishes_the_step_at_hand_and_loses_none() {
    let directory = setting(40, "epochs = 4");
    let directory = directory.path();
    assert!(train(directory, "whole").status().unwrap().success());

    let mut child =
        train(directory, "stopped").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(wait_until(&mut child, || logged(directory, "stopped", "step").len() > 2));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("stopping after the step at hand"), "{message}");
    assert!(message.ends_with("stopped; the same command continues the run\n"), "{message}");
    assert!(output.stdout.is_empty(), "evaluations belong to a run that has ended");

    let steps = |output: &str| -> Vec<_> {
        let steps = logged(directory, output, "step");
        steps.iter().map(|step| (step["epoch"].to_string(), step["step"].to_string())).collect()
    };
    assert!(steps("stopped").len() < steps("whole").len());
    assert!(train(directory, "stopped").status().unwrap().success());
    assert_eq!(steps("stopped"), steps("whole"), "no step is made again");
    assert!(last_checkpoint(directory, "stopped") == last_checkpoint(directory, "whole"));
}
