//! `medclip eval prompt-tuning` and `medclip fit prompts`, and `medclip score` with what was kept.

use std::fs;

use medclip_core::architecture::TextPooling;
use medclip_tests::{random_checkpoint, tiny_config};

use super::names;
use super::tuning::{assert_ranks_as, films, refusal, report, scored, tune};
use crate::setting::{bundle, medclip, text};

const EVAL: [&str; 2] = ["eval", "prompt-tuning"];
const FIT: [&str; 2] = ["fit", "prompts"];

#[test]
fn a_saved_head_scores_what_was_evaluated_and_repeats() {
    let directory = films();
    let at = directory.path();
    let model = bundle().to_str().unwrap();
    let tuned = |file: &str, more: &[&str]| {
        let settings = ["--prompts", "prompts.toml", "--epochs", "4", "--output", file, "--model", model];
        report(at, FIT, &[&settings[..], more].concat())
    };
    for sharing in [&[][..], &["--per-finding"][..]] {
        let file = format!("head{}.safetensors", sharing.len());
        let found = tuned(&file, sharing);
        let whole = &found["shares"][0];
        assert_eq!(whole["losses"].as_array().unwrap().len(), 4);
        assert_eq!(names(&whole["findings"]).len() + names(&whole["not_fitted"]).len(), 14);
        let (records, scores) = scored(at, bundle(), &file);
        assert_ranks_as(whole, &records, &scores);
        assert_eq!(tuned(&format!("again-{file}"), sharing), found);
        assert_eq!(fs::read(at.join(&file)).unwrap(), fs::read(at.join(format!("again-{file}"))).unwrap());
    }
    let table = text(&tune(at, EVAL, &["--epochs", "1", "--fraction", "0.5"]).stdout);
    assert!(table.contains("Fitted on 24 images of 24 patients"), "{table}");
}

#[test]
fn what_prompt_tuning_refuses() {
    let directory = films();
    let at = directory.path();
    fs::write(at.join("head.safetensors"), b"").unwrap();
    random_checkpoint(&at.join("other"), &tiny_config(TextPooling::Masked), 2);
    let exported = medclip(&["export", "other", "-o", "other-bundle", "--prompts", "prompts.toml"])
        .current_dir(at)
        .output()
        .unwrap();
    assert_eq!(exported.status.code(), Some(0), "{}", text(&exported.stderr));
    let model = bundle().to_str().unwrap();
    for (arguments, reason) in [
        (&["--split", "train"][..], "patient group `phantom:5-0`"),
        (&["--vectors", "0"], "vectors: must be at least 1"),
        (&["--vectors", "60"], "vectors: 60 and a prompt of"),
        (&["--prompts", "nowhere.toml"], "cannot use prompts nowhere.toml"),
    ] {
        let message = refusal(at, EVAL, arguments);
        assert!(message.contains(reason), "{arguments:?}: {message}");
    }
    for (arguments, reason) in [
        (&["-o", "head.safetensors", "--model", model][..], "head.safetensors already exists; --replace"),
        (
            &["-o", "new.safetensors", "--model", "other-bundle"],
            "other-bundle is not a bundle of this checkpoint: it embeds films/images/",
        ),
    ] {
        let message = refusal(at, FIT, arguments);
        assert!(message.contains(reason), "{arguments:?}: {message}");
    }
    assert!(!at.join("new.safetensors").exists());
}
