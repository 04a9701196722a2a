//! One Swin transformer under three sets of names, which `fixtures/trunks.py` found to be the same in Python.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::path::{Path, PathBuf};

use medclip_weights::TensorFile;
use medclip_weights::names::{Layout, Mapping, NamesError, medclip};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn open(name: &str) -> (TensorFile, Mapping) {
    let file = TensorFile::open(fixture(name)).unwrap();
    let mapping = Mapping::of(&file).unwrap();
    (file, mapping)
}

#[test]
fn three_sets_of_names_are_one_trunk() {
    let (mut first, expected) = open("swin_hugging_face.safetensors");
    assert_eq!(expected.layout(), Layout::HuggingFaceSwin);
    for name in ["swin_timm.safetensors", "swin_timm_0_6.safetensors"] {
        let (mut file, mapping) = open(name);
        assert_eq!(mapping.layout(), Layout::TimmSwin);
        assert_eq!(mapping.shapes(), expected.shapes(), "{name}");
        for tensor in expected.names() {
            let values = mapping.read(&mut file, tensor).unwrap();
            assert_eq!(values, expected.read(&mut first, tensor).unwrap(), "{name}: {tensor}");
        }
    }
}

#[test]
fn sizes_come_from_the_shapes() {
    let (_, mapping) = open("swin_timm.safetensors");
    let sizes = medclip::swin(&mapping.shapes()).unwrap();
    assert_eq!((sizes.channels, sizes.patch_size, sizes.embed_dim), (3, 2, 4));
    assert_eq!((sizes.depths.as_slice(), sizes.num_heads.as_slice()), ([2, 2].as_slice(), [1, 2].as_slice()));
    assert_eq!((sizes.window_size, sizes.mlp_ratio), (2, 2));
}

#[test]
fn a_gray_input_takes_the_sum_of_the_colors() {
    let name = "vision_model.model.embeddings.patch_embeddings.projection.weight";
    let (mut file, mapping) = open("swin_hugging_face.safetensors");
    let colors = mapping.read(&mut file, name).unwrap();
    let mapping = mapping.with_one_channel();
    assert_eq!(mapping.shapes()[name], [4, 1, 2, 2]);
    let gray = mapping.read(&mut file, name).unwrap();
    assert_eq!(gray[5], colors[13] + colors[17] + colors[21]);
}

#[test]
fn names_of_nobody_are_refused() {
    let file = TensorFile::open(fixture("state_zip.bin")).unwrap();
    let error = Mapping::of(&file).unwrap_err();
    assert!(
        matches!(error, NamesError::Unrecognized { ref example, .. } if example == "axis_of_one"),
        "{error}"
    );
}
