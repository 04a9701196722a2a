//! `medclip restore`: a bundle back to a checkpoint, for every tower.

use std::fs;
use std::path::Path;

use medclip_core::ModelConfig;
use medclip_core::architecture::TextPooling;
use medclip_export::{BundleContents, BundleOptions, Checkpoint, Weights, write_bundle};
use medclip_tests::{PROMPTS, embed, random_checkpoint, tiny_config, tiny_published_configs};
use tempfile::TempDir;

use crate::setting::{medclip, text};
use crate::train::training_file;

fn succeed(arguments: &[&str]) {
    let output = medclip(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
}

/// A checkpoint of random weights `own`, the bundle exported from it, and the checkpoint `back` restored from that.
fn restored(config: &ModelConfig) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("prompts.toml"), PROMPTS).unwrap();
    random_checkpoint(at("own").as_ref(), config, 3);
    succeed(&["export", &at("own"), "-o", &at("bundle"), "--prompts", &at("prompts.toml")]);
    succeed(&["restore", &at("bundle"), "-o", &at("back")]);
    directory
}

fn configs() -> Vec<ModelConfig> {
    tiny_published_configs().into_iter().chain([tiny_config(TextPooling::Masked)]).collect()
}

/// What storage and folding leave of a number.
enum Kept {
    /// Every bit.
    Bits,
    /// The eleven bits of half precision, whose smallest step is 6e-8.
    Half,
    /// A product was rounded and undone.
    Nearly,
    /// The value is spread over other tensors.
    Folded,
}

fn kept(name: &str) -> Kept {
    let is_norm =
        |layer: &str| layer.split('.').any(|part| part.starts_with("bn")) || name.contains(".downsample.1.");
    let is_norm_of_text = name.contains("LayerNorm");
    match name {
        "logit_scale" => Kept::Bits,
        _ if name.starts_with("vision_model.") => {
            let normalized = name.contains(".conv") || name.contains(".downsample.0.");
            match name {
                _ if is_norm(name) || normalized => Kept::Folded,
                _ if name.contains(".self.query.") => Kept::Nearly,
                _ => Kept::Bits,
            }
        }
        _ if name.contains("position_embeddings") || name.contains("token_type") => Kept::Folded,
        _ if name.contains(".self.query.bias") => Kept::Nearly,
        _ if name.rsplit('.').next() == Some("bias") || is_norm_of_text => Kept::Bits,
        _ => Kept::Half,
    }
}

#[test]
fn what_was_not_folded_comes_back_as_it_was() {
    for config in configs() {
        let directory = restored(&config);
        let open =
            |name: &str| Weights::open(directory.path().join(name).join("weights.safetensors")).unwrap();
        let (own, back) = (open("own"), open("back"));
        assert!(own.shapes().eq(back.shapes()));
        let mut exact = 0;
        for (name, _) in own.shapes() {
            let values = |weights: &Weights| weights.values(name).unwrap().unwrap();
            for (a, b) in values(&own).into_iter().zip(values(&back)) {
                let tolerance = match kept(name) {
                    Kept::Bits => 0.0,
                    Kept::Nearly => a.abs() * 3e-7,
                    Kept::Half => a.abs() * 1e-3 + 1e-7,
                    Kept::Folded => f32::INFINITY,
                };
                assert!((a - b).abs() <= tolerance, "{name}: {a} and {b}");
                exact += usize::from(tolerance == 0.0);
            }
        }
        assert!(exact > 0);
    }
}

#[test]
fn the_restored_checkpoint_computes_what_the_bundle_computes() {
    for config in configs() {
        let directory = restored(&config);
        let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let verify = [
            "verify",
            "--model",
            &at("bundle"),
            "--engine",
            "tract",
            "--against",
            &at("back"),
            "--format",
            "json",
        ];
        let output = medclip(&verify).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        for result in report["results"].as_array().unwrap() {
            for side in ["image", "text"] {
                let largest = result[side]["largest"].as_f64().unwrap();
                assert!(largest < 1e-6, "{side}: {largest:.1e}");
            }
        }
        again(directory.path());
    }
}

/// Exported again, the image tower's constants have the same bits: nothing drifts by going back and forth.
fn again(directory: &Path) {
    let at = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    succeed(&["export", &at("back"), "-o", &at("second"), "--prompts", &at("prompts.toml")]);
    succeed(&["restore", &at("second"), "-o", &at("third")]);
    let weights = |name: &str| Weights::open(directory.join(name).join("weights.safetensors")).unwrap();
    let (back, third) = (weights("back"), weights("third"));
    for (name, _) in back.shapes().filter(|(name, _)| name.starts_with("vision_model.")) {
        let (a, b) = (back.values(name).unwrap().unwrap(), third.values(name).unwrap().unwrap());
        let largest = a.iter().zip(&b).map(|(a, b)| (a - b).abs() / a.abs().max(1e-6)).fold(0.0, f32::max);
        let limit = if name.contains(".self.query.") { 3e-7 } else { 0.0 };
        assert!(largest <= limit, "{name} drifts by {largest:.1e}");
    }
}

#[test]
fn weights_beside_the_graphs_come_back_too() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    random_checkpoint(&at("own"), &tiny_config(TextPooling::Masked), 3);
    let own = Checkpoint::open(at("own")).unwrap();
    let restored = |detach_from: usize| {
        let options = BundleOptions { detach_from, replace: true, ..BundleOptions::default() };
        let contents = BundleContents { prompts: PROMPTS, card: "# tiny\n" };
        write_bundle(&own, contents, &options, at("bundle"), embed).unwrap();
        succeed(&[
            "restore",
            at("bundle").to_str().unwrap(),
            "-o",
            at("back").to_str().unwrap(),
            "--replace",
        ]);
        fs::read(at("back/weights.safetensors")).unwrap()
    };
    assert_eq!(restored(usize::MAX), restored(0));
}

#[test]
fn training_goes_on_from_a_restored_bundle() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let run = |arguments: &[&str]| {
        let output = medclip(arguments).current_dir(directory).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    run(&["phantom", "-o", "phantoms", "--count", "24", "--size", "48", "--seed", "5"]);
    training_file(directory, "epochs = 1");
    run(&["train", "train.toml", "--output", "first"]);
    let prompts = root.join("models/prompts/chest-xray.toml");
    run(&["export", "first/best", "-o", "bundle", "--prompts", prompts.to_str().unwrap()]);
    run(&["restore", "bundle", "-o", "back"]);

    // A learning rate of nearly nothing: what comes out is what went in.
    run(&[
        "train",
        "train.toml",
        "--output",
        "second",
        "--set",
        "start=back",
        "--set",
        "learning_rate=1e-12",
    ]);
    let weights = |name: &str| Weights::open(directory.join(name).join("weights.safetensors")).unwrap();
    let (back, second) = (weights("back"), weights("second/best"));
    for name in ["logit_scale", "vision_model.projection_head.weight", "text_model.projection_head.weight"] {
        let (a, b) = (back.values(name).unwrap().unwrap(), second.values(name).unwrap().unwrap());
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-6), "{name}");
    }
}
