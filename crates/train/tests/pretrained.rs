//! Trunks that other libraries saved start a tower, whole; others are refused.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::path::{Path, PathBuf};

use medclip_core::{EfficientNetConfig, ImageTower, SwinConfig};
use medclip_nn::tower::ImageTrunk;
use medclip_nn::{Compute, ParameterStore};
use medclip_train::pretrained;

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The tower of the fixtures, with `channels` input channels.
fn swin(channels: usize) -> ImageTower {
    ImageTower::Swin(SwinConfig {
        channels,
        patch_size: 2,
        embed_dim: 4,
        depths: vec![2, 2],
        num_heads: vec![1, 2],
        window_size: 2,
        mlp_ratio: 2,
        layer_norm_eps: 1e-5,
    })
}

#[test]
fn a_swin_starts_from_any_of_its_names_and_from_a_medclip() {
    for (channels, path) in [
        (3, "weights/tests/fixtures/swin_hugging_face.safetensors"),
        (1, "weights/tests/fixtures/swin_timm.safetensors"),
        (3, "weights/tests/fixtures/swin_timm_0_6.safetensors"),
        (3, "export/tests/golden/import/medclip_swin_v4.bin"),
    ] {
        let mut store = ParameterStore::new(0, Compute::cpu(), |_| false);
        ImageTrunk::new(&swin(channels), &mut store, "vision_model.model.").unwrap();
        let weights = pretrained::image(&fixture(path), &swin(channels)).unwrap();
        assert_eq!(weights.len(), store.all().len(), "{path}");
        store.load(&weights).unwrap();
    }
}

#[test]
fn a_text_trunk_starts_from_a_medclip() {
    let path = fixture("export/tests/golden/import/medclip_resnet.safetensors");
    let weights = pretrained::text(&path).unwrap();
    assert_eq!(weights.len(), 5 + 3 * 16);
    assert!(weights.keys().all(|name| name.starts_with("text_model.model.")));
}

#[test]
fn other_kinds_of_tower_are_refused() {
    let path = fixture("weights/tests/fixtures/swin_timm.safetensors");
    let lite = ImageTower::EfficientnetLite(EfficientNetConfig::lite0(1));
    let error = pretrained::image(&path, &lite).unwrap_err().to_string();
    assert!(error.ends_with("is a Swin transformer as timm saves it, not the tower's kind"), "{error}");
    let error = pretrained::text(&path).unwrap_err().to_string();
    assert!(error.ends_with("not the tower's kind"), "{error}");
}
