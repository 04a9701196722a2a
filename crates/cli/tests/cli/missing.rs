//! Commands that this build lacks.

use crate::setting::{medclip, text};

#[test]
fn a_command_of_another_build_says_which_feature_has_it() {
    let mut missing: Vec<(&[&str], &str)> = Vec::new();
    if cfg!(not(feature = "candle-onnx")) {
        missing.push((&["restore"], "candle-onnx"));
    }
    if cfg!(not(feature = "train")) {
        missing
            .extend([&["train"][..], &["export"], &["runs"], &["certify"]].map(|command| (command, "train")));
        let fits = [
            &["eval", "finetune"][..],
            &["eval", "prompt-tuning"],
            &["fit", "finetune"],
            &["fit", "prompts"],
        ];
        missing.extend(fits.map(|command| (command, "train")));
    }
    if cfg!(not(feature = "import")) {
        missing.extend([(&["import"][..], "import"), (&["quantize"], "import")]);
    }
    if cfg!(not(feature = "eval")) {
        missing.extend([(&["eval"][..], "eval"), (&["fit"], "eval")]);
    }
    if cfg!(not(feature = "search")) {
        missing.push((&["index"], "search"));
    }
    for (command, feature) in missing {
        for rest in [&[][..], &["file.toml", "--output", "runs"], &["--help"]] {
            let output = medclip(command).args(rest).output().unwrap();
            let message = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{command:?} {rest:?}: {message}");
            let build = format!("cargo build --release -p medclip-cli --features {feature}`");
            assert!(message.contains(&build) && message.lines().count() == 1, "{message}");
            assert!(output.stdout.is_empty());
        }
    }
}
