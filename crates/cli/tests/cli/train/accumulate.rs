//! Several batches a step.

use super::{logged, setting, train};

#[test]
fn a_step_takes_several_batches_and_the_schedule_counts_steps() {
    // 16 images to train on are 4 batches: one step of 3, and what is left is dropped.
    let directory = setting(20, "epochs = 4\naccumulate = 3\nloader_threads = 2");
    let directory = directory.path();
    let rate = ["--set", "schedule={ warmup = 0.5, decay = \"linear\" }", "--set", "learning_rate=1e-3"];
    assert!(train(directory, "run").args(rate).status().unwrap().success());
    let steps = logged(directory, "run", "step");
    let places: Vec<_> = steps.iter().map(|step| (&step["epoch"], &step["step"])).collect();
    assert_eq!(places, [0, 1, 2, 3].map(|epoch| (epoch.into(), 0.into())).each_ref().map(|(e, s)| (e, s)));
    let rates: Vec<f64> = steps.iter().map(|step| step["learning_rate"].as_f64().unwrap()).collect();
    assert_eq!(rates, [0.5e-3, 1e-3, 1e-3, 0.5e-3]);
}
