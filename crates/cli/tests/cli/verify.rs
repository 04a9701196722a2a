//! `medclip verify`.

use serde_json::Value;

use crate::setting::{bundle, medclip, text};

#[test]
fn one_engine_alone_has_nothing_to_be_compared_with() {
    let output = medclip(&["verify", bundle().to_str().unwrap(), "--engine", "tract"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(text(&output.stderr).contains("nothing to compare"), "{}", text(&output.stderr));
}

#[test]
fn engines_agree_where_two_run() {
    let twice = ["verify", bundle().to_str().unwrap(), "--engine", "tract", "--engine", "tract"];
    let output = medclip(&twice).args(["--format", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["model"], &report["reference"]), (&"tiny".into(), &"tract".into()));
    let batches: Vec<_> = report["results"].as_array().unwrap().iter().map(|each| &each["batch"]).collect();
    assert_eq!(batches, [1, 3, 8]);
    assert!(report["self_tests"][0]["text"].as_f64().unwrap() > 0.999_999);
    assert!(!bundle().join("parity.json").exists(), "engines alone certify nothing");
}

#[cfg(feature = "train")]
mod against {
    use std::fs;

    use medclip_core::ModelConfig;
    use medclip_tests::{PROMPTS, random_checkpoint, tiny_published_configs};

    use medclip_runtime::Bundle;
    use serde_json::Value;

    use super::{medclip, text};

    #[test]
    fn the_weights_of_a_bundle_agree_and_others_do_not() {
        for config in &tiny_published_configs() {
            check(config);
        }
    }

    fn check(config: &ModelConfig) {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        fs::write(at("prompts.toml"), PROMPTS).unwrap();
        for (name, seed) in [("own", 1), ("other", 2)] {
            fs::create_dir(at(name)).unwrap();
            random_checkpoint(at(name).as_ref(), config, seed);
        }
        let output =
            medclip(&["export", &at("own"), &at("bundle"), "--prompts", &at("prompts.toml")]).output();
        assert_eq!(output.as_ref().unwrap().status.code(), Some(0), "{}", text(&output.unwrap().stderr));

        let verify = |weights: &str| {
            medclip(&["verify", &at("bundle"), "--engine", "tract", "--against", &at(weights)])
                .output()
                .unwrap()
        };
        let certificate = directory.path().join("bundle/parity.json");
        let id = || Bundle::open(at("bundle")).unwrap().id().to_owned();
        let before = id();
        let other = verify("other");
        assert_eq!(other.status.code(), Some(1), "{}", text(&other.stderr));
        assert!(text(&other.stdout).contains("PAST THE LIMITS"));
        assert!(!certificate.exists(), "only what is within the limits is certified");

        let own = verify("own");
        assert_eq!(own.status.code(), Some(0), "{}{}", text(&own.stdout), text(&own.stderr));
        assert!(text(&own.stdout).contains("compared with candle, "));
        let found: Value = serde_json::from_slice(&fs::read(&certificate).unwrap()).unwrap();
        assert_eq!((found["bundle"].as_str(), id()), (Some(before.as_str()), before.clone()));
        assert!(found["self_tests"][0]["image"].as_f64().unwrap() > 0.999_999);
        let inspected = medclip(&["inspect", &at("bundle")]).output().unwrap();
        assert!(text(&inspected.stdout).contains("parity.json"), "{}", text(&inspected.stderr));
        // A file alone takes its tokenizer and its settings from the bundle.
        let file = verify("own/weights.safetensors");
        assert_eq!(file.status.code(), Some(0), "{}{}", text(&file.stdout), text(&file.stderr));
        assert_eq!(verify("nowhere").status.code(), Some(2));
    }
}
