//! Runs that end before their last epoch.

use super::{kill, logged, setting, train, wait_until};

#[test]
fn it_ends_when_it_would_have_without_interruption() {
    // No AUROC is better than another by 1: of the evaluations only the first is an improvement.
    let directory = setting(20, "epochs = 9\nearly_stop = { patience = 3, min_delta = 1.0 }");
    let directory = directory.path();
    let epochs = |output: &str| -> Vec<u64> {
        let evaluations = logged(directory, output, "evaluation");
        evaluations.iter().map(|line| line["epoch"].as_u64().unwrap()).collect()
    };
    assert!(train(directory, "whole").status().unwrap().success());
    assert_eq!(epochs("whole"), [1, 2, 3, 4]);
    let stops = logged(directory, "whole", "early_stop");
    assert_eq!((stops.len(), &stops[0]["epoch"], &stops[0]["evaluations"]), (1, &4.into(), &3.into()));

    let mut child = train(directory, "killed").spawn().unwrap();
    let in_third_epoch = || logged(directory, "killed", "step").iter().any(|step| step["epoch"] == 2);
    assert!(wait_until(&mut child, in_third_epoch) && kill(&mut child));
    assert!(train(directory, "killed").status().unwrap().success());
    assert_eq!(epochs("killed"), [1, 2, 3, 4]);

    // What has ended only says again how good it is.
    let steps = logged(directory, "killed", "step").len();
    assert!(train(directory, "killed").status().unwrap().success());
    assert_eq!(logged(directory, "killed", "step").len(), steps);
    assert_eq!(epochs("killed"), [1, 2, 3, 4, 4]);
}
