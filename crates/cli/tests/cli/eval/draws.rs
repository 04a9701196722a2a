//! `medclip eval zero-shot` with other prompts, draws of them and another pooling.

use std::fs;

use medclip_tests::PROMPTS;
use serde_json::Value;

use super::{eval, names, phantoms, refusal, report};
use crate::setting::text;

/// Twelve sentences a side of the first class, one a side of the second.
const TEMPLATES: &str = r#"
[[class]]
name = "Cardiomegaly"
positive.templates = [[["mild", "moderate", "severe", ""], ["left", "right", ""], ["cardiomegaly"]]]
negative.templates = [[["no", "no mild", "no severe", "is no"], ["left", "right", ""], ["cardiomegaly"]]]

[[class]]
name = "Pleural Effusion"
positive.sentences = ["There is a pleural effusion."]
negative.sentences = ["The lungs are clear."]

[[class]]
name = "Nothing known"
positive.sentences = ["large"]
negative.sentences = ["clear"]
"#;

fn auroc<'a>(report: &'a Value, finding: &str) -> &'a Value {
    let findings = report["findings"].as_array().unwrap();
    &findings.iter().find(|found| found["name"] == finding).unwrap()["auroc"]
}

#[test]
fn a_draw_is_what_an_ensemble_of_its_seed_gives() {
    let directory = phantoms(40);
    let at = directory.path();
    fs::write(at.join("templates.toml"), TEMPLATES).unwrap();
    let arguments = ["--prompts", "templates.toml", "--draws", "3", "--per-class", "2", "--seed", "7"];
    let drawn = report(at, "zero-shot", &arguments);
    assert_eq!(drawn, report(at, "zero-shot", &[&arguments[..], &["--threads", "3"]].concat()));
    assert_eq!(names(&drawn["findings"]), ["Cardiomegaly", "Pleural Effusion"]);
    assert_eq!(drawn["prompts"]["draws"]["seeds"], serde_json::json!([7, 8, 9]));
    assert_eq!(drawn["prompts"]["draws"]["unvaried"], serde_json::json!(["Pleural Effusion"]));

    let mut values = Vec::new();
    for (place, seed) in [7, 8, 9].into_iter().enumerate() {
        let ensemble = format!("[ensemble]\ndraws = 2\nseed = {seed}\n{TEMPLATES}");
        fs::write(at.join("ensemble.toml"), ensemble).unwrap();
        let once = report(at, "zero-shot", &["--prompts", "ensemble.toml"]);
        assert!(once["prompts"]["draws"].is_null());
        for finding in ["Cardiomegaly", "Pleural Effusion"] {
            assert_eq!(auroc(&once, finding)["estimate"], auroc(&drawn, finding)["members"][place]);
        }
        assert_eq!(once["macro_auroc"]["estimate"], drawn["macro_auroc"]["members"][place]);
        values.push(auroc(&once, "Cardiomegaly")["estimate"].as_f64().unwrap());
    }
    let mean = values.iter().sum::<f64>() / 3.0;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
    let found = auroc(&drawn, "Cardiomegaly");
    assert!((found["estimate"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert!((found["deviation"].as_f64().unwrap() - deviation).abs() < 1e-12);
    assert!(deviation > 0.0, "draws differ");
    assert!(found["low"].as_f64() < found["high"].as_f64());
    assert!(auroc(&drawn, "Pleural Effusion")["deviation"].as_f64().unwrap() < 1e-12, "no draw differs");

    let table = text(&eval(at, "zero-shot", &arguments).stdout);
    let expected = "Prompts of templates.toml, pooled by mean: 3 draws of 2 sentences a class side (seeds 7, 8, 9).\n\
                    With no more than 2, the same in every draw: Pleural Effusion.\n";
    assert!(table.contains(expected) && table.contains("| Cardiomegaly |"), "{table}");
    assert!(table.contains(" ± ") && table.contains("Mean AUROC of each draw: "), "{table}");
}

#[test]
fn the_bundles_prompts_in_a_file_give_the_bundles_figures() {
    let directory = phantoms(30);
    let at = directory.path();
    fs::write(at.join("own.toml"), PROMPTS).unwrap();
    let own = report(at, "zero-shot", &[]);
    let close = |a: &Value, b: &Value| (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 0.01;
    for arguments in [&["--prompts", "own.toml"][..], &["--draws", "1", "--per-class", "10"]] {
        let found = report(at, "zero-shot", arguments);
        for finding in medclip_tests::CLASSES {
            for end in ["estimate", "low", "high"] {
                assert!(close(&auroc(&found, finding)[end], &auroc(&own, finding)[end]), "{arguments:?}");
            }
        }
    }
    let [mean, max] = ["mean", "max"].map(|pooling| report(at, "zero-shot", &["--pooling", pooling]));
    assert_eq!((&mean["findings"], mean["prompts"]["pooling"].as_str()), (&own["findings"], Some("mean")));
    assert_ne!(auroc(&max, "Cardiomegaly"), auroc(&own, "Cardiomegaly"));
}

#[test]
fn prompts_that_cannot_be_used_are_refused() {
    let directory = phantoms(10);
    let at = directory.path();
    fs::write(at.join("other.toml"), "[[class]]\nname = \"Nothing known\"\npositive.sentences = [\"large\"]\nnegative.sentences = [\"clear\"]\n").unwrap();
    for (arguments, expected) in [
        (&["--prompts", "nowhere.toml"][..], "cannot use prompts nowhere.toml"),
        (&["--prompts", "other.toml"], "other.toml: none of its classes is a finding"),
    ] {
        let message = refusal(at, "zero-shot", arguments);
        assert!(message.contains(expected), "{message}");
    }
    for (arguments, expected) in [
        (&["--per-class", "3"][..], "--draws"),
        (&["--draws", "0"], "--draws"),
        (&["--pooling", "median"], "[possible values: mean, max]"),
    ] {
        let output = eval(at, "zero-shot", arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
}
