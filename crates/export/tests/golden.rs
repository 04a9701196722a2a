//! Exported graphs in tract give what `golden/reference.py` gives in torch.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

mod support;

use medclip_core::architecture::{Architecture, TextPooling, TextTower};
use medclip_core::preprocess::PreprocessConfig;
use medclip_export::{ExportError, GraphOptions, Storage, Weights, image_graph, names, text_graph};
use safetensors::SafeTensors;
use support::{checkpoint, golden, run, run_symbolic, values};
use tract_onnx::prelude::*;

/// Largest |Δ| between single-precision tract and double-precision torch.
const EXACT: f32 = 1e-5;
/// The same with weights rounded to half precision.
const ROUNDED: f32 = 2e-3;

/// Inputs and outputs by name.
struct Cases(Vec<u8>);

impl Cases {
    fn open(name: &str) -> Self {
        Self(std::fs::read(golden(name)).unwrap())
    }

    fn get(&self, name: &str) -> Tensor {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let view = file.tensor(name).unwrap();
        if view.dtype() == safetensors::Dtype::I64 {
            let values: Vec<i64> =
                view.data().as_chunks().0.iter().map(|&value| i64::from_le_bytes(value)).collect();
            Tensor::from_shape(view.shape(), &values).unwrap()
        } else {
            let values: Vec<f32> =
                view.data().as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
            Tensor::from_shape(view.shape(), &values).unwrap()
        }
    }
}

fn assert_close(actual: &Tensor, expected: &Tensor, tolerance: f32, case: &str) {
    assert_eq!(actual.shape(), expected.shape(), "{case}");
    let differences = values(actual).iter().zip(values(expected)).map(|(a, e)| (a - e).abs());
    let largest = differences.fold(0.0, f32::max);
    assert!(largest <= tolerance, "{case}: max|Δ| {largest:e}");
}

#[test]
fn image_tower_agrees_at_even_and_odd_sides_and_any_batch() {
    let (checkpoint, cases) = (checkpoint(), Cases::open("towers.safetensors"));
    for side in [32, 33, 47] {
        let preprocess = PreprocessConfig { image_size: side, ..checkpoint.config().preprocess.clone() };
        let pixels = cases.get(&format!("image.{side}.pixel_values"));
        let expected = cases.get(&format!("image.{side}.image_embeds"));
        for (storage, tolerance) in [(Storage::F32, EXACT), (Storage::F16, ROUNDED)] {
            let architecture = &checkpoint.config().architecture;
            let graph =
                image_graph(architecture, &preprocess, checkpoint.weights(), &GraphOptions { storage })
                    .unwrap()
                    .into_bytes();
            assert_close(&run(&graph, &[&pixels]), &expected, tolerance, &format!("{side} {storage:?}"));
            let first = run(&graph, &[&pixels.slice(0, 0, 1).unwrap()]);
            assert_close(
                &first,
                &expected.slice(0, 0, 1).unwrap(),
                tolerance,
                &format!("{side} {storage:?} alone"),
            );
        }
    }
}

#[test]
fn published_image_towers_agree_with_the_libraries_they_come_from() {
    for (name, channels, sides) in [("swin", 1, &[24, 26, 25, 11][..]), ("resnet", 3, &[24, 17])] {
        let cases = Cases::open(&format!("{name}.safetensors"));
        let tower = std::fs::read_to_string(golden(&format!("{name}.toml"))).unwrap();
        let text = checkpoint().config().architecture.text.clone();
        let architecture = Architecture { embedding_dim: 5, image: toml::from_str(&tower).unwrap(), text };
        let weights = Weights::from_bytes(&cases.0).unwrap();
        for &side in sides {
            let preprocess = PreprocessConfig::medclip(side, channels);
            let pixels = cases.get(&format!("{side}.pixel_values"));
            let expected = cases.get(&format!("{side}.image_embeds"));
            for (storage, tolerance) in [(Storage::F32, EXACT), (Storage::F16, ROUNDED)] {
                let case = format!("{name} {side} {storage:?}");
                let options = GraphOptions { storage };
                let graph = image_graph(&architecture, &preprocess, &weights, &options).unwrap().into_bytes();
                assert_close(&run(&graph, &[&pixels]), &expected, tolerance, &case);
                assert_close(
                    &run_symbolic(&graph, &[&pixels]),
                    &expected,
                    tolerance,
                    &format!("{case} symbolic"),
                );
                let [first, alone] = [&pixels, &expected].map(|tensor| tensor.slice(0, 0, 1).unwrap());
                assert_close(&run(&graph, &[&first]), &alone, tolerance, &format!("{case} alone"));
            }
        }
    }
}

#[test]
fn a_swin_refuses_images_smaller_than_its_windows() {
    let cases = Cases::open("swin.safetensors");
    let tower = std::fs::read_to_string(golden("swin.toml")).unwrap();
    let text = checkpoint().config().architecture.text.clone();
    let architecture = Architecture { embedding_dim: 5, image: toml::from_str(&tower).unwrap(), text };
    let (preprocess, weights) = (PreprocessConfig::medclip(8, 1), Weights::from_bytes(&cases.0).unwrap());
    let refused = image_graph(&architecture, &preprocess, &weights, &GraphOptions::default()).unwrap_err();
    assert!(matches!(refused, ExportError::ImageSize(_)), "{refused}");
}

#[test]
fn text_tower_agrees_at_any_length_and_padding() {
    let (checkpoint, cases) = (checkpoint(), Cases::open("towers.safetensors"));
    for (pooling, name) in [(TextPooling::Masked, "masked"), (TextPooling::Reference, "reference")] {
        let mut architecture = checkpoint.config().architecture.clone();
        let TextTower::Bert(text) = &mut architecture.text;
        text.pooling = pooling;
        for (storage, tolerance) in [(Storage::F32, EXACT), (Storage::F16, ROUNDED)] {
            let graph = text_graph(&architecture, checkpoint.weights(), &GraphOptions { storage })
                .unwrap()
                .into_bytes();
            for index in 0..5 {
                let case = |part: &str| cases.get(&format!("text.{index}.{part}"));
                let expected = case(&format!("text_embeds.{name}"));
                let actual = run(&graph, &[&case(names::TOKENS), &case(names::MASK)]);
                assert_close(&actual, &expected, tolerance, &format!("text.{index} {name} {storage:?}"));
            }
        }
    }
}

#[test]
fn symbolic_batch_and_sequence_agree_too() {
    let (checkpoint, cases) = (checkpoint(), Cases::open("towers.safetensors"));
    let graph = checkpoint.text_graph(&GraphOptions::default()).unwrap().into_bytes();
    for index in 0..5 {
        let case = |part: &str| cases.get(&format!("text.{index}.{part}"));
        let actual = run_symbolic(&graph, &[&case(names::TOKENS), &case(names::MASK)]);
        assert_close(&actual, &case("text_embeds.masked"), EXACT, &format!("text.{index}"));
    }
}

#[test]
fn embeddings_do_not_depend_on_padding_or_batch() {
    let (checkpoint, cases) = (checkpoint(), Cases::open("towers.safetensors"));
    let graph = checkpoint.text_graph(&GraphOptions::default()).unwrap().into_bytes();
    let (tokens, mask) = (cases.get("text.3.input_ids"), cases.get("text.3.attention_mask"));
    let together = run(&graph, &[&tokens, &mask]);
    // Row 2 has 11 tokens of the 16 that its batch is padded to.
    let alone = |tensor: &Tensor| tensor.slice(0, 2, 3).unwrap().slice(1, 0, 11).unwrap();
    let single = run(&graph, &[&alone(&tokens), &alone(&mask)]);
    assert_close(&single, &together.slice(0, 2, 3).unwrap(), EXACT, "row 2");
}

#[test]
fn the_same_checkpoint_gives_the_same_bytes() {
    let checkpoint = checkpoint();
    for storage in [Storage::F32, Storage::F16] {
        let options = GraphOptions { storage };
        assert_eq!(
            checkpoint.image_graph(&options).unwrap().into_bytes(),
            checkpoint.image_graph(&options).unwrap().into_bytes()
        );
        assert_eq!(
            checkpoint.text_graph(&options).unwrap().into_bytes(),
            checkpoint.text_graph(&options).unwrap().into_bytes()
        );
    }
}
