//! `medclip verify` and `medclip certify`.

use serde_json::Value;

use crate::setting::{bundle, medclip, text};

#[test]
fn one_engine_alone_has_nothing_to_be_compared_with() {
    let output =
        medclip(&["verify", "--model", bundle().to_str().unwrap(), "--engine", "tract"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(text(&output.stderr).contains("nothing to compare"), "{}", text(&output.stderr));
}

#[test]
fn engines_agree_where_two_run() {
    let twice = ["verify", "--model", bundle().to_str().unwrap(), "--engine", "tract", "--engine", "tract"];
    let output = medclip(&twice).args(["--format", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["model"], &report["reference"]), (&"tiny".into(), &"tract".into()));
    let batches: Vec<_> = report["results"].as_array().unwrap().iter().map(|each| &each["batch"]).collect();
    assert_eq!(batches, [1, 3, 8]);
    let maps = report["maps"].as_array().unwrap();
    assert!(maps.len() == 2 && maps[0]["largest"].is_null(), "{report}");
    assert_eq!(maps[1]["largest"], 0.0, "the same engine twice");
    assert!(maps.iter().all(|each| each["mean"].as_f64().unwrap() < 1e-5), "{report}");
    assert!(report["self_tests"][0]["text"].as_f64().unwrap() > 0.999_999);
    assert!(!bundle().join("parity.json").exists(), "engines alone certify nothing");
}

#[cfg(feature = "candle-onnx")]
#[test]
fn candle_has_its_row_beside_an_engine_on_the_shipped_model() {
    let both = ["verify", "--engine", "tract", "--engine", "candle"];
    let output = medclip(&both).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let table = text(&output.stdout);
    let rows: Vec<_> = table.lines().filter(|line| line.trim_start().starts_with("candle ")).collect();
    assert!(rows.len() == 3 && rows.iter().all(|row| row.ends_with("within")), "{table}");
    assert!(table.contains("self-test on candle: passed"), "{table}");
    assert!(table.contains("not compared: maps") || table.contains("maps on candle: "), "{table}");
}

#[cfg(not(feature = "candle-onnx"))]
#[test]
fn a_build_without_candle_says_which_feature_has_it() {
    let both = ["verify", "--model", bundle().to_str().unwrap(), "--engine", "tract", "--engine", "candle"];
    let output = medclip(&both).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(2), true));
    let said = text(&output.stderr);
    assert!(said.contains("engine candle is not in this build; build with feature `candle-onnx`"), "{said}");
}

#[test]
fn candle_scores_nothing() {
    let output = medclip(&["score", "--engine", "candle", "film.png"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no engine is called"), "{}", text(&output.stderr));
}

#[cfg(feature = "train")]
mod against {
    use std::fs;
    use std::path::Path;
    use std::process::Output;

    use medclip_core::ModelConfig;
    use medclip_files::sha256;
    use medclip_tests::{PROMPTS, random_checkpoint, tiny_published_configs};

    use medclip_runtime::Bundle;
    use serde_json::Value;
    use tempfile::TempDir;

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
            medclip(&["export", &at("own"), "-o", &at("bundle"), "--prompts", &at("prompts.toml")]).output();
        assert_eq!(output.as_ref().unwrap().status.code(), Some(0), "{}", text(&output.unwrap().stderr));

        let run = |command: &str, weights: &str| {
            medclip(&[command, "--model", &at("bundle"), "--engine", "tract", "--against", &at(weights)])
                .output()
                .unwrap()
        };
        let certificate = directory.path().join("bundle/parity.json");
        let id = || Bundle::open(at("bundle")).unwrap().id().to_owned();
        let before = id();
        let other = run("certify", "other");
        assert_eq!(other.status.code(), Some(1), "{}", text(&other.stderr));
        assert!(text(&other.stdout).contains("PAST THE LIMITS"));
        assert!(!certificate.exists(), "only what is within the limits is certified");

        let own = run("verify", "own");
        assert_eq!(own.status.code(), Some(0), "{}{}", text(&own.stdout), text(&own.stderr));
        assert!(text(&own.stdout).contains("compared with candle, "));
        assert!(!certificate.exists(), "verify only reads");
        let certified = run("certify", "own");
        assert_eq!(
            certified.status.code(),
            Some(0),
            "{}{}",
            text(&certified.stdout),
            text(&certified.stderr)
        );
        let said = text(&certified.stdout).strip_prefix(&text(&own.stdout)).unwrap().to_owned();
        assert!(said.starts_with("certified in ") && said.ends_with("parity.json\n"), "{said}");
        let found: Value = serde_json::from_slice(&fs::read(&certificate).unwrap()).unwrap();
        assert_eq!((found["bundle"].as_str(), id()), (Some(before.as_str()), before.clone()));
        assert!(found["self_tests"][0]["image"].as_f64().unwrap() > 0.999_999);
        let inspected = medclip(&["inspect", &at("bundle")]).output().unwrap();
        assert!(text(&inspected.stdout).contains("parity.json"), "{}", text(&inspected.stderr));
        // A file alone takes its tokenizer and its settings from the bundle.
        let file = run("certify", "own/weights.safetensors");
        assert_eq!(file.status.code(), Some(0), "{}{}", text(&file.stdout), text(&file.stderr));
        assert_eq!(run("verify", "nowhere").status.code(), Some(2));
    }

    /// Rewrites a file of a bundle and its sum, as someone would who makes a bundle by hand.
    fn exchange(bundle: &Path, name: &str, edit: impl Fn(String) -> String) {
        let path = bundle.join(name);
        let old = fs::read(&path).unwrap();
        let new = edit(String::from_utf8(old.clone()).unwrap()).into_bytes();
        assert_ne!(old, new, "{name} was not edited");
        fs::write(path, &new).unwrap();
        let sums = bundle.join("SHA256SUMS");
        let text = fs::read_to_string(&sums).unwrap();
        fs::write(&sums, text.replace(&sha256(&old), &sha256(&new))).unwrap();
    }

    /// A checkpoint and its bundle in a directory.
    fn exported() -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        fs::write(at("prompts.toml"), PROMPTS).unwrap();
        fs::create_dir(at("own")).unwrap();
        random_checkpoint(at("own").as_ref(), &tiny_published_configs()[1], 1);
        let export = ["export", &at("own"), "-o", &at("bundle"), "--prompts", &at("prompts.toml")];
        let output = medclip(&export).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        directory
    }

    fn verify(directory: &TempDir, weights: &str, more: &[&str]) -> Output {
        run(directory, "verify", weights, more)
    }

    fn run(directory: &TempDir, command: &str, weights: &str, more: &[&str]) -> Output {
        let arguments = [command, "--model", "bundle", "--engine", "tract", "--against", weights];
        medclip(&arguments).args(more).current_dir(directory.path()).output().unwrap()
    }

    #[test]
    fn what_weights_determine_besides_embeddings_is_compared() {
        type Edit = fn(String) -> String;
        let cases: [(&str, &str, Edit, &str); 6] = [
            (
                "bundle",
                "model.toml",
                |text| text.replace("logit_scale = 3.0", "logit_scale = 2.66"),
                "logit_scale",
            ),
            (
                "bundle",
                "model.toml",
                |text| text.replace("logit_scale = 3.0", "logit_scale = 9.0"),
                "logit_scale",
            ),
            (
                "bundle",
                "model.toml",
                |text| text.replace("lowercase = true", "lowercase = false"),
                "tokens of sentences",
            ),
            (
                "bundle",
                "model.toml",
                |text| text.replace("max_length = 40", "max_length = 5"),
                "tokens of sentences",
            ),
            (
                "bundle",
                "model.toml",
                |text| text.replace("prompt_pooling = \"mean\"", "prompt_pooling = \"max\""),
                "prompt pooling",
            ),
            // Two words change places in the vocabulary.
            (
                "bundle",
                "tokenizer.json",
                |text| {
                    text.replace("\"heart\":12", "\"heart\":1x")
                        .replace("\"clear\":15", "\"clear\":12")
                        .replace(":1x", ":15")
                },
                "tokens of sentences",
            ),
        ];
        for (bundle, file, edit, differs) in cases {
            let directory = exported();
            exchange(&directory.path().join(bundle), file, edit);
            let output = run(&directory, "certify", "own", &["--format", "json"]);
            assert_eq!(output.status.code(), Some(1), "{differs}: {}", text(&output.stderr));
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            let compared = report["compared"].as_array().unwrap();
            let found: Vec<&str> = compared
                .iter()
                .filter(|each| each["agrees"] == false)
                .map(|each| each["what"].as_str().unwrap())
                .collect();
            assert!(found.iter().any(|what| what.starts_with(differs)), "{differs}: {found:?}");
            assert!(!directory.path().join("bundle/parity.json").exists());
            let table = verify(&directory, "own", &[]);
            assert!(text(&table.stdout).contains("DIFFER"), "{}", text(&table.stdout));
        }
    }

    #[test]
    fn towers_of_other_sizes_are_named() {
        let directory = exported();
        let model = directory.path().join("own/model.toml");
        let config = fs::read_to_string(&model).unwrap();
        for (from, to, says) in [
            (
                "pooling = \"masked\"",
                "pooling = \"reference\"",
                "text.pooling is \"masked\" in the bundle, \"reference\" in the weights",
            ),
            (
                "num_attention_heads = 2",
                "num_attention_heads = 4",
                "text.num_attention_heads is 2 in the bundle, 4 in the weights",
            ),
            (
                "layer_norm_eps = 0.000000000001",
                "layer_norm_eps = 0.00001",
                "text.layer_norm_eps is 1e-12 in the bundle, 0.00001 in the weights",
            ),
        ] {
            assert!(config.contains(from), "{from} in {config}");
            fs::write(&model, config.replacen(from, to, 1)).unwrap();
            let output = verify(&directory, "own", &[]);
            assert_eq!(output.status.code(), Some(2));
            assert!(text(&output.stderr).contains(says), "{}", text(&output.stderr));
        }
    }

    #[test]
    fn what_lies_beside_a_file_of_weights_is_compared_or_named() {
        let directory = exported();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("alone")).unwrap();
        fs::copy(at("own/weights.safetensors"), at("alone/weights.safetensors")).unwrap();
        let output = verify(&directory, "alone/weights.safetensors", &["--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let not: Vec<&str> =
            report["not_compared"].as_array().unwrap().iter().map(|each| each.as_str().unwrap()).collect();
        assert_eq!(not.len(), 3, "{not:?}");
        assert!(not[0].starts_with("the attention heads") && not[2].starts_with("the vocabulary"), "{not:?}");

        // The heads of another tower, and then those of this one.
        fs::write(at("alone/config.json"), "{\"hidden_size\": 16, \"num_attention_heads\": 4}").unwrap();
        let output = verify(&directory, "alone/weights.safetensors", &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("num_attention_heads is 2 in the bundle, 4 in the weights"));
        fs::write(at("alone/config.json"), "{\"hidden_size\": 16, \"num_attention_heads\": 2}").unwrap();
        fs::copy(at("own/tokenizer.json"), at("alone/tokenizer.json")).unwrap();
        assert!(!at("bundle/parity.json").exists(), "verify only reads");
        let output = run(&directory, "certify", "alone/weights.safetensors", &[]);
        assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
        let certificate = fs::read_to_string(at("bundle/parity.json")).unwrap();
        assert!(
            certificate.contains("\"what\": \"logit_scale\"")
                && certificate.contains("\"what\": \"prompt bank\"")
        );
    }
    #[test]
    fn a_certificate_wants_weights_and_an_engine_is_not_enough() {
        let directory = exported();
        let run = |arguments: &[&str]| medclip(arguments).current_dir(directory.path()).output().unwrap();
        let output = run(&["certify", "--model", "bundle"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("--against"), "{}", text(&output.stderr));
        let refused = run(&["verify", "--model", "bundle", "--against", "own", "--no-certificate"]);
        assert_eq!(refused.status.code(), Some(2), "verify has nothing to leave out");
    }
}
