//! The graphs of `export/tests/golden` give what PyTorch gives.

use std::fs;
use std::path::{Path, PathBuf};

use candle_onnx::onnx::ModelProto;
use medclip_core::architecture::{Architecture, TextPooling, TextTower};
use medclip_core::graph::{IMAGE_EMBEDDINGS, MASK, PIXELS, TEXT_EMBEDDINGS, TOKENS};
use medclip_core::preprocess::PreprocessConfig;
use medclip_export::{Checkpoint, GraphOptions, OnnxFile, Storage, Weights, image_graph, text_graph};
use prost::Message;
use safetensors::SafeTensors;

use crate::verify::candle::graph::{Graph, Input};

/// Largest |Δ| between single precision and PyTorch's double precision.
const EXACT: f32 = 1e-5;
/// The same with weights rounded to half precision.
const ROUNDED: f32 = 2e-3;

fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../export/tests/golden").join(file)
}

/// Inputs and outputs by name.
struct Cases(Vec<u8>);

impl Cases {
    fn open(name: &str) -> Self {
        Self(fs::read(golden(name)).unwrap())
    }

    fn shape<const N: usize>(&self, name: &str) -> [usize; N] {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        file.tensor(name).unwrap().shape().try_into().unwrap()
    }

    fn values<T, const N: usize>(&self, name: &str, read: impl Fn([u8; N]) -> T) -> Vec<T> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        file.tensor(name).unwrap().data().as_chunks().0.iter().map(|&bytes| read(bytes)).collect()
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        self.values(name, f32::from_le_bytes)
    }

    fn ids(&self, name: &'static str, of: &str) -> Input {
        Input::ids(name, self.shape(of), &self.values(of, i64::from_le_bytes)).unwrap()
    }
}

fn graph(file: OnnxFile) -> Graph {
    Graph::new(ModelProto::decode(&*file.into_bytes()).unwrap()).unwrap()
}

fn assert_close(found: &[f32], expected: &[f32], tolerance: f32, case: &str) {
    assert_eq!(found.len(), expected.len(), "{case}");
    let largest = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest <= tolerance, "{case}: max|Δ| {largest:e}");
}

const STORED: [(Storage, f32); 2] = [(Storage::F32, EXACT), (Storage::F16, ROUNDED)];

fn check_images(
    architecture: &Architecture,
    preprocess: &PreprocessConfig,
    weights: &Weights,
    cases: &Cases,
    name: &str,
) {
    let pixels = format!("{name}pixel_values");
    let expected = cases.floats(&format!("{name}image_embeds"));
    for (storage, tolerance) in STORED {
        let graph = graph(image_graph(architecture, preprocess, weights, &GraphOptions { storage }).unwrap());
        let input = Input::pixels(PIXELS, cases.shape(&pixels), &cases.floats(&pixels)).unwrap();
        let shape = cases.shape(&format!("{name}image_embeds"));
        let found = graph.evaluate([input], IMAGE_EMBEDDINGS, shape).unwrap();
        assert_close(&found, &expected, tolerance, &format!("{name} {storage:?}"));
    }
}

#[test]
fn efficientnet_lite_agrees() {
    let checkpoint = Checkpoint::open(golden("checkpoint")).unwrap();
    let cases = Cases::open("towers.safetensors");
    for side in [32, 33, 47] {
        let preprocess = PreprocessConfig { image_size: side, ..checkpoint.config().preprocess.clone() };
        let architecture = &checkpoint.config().architecture;
        check_images(architecture, &preprocess, checkpoint.weights(), &cases, &format!("image.{side}."));
    }
}

#[test]
fn swin_and_resnet_agree() {
    let text = Checkpoint::open(golden("checkpoint")).unwrap().config().architecture.text.clone();
    for (name, channels, sides) in [("swin", 1, &[24, 26, 25, 11][..]), ("resnet", 3, &[24, 17])] {
        let cases = Cases::open(&format!("{name}.safetensors"));
        let tower = fs::read_to_string(golden(&format!("{name}.toml"))).unwrap();
        let image = toml::from_str(&tower).unwrap();
        let architecture = Architecture { embedding_dim: 5, image, text: text.clone() };
        let weights = Weights::from_bytes(&cases.0).unwrap();
        for &side in sides {
            let preprocess = PreprocessConfig::medclip(side, channels);
            check_images(&architecture, &preprocess, &weights, &cases, &format!("{side}."));
        }
    }
}

#[test]
fn bert_agrees_at_any_length_and_padding() {
    let checkpoint = Checkpoint::open(golden("checkpoint")).unwrap();
    let cases = Cases::open("towers.safetensors");
    for (pooling, name) in [(TextPooling::Masked, "masked"), (TextPooling::Reference, "reference")] {
        let mut architecture = checkpoint.config().architecture.clone();
        let TextTower::Bert(text) = &mut architecture.text;
        text.pooling = pooling;
        for (storage, tolerance) in STORED {
            let graph =
                graph(text_graph(&architecture, checkpoint.weights(), &GraphOptions { storage }).unwrap());
            for index in 0..5 {
                let case = |part: &str| format!("text.{index}.{part}");
                let expected = case(&format!("text_embeds.{name}"));
                let inputs =
                    [cases.ids(TOKENS, &case("input_ids")), cases.ids(MASK, &case("attention_mask"))];
                let found = graph.evaluate(inputs, TEXT_EMBEDDINGS, cases.shape(&expected)).unwrap();
                assert_close(&found, &cases.floats(&expected), tolerance, &format!("{expected} {storage:?}"));
            }
        }
    }
}
