//! `medclip eval finetune` and `medclip fit finetune`, and `medclip score` with what was kept.

use std::fs;

use medclip_core::preprocess::Preprocessor;
use medclip_core::{Head, ModelConfig};
use medclip_decode::Limits;
use medclip_train::reference::ReferenceModel;

use super::names;
use super::tuning::{assert_ranks_as, films, refusal, report, scored, tune};
use crate::setting::{medclip, text};

const EVAL: [&str; 2] = ["eval", "finetune"];
const FIT: [&str; 2] = ["fit", "finetune"];
const KEEP: [&str; 7] = ["--epochs", "2", "--batch", "8", "--prompts", "prompts.toml", "--output"];

#[test]
fn saved_bundle_and_head_score_what_was_evaluated_and_repeat() {
    let directory = films();
    let at = directory.path();
    let found = report(at, FIT, &[&KEEP[..], &["tuned", "--fraction", "0.5", "--fraction", "1"]].concat());
    let [half, whole] = &found["shares"].as_array().unwrap()[..] else { panic!("two shares") };
    assert_eq!([&half["fitted_patients"], &whole["fitted_patients"]], [24, 48]);
    assert_eq!(whole["losses"].as_array().unwrap().len(), 2);
    assert_eq!(names(&whole["findings"]).len() + names(&whole["not_fitted"]).len(), 14);
    assert!(found["saved_difference"].as_f64().unwrap() < 1e-4);

    let (records, scores) = scored(at, &at.join("tuned/bundle"), "tuned/head.safetensors");
    assert_ranks_as(whole, &records, &scores);
    // The checkpoint's own forward pass with the head gives the same numbers.
    let checkpoint = at.join("tuned/checkpoint");
    let model = ReferenceModel::open(&checkpoint).unwrap();
    let config = ModelConfig::open(checkpoint.join("model.toml")).unwrap();
    assert_eq!((config.name.as_str(), &scores[0]["model"]), ("tiny-finetuned", &"tiny-finetuned".into()));
    let preprocessor = Preprocessor::new(config.preprocess).unwrap();
    let head = Head::from_bytes(&fs::read(at.join("tuned/head.safetensors")).unwrap()).unwrap();
    for (record, score) in records.iter().zip(&scores) {
        let image =
            medclip_decode::open(at.join("films").join(&record.path), &Limits::default()).unwrap().image;
        let embeddings = model.embed_images(&preprocessor.batch(&[image]).unwrap()).unwrap();
        for (expected, found) in
            head.scores(embeddings.row(0)).iter().zip(score["findings"].as_array().unwrap())
        {
            assert!((f64::from(expected.logit) - found["logit"].as_f64().unwrap()).abs() < 1e-4);
        }
    }

    let again = report(at, FIT, &[&KEEP[..], &["again"]].concat());
    assert_eq!(&again["shares"][0], whole);
    for file in ["checkpoint/weights.safetensors", "bundle/SHA256SUMS", "head.safetensors"] {
        let read = |name: &str| fs::read(at.join(name).join(file)).unwrap();
        assert!(read("tuned") == read("again"), "{file} differs");
    }
    let table = text(&tune(at, EVAL, &["--epochs", "1", "--seed", "1"]).stdout);
    assert!(
        table.contains("Fitted on 48 images of 48 patients") && table.contains("\nLoss by epoch: "),
        "{table}"
    );
}

#[test]
fn what_a_fine_tune_refuses() {
    let directory = films();
    let at = directory.path();
    let refused = |arguments: &[&str]| refusal(at, EVAL, arguments);
    fs::create_dir(at.join("tuned")).unwrap();
    fs::write(at.join("tuned/notes.txt"), "of the user").unwrap();
    for (arguments, reason) in [
        (&["--split", "train"][..], "patient group `phantom:5-0`"),
        (&["--batch", "0"], "batch: must be at least 1"),
        (&["--freeze-blocks", "99"], "freeze_blocks: the image tower has"),
        (&["--least", "40"], "no finding has 40 images of both outcomes"),
        (&["--images", "nowhere"], "none of 48 images could be read"),
    ] {
        let message = refused(arguments);
        assert!(message.contains(reason), "{arguments:?}: {message}");
    }
    for (arguments, reason) in [
        (&["--output", "other"][..], "--prompts"),
        (&["--prompts", "prompts.toml"], "--output"),
        (&["-o", "tuned", "--prompts", "prompts.toml"], "tuned already exists; --replace replaces it"),
        (&["-o", "tuned", "--replace", "--prompts", "prompts.toml"], "a fine-tuned model"),
        (&["-o", "other", "--prompts", "nowhere.toml"], "nowhere.toml"),
    ] {
        let message = refusal(at, FIT, arguments);
        assert!(message.contains(reason), "{arguments:?}: {message}");
    }
    assert!(!at.join("other").exists());

    let output =
        medclip(&["eval", "finetune", "films", "films/manifest.csv"]).current_dir(at).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("cannot use the checkpoint: films/model.toml"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_film_that_cannot_be_read_is_named_and_the_rest_is_fitted() {
    let directory = films();
    let at = directory.path();
    fs::write(at.join("films/images/000000.png"), b"nothing").unwrap();
    let output = tune(at, EVAL, &["--epochs", "0", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("000000.png"));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["failed_to_fit"].as_u64().unwrap() + found["failed"].as_u64().unwrap(), 1);
}
