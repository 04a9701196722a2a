//! A trunk is found under the names that wrappers give it, or the hint says where it is.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::fs;
use std::path::Path;

use medclip_weights::names::{Layout, Mapping, NamesError};
use medclip_weights::{TensorFile, TensorFileOptions, WeightsNote};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

/// The tensors of a fixture once under every one of the `prefixes`, and small ones of the names `beside`.
fn renamed(name: &str, prefixes: &[&str], beside: &[&str]) -> Vec<u8> {
    let bytes = fixture(name);
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let small = [0; 4];
    let copies = prefixes
        .iter()
        .flat_map(|prefix| tensors.iter().map(move |(name, view)| (format!("{prefix}{name}"), view)));
    let more = beside
        .iter()
        .map(|name| ((*name).to_owned(), TensorView::new(safetensors::Dtype::F32, vec![1], &small).unwrap()));
    safetensors::serialize(copies.chain(more), None).unwrap()
}

fn map(bytes: Vec<u8>, part: Option<&str>) -> Result<Mapping, NamesError> {
    let options = TensorFileOptions { part: part.map(str::to_owned) };
    Mapping::of(&TensorFile::from_bytes("a.ckpt", bytes, &options)?)
}

const FILES: [(&str, Layout); 3] = [
    ("swin_hugging_face.safetensors", Layout::HuggingFaceSwin),
    ("swin_timm.safetensors", Layout::TimmSwin),
    ("swin_timm_0_6.safetensors", Layout::TimmSwin),
];

#[test]
fn wrappers_of_training_programs_are_taken_off() {
    for (name, layout) in FILES {
        let expected = map(fixture(name), None).unwrap();
        for prefix in [
            "model.",
            "net.",
            "network.",
            "backbone.",
            "encoder.",
            "module.",
            "model.net.",
            "module.model.",
            "model.module.",
            "model._orig_mod.",
            "_orig_mod.model.",
            "net.backbone.",
            "model.backbone.trunk.",
        ] {
            for beside in [
                &[][..],
                &["head.weight", "head.bias"],
                &["fc.weight", "classifier.0.bias", "cls_head.fc.weight"],
            ] {
                let mapping = map(renamed(name, &[prefix], beside), None).unwrap();
                assert_eq!(mapping.layout(), layout, "{name} under {prefix}");
                assert_eq!(mapping.shapes(), expected.shapes(), "{name} under {prefix}");
                assert!(mapping.notes().is_empty());
            }
        }
    }
}

#[test]
fn averages_under_another_prefix_are_named_and_left() {
    for (raw, averaged) in [
        ("model.", "model_ema."),
        ("model.", "ema_model."),
        ("net.", "ema."),
        ("", "model_ema."),
        ("model.", "model_ema.module."),
    ] {
        let file = || renamed("swin_timm.safetensors", &[raw, averaged], &[]);
        let mapping = map(file(), None).unwrap();
        let [WeightsNote::Taken { taken, others, .. }] = mapping.notes() else {
            panic!("{:?}", mapping.notes())
        };
        assert_eq!(
            (format!("{taken}."), others.len()),
            (if raw.is_empty() { ".".to_owned() } else { raw.to_owned() }, 1)
        );
        assert!(others[0].averaged && format!("{}.", others[0].part) == averaged);
        // The part that the note names can be asked for.
        let other = map(file(), Some(&others[0].part)).unwrap();
        assert_eq!(other.shapes(), mapping.shapes());
    }
    let mapping = map(renamed("swin_timm.safetensors", &["ema."], &[]), None).unwrap();
    assert!(mapping.notes()[0].to_string().contains("the averaged weights (EMA) under `ema` were taken"));
}

#[test]
fn other_prefixes_are_named_in_the_hint() {
    for (prefixes, hint) in [
        (&["visual.trunk."][..], "a model lies under `visual.trunk`; name the part to take"),
        (&["0.auto_model."], "a model lies under `0.auto_model`; name the part to take"),
        (
            &["encoder_k.", "encoder_q."],
            "a model lies under `encoder_k` and `encoder_q`; name the part to take",
        ),
        (
            &["student.backbone.", "teacher.backbone."],
            "under `student.backbone` and `teacher.backbone`; name the part",
        ),
    ] {
        let file = || renamed("swin_timm.safetensors", prefixes, &[]);
        let error = map(file(), None).unwrap_err().to_string();
        assert!(error.contains(hint), "{error}");
        for prefix in prefixes {
            let mapping = map(file(), Some(prefix.trim_end_matches('.'))).unwrap();
            assert_eq!(mapping.shapes(), map(fixture("swin_timm.safetensors"), None).unwrap().shapes());
        }
    }
}

#[test]
fn what_lies_beside_a_prefix_is_named_unless_the_part_is() {
    let file = || renamed("swin_timm.safetensors", &["model."], &["criterion.weight", "metric.total"]);
    let error = map(file(), None).unwrap_err().to_string();
    assert_eq!(
        error,
        "a.ckpt: a Swin transformer as timm saves it under `model` (naming that part leaves out what is beside it), with \
         unexpected tensors: criterion.weight, metric.total"
    );
    assert!(map(file(), Some("model")).is_ok());
}
