//! Damaged and mismatched checkpoints are refused with the reason, and never panic.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::fs;
use std::path::{Path, PathBuf};

use medclip_export::{Checkpoint, CheckpointError, ExportError, WeightsError};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use tempfile::TempDir;

const FILES: [&str; 3] = ["model.toml", "weights.safetensors", "tokenizer.json"];

fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoint").join(file)
}

/// A copy of the golden checkpoint with one file replaced.
fn with(file: &str, edit: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Result<Checkpoint, CheckpointError> {
    let directory = TempDir::new().unwrap();
    for name in FILES {
        fs::copy(golden(name), directory.path().join(name)).unwrap();
    }
    fs::write(directory.path().join(file), edit(fs::read(golden(file)).unwrap())).unwrap();
    Checkpoint::open(directory.path())
}

fn with_model(from: &str, to: &str) -> CheckpointError {
    with("model.toml", |bytes| {
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(from), "{from}");
        text.replace(from, to).into_bytes()
    })
    .unwrap_err()
}

#[test]
fn the_golden_checkpoint_opens() {
    let checkpoint = with("model.toml", |bytes| bytes).unwrap();
    assert_eq!(checkpoint.config().name, "golden");
    assert_eq!(checkpoint.weights().sha256().len(), 64);
}

#[test]
fn the_temperature_comes_from_the_weights() {
    let checkpoint = with("model.toml", |bytes| {
        String::from_utf8(bytes)
            .unwrap()
            .replace("logit_scale = 2.659260036932778", "logit_scale = 0.0")
            .into_bytes()
    });
    assert!((checkpoint.unwrap().config().logit_scale - 2.659_26).abs() < 1e-5);
}

#[test]
fn absent_files_are_named() {
    for name in FILES {
        let directory = TempDir::new().unwrap();
        for other in FILES.into_iter().filter(|&other| other != name) {
            fs::copy(golden(other), directory.path().join(other)).unwrap();
        }
        assert!(Checkpoint::open(directory.path()).unwrap_err().to_string().contains(name), "{name}");
    }
}

#[test]
fn truncated_weights_are_refused_wherever_they_end() {
    let whole = fs::read(golden("weights.safetensors")).unwrap().len();
    for len in [0, 7, 8, 100, whole / 2, whole - 1] {
        let refused = with("weights.safetensors", |bytes| bytes[..len].to_vec()).unwrap_err();
        assert!(
            matches!(refused, CheckpointError::Graph(ExportError::Weights(WeightsError::Format(_)))),
            "{len}"
        );
    }
}

#[test]
fn every_misfit_is_listed() {
    let refused = with("weights.safetensors", |bytes| {
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let renamed = |name: &str| name.replace("layer.1.output.dense.bias", "layer.1.output.dense.offset");
        let scale = [0_u8; 4];
        let views = file.iter().map(|(name, view)| match name {
            "logit_scale" => (name.to_owned(), TensorView::new(view.dtype(), vec![1, 1], &scale).unwrap()),
            _ => (renamed(name), view),
        });
        safetensors::serialize(views, None).unwrap()
    });
    let CheckpointError::Graph(ExportError::Weights(WeightsError::Mismatch(mismatch))) = refused.unwrap_err()
    else {
        panic!("the names do not fit");
    };
    assert_eq!(mismatch.missing, ["text_model.model.encoder.layer.1.output.dense.bias"]);
    assert_eq!(mismatch.unexpected, ["text_model.model.encoder.layer.1.output.dense.offset"]);
    assert_eq!(mismatch.misshapen[0].name, "logit_scale");
}

#[test]
fn a_weight_that_is_not_a_number_is_named() {
    let refused = with("weights.safetensors", |mut bytes| {
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        bytes
    });
    let error = refused.unwrap_err();
    assert!(matches!(error, CheckpointError::Graph(ExportError::Weights(WeightsError::NotFinite { .. }))));
}

#[test]
fn impossible_configurations_are_refused() {
    for (from, to, reason) in [
        ("format = 1", "format = 2", "layout 2, this version reads 1"),
        ("name = ", "nmae = ", "nmae"),
        ("embedding_dim = 16", "embedding_dim = 0", "embedding_dim is 0"),
        ("max_length = 32", "max_length = 33", "the text tower takes 32 tokens"),
    ] {
        let CheckpointError::Config { source, .. } = with_model(from, to) else { panic!("{to}") };
        assert!(source.to_string().contains(reason), "{to}: {source}");
    }
    assert!(matches!(
        with_model("vocab_size = 64", "vocab_size = 65"),
        CheckpointError::Graph(ExportError::Weights(_))
    ));
    for (from, to) in [
        ("num_attention_heads = 3", "num_attention_heads = 0"),
        ("num_hidden_layers = 4", "num_hidden_layers = 9000000000000000000"),
        ("hidden_size = 24", "hidden_size = 9000000000000000000"),
        ("blocks = 2, kernel = 5", "blocks = 9000000000000000000, kernel = 5"),
        ("stride = 2, expand = 6", "stride = 0, expand = 6"),
    ] {
        let refused = with_model(from, to);
        assert!(
            matches!(refused, CheckpointError::Graph(ExportError::Architecture { .. })),
            "{to}: {refused}"
        );
    }
}

#[test]
fn a_tokenizer_for_another_tower_is_refused() {
    let refused = with("tokenizer.json", |bytes| {
        String::from_utf8(bytes).unwrap().replace("\"effusion\": 25", "\"effusion\": 64").into_bytes()
    });
    assert!(matches!(refused.unwrap_err(), CheckpointError::Vocabulary { tokens: 65, rows: 64 }));
    assert!(matches!(with("tokenizer.json", |_| Vec::new()).unwrap_err(), CheckpointError::Tokenizer(_)));
}
