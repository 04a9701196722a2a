//! Damaged files are errors or, where the format has no checksum, other values; never a panic.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::fs;
use std::path::{Path, PathBuf};

use medclip_weights::names::{Mapping, medclip};
use medclip_weights::{TensorFile, TensorFileError};
use proptest::prelude::*;
use tempfile::TempDir;

const FILES: [&str; 4] = ["state_zip.bin", "state_legacy.bin", "state.safetensors", "wrapped.bin"];

fn bytes(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

/// Opens `bytes` and reads all there is.
fn read_all(path: &PathBuf, bytes: &[u8]) -> Result<usize, TensorFileError> {
    fs::write(path, bytes).unwrap();
    let mut file = TensorFile::open(path)?;
    let names: Vec<String> = file.names().map(str::to_owned).collect();
    let _ = Mapping::of(&file);
    let mut count = 0;
    for name in names {
        if file.element(&name).is_some_and(medclip_weights::ElementType::is_real) {
            count += file.f32(&name)?.len();
        }
    }
    Ok(count)
}

#[test]
fn files_cut_anywhere_are_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("file");
    for name in FILES {
        let whole = bytes(name);
        read_all(&path, &whole).unwrap();
        // Every length costs an archive a search for its table of contents: all at the end, a sample before.
        for len in (0..whole.len()).filter(|len| len % 13 == 0 || whole.len() - len < 100) {
            assert!(read_all(&path, &whole[..len]).is_err(), "{name} cut at {len}");
        }
    }
}

#[test]
fn a_wrong_byte_in_the_values_of_an_archive_is_noticed() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("file");
    let mut whole = bytes("state_zip.bin");
    let value = 2.5_f32.to_le_bytes();
    let at = whole.windows(4).position(|window| window == value).unwrap();
    whole[at] ^= 1;
    let error = read_all(&path, &whole).unwrap_err().to_string();
    assert!(error.contains("tensor scalar: its values cannot be read: Invalid checksum"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn damage_never_panics(
        file in 0..FILES.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let directory = TempDir::new().unwrap();
        let mut bytes = bytes(FILES[file]);
        for (place, value) in damage {
            let at = place.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = read_all(&directory.path().join("file"), &bytes);
    }

    #[test]
    fn any_shapes_give_sizes_or_an_error(sizes in prop::collection::vec(0_usize..20, 8), full in any::<bool>()) {
        let unstated = medclip::Unstated {
            text_heads: None,
            text_pooling: medclip_core::architecture::TextPooling::Masked,
        };
        let names = [
            "vision_model.model.embeddings.patch_embeddings.projection.weight",
            "vision_model.model.encoder.layers.0.blocks.0.layernorm_before.weight",
            "vision_model.model.encoder.layers.0.blocks.0.attention.self.relative_position_bias_table",
            "vision_model.model.encoder.layers.0.blocks.0.intermediate.dense.weight",
            "text_model.projection_head.weight",
            "text_model.model.embeddings.word_embeddings.weight",
            "text_model.model.embeddings.position_embeddings.weight",
            "text_model.model.embeddings.token_type_embeddings.weight",
        ];
        let rank = |name: &str| if name.contains("patch") && full { 4 } else { 2 };
        let shapes = names.iter().zip(&sizes).map(|(name, size)| ((*name).to_owned(), vec![*size; rank(name)]));
        let _ = medclip::architecture(&shapes.collect(), unstated);
    }
}
