//! Embeddings and the gradients of every parameter, beside PyTorch's: `crates/export/tests/golden/gradients.py`.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor};
use medclip_core::architecture::{TextPooling, TextTower};
use medclip_core::{Architecture, BertConfig, ImageTower, Tokenizer, TokenizerConfig};
use medclip_nn::tower::Phase;
use medclip_nn::{Compute, MedClip, backward};
use serde::de::DeserializeOwned;

/// Largest |Δ| of an entry of a unit vector.
const EMBEDDING: f32 = 1e-5;
/// Largest |Δ| of an entry of a gradient, over the largest entry of that gradient, or 1 % of the largest of all.
const GRADIENT: f32 = 1e-4;
const DIM: usize = 5;
const SENTENCES: [&str; 3] = ["the heart is normal in size .", "clear lungs", "no small left effusion"];

struct Golden {
    tensors: BTreeMap<String, Tensor>,
}

impl Golden {
    fn open(name: &str) -> Self {
        let tensors = candle_core::safetensors::load(golden(name), &Device::Cpu).unwrap();
        Self { tensors: tensors.into_iter().collect() }
    }

    fn get(&self, name: &str) -> &Tensor {
        self.tensors.get(name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// Those whose names start with `prefix`, without it.
    fn under(&self, prefix: &str) -> BTreeMap<String, Tensor> {
        let named = self.tensors.iter();
        named.filter_map(|(name, t)| Some((name.strip_prefix(prefix)?.to_owned(), t.clone()))).collect()
    }

    fn model(&self, image: ImageTower, text: BertConfig) -> MedClip {
        let architecture = Architecture { embedding_dim: DIM, image, text: TextTower::Bert(text) };
        let model = MedClip::new(&architecture, 0, Compute::cpu(), |_| false).unwrap();
        let is_weight = |name: &&String| name.starts_with("vision_model.") || name.starts_with("text_model.");
        let weights =
            self.tensors.keys().filter(is_weight).map(|name| (name.clone(), self.get(name).clone()));
        model.store().load(&weights.collect()).unwrap();
        model
    }

    fn assert_gradients(&self, model: &MedClip, embeds: &Tensor, direction: &str, prefix: &str) {
        let gradients = backward(&(embeds * self.get(direction)).unwrap().sum_all().unwrap()).unwrap();
        let expected = self.under(prefix);
        assert!(expected.len() > 10, "no gradients under {prefix}");
        let overall = expected.values().map(largest).fold(0.0, f32::max);
        for (name, expected) in expected {
            let var = &model.store().parameters()[&name];
            let Some(actual) = gradients.get(var) else { panic!("{prefix}{name}: no gradient") };
            let scale = largest(&expected).max(overall / 100.0);
            let difference = largest(&(actual - &expected).unwrap());
            assert!(difference <= GRADIENT * scale, "{prefix}{name}: |Δ| {difference:e} of {scale:e}");
        }
    }
}

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../export/tests/golden").join(name)
}

fn config<T: DeserializeOwned>(name: &str) -> T {
    toml::from_str(&std::fs::read_to_string(golden(name)).unwrap()).unwrap()
}

fn bert(pooling: TextPooling) -> BertConfig {
    let TextTower::Bert(bert) = config("bert.toml");
    BertConfig { pooling, ..bert }
}

fn largest(tensor: &Tensor) -> f32 {
    tensor.abs().unwrap().max_all().unwrap().to_scalar().unwrap()
}

fn assert_close(actual: &Tensor, expected: &Tensor, case: &str) {
    let difference = largest(&(actual - expected).unwrap());
    assert!(difference <= EMBEDDING, "{case}: |Δ| {difference:e}");
}

#[test]
fn swin_at_whole_and_padded_sizes() {
    let golden = Golden::open("swin.safetensors");
    let model = golden.model(config("swin.toml"), bert(TextPooling::Masked));
    for side in [24, 26, 25, 11] {
        let pixels = golden.get(&format!("{side}.pixel_values"));
        let embeds = model.embed_images(pixels, Phase::Train).unwrap();
        assert_close(&embeds, golden.get(&format!("{side}.image_embeds")), &format!("side {side}"));
    }
    for side in [24, 25] {
        let embeds = model.embed_images(golden.get(&format!("{side}.pixel_values")), Phase::Train).unwrap();
        let direction = format!("{side}.direction");
        golden.assert_gradients(&model, &embeds, &direction, &format!("{side}.evaluate.gradient."));
    }
    let tiny = Tensor::zeros((1, 1, 8, 8), DType::F32, &Device::Cpu).unwrap();
    let refused = model.embed_images(&tiny, Phase::Evaluate).unwrap_err().to_string();
    assert!(refused.contains("images of 8 pixels are too small"), "{refused}");
}

#[test]
fn resnet_by_running_and_by_batch_statistics() {
    let golden = Golden::open("resnet.safetensors");
    let model = golden.model(config("resnet.toml"), bert(TextPooling::Masked));
    for side in [24, 17] {
        let pixels = golden.get(&format!("{side}.pixel_values"));
        let embeds = model.embed_images(pixels, Phase::Evaluate).unwrap();
        assert_close(&embeds, golden.get(&format!("{side}.image_embeds")), &format!("side {side}"));
    }
    let pixels = golden.get("17.pixel_values");
    let embeds = model.embed_images(pixels, Phase::Evaluate).unwrap();
    golden.assert_gradients(&model, &embeds, "17.direction", "17.evaluate.gradient.");
    let embeds = model.embed_images(pixels, Phase::Train).unwrap();
    assert_close(&embeds, golden.get("17.train.image_embeds"), "batch statistics");
    golden.assert_gradients(&model, &embeds, "17.direction", "17.train.gradient.");
    for (name, expected) in golden.under("17.train.after.") {
        assert_close(model.store().get(&name).unwrap().as_tensor(), &expected, &name);
    }
}

#[test]
fn frozen_blocks_keep_their_statistics() {
    let golden = Golden::open("resnet.safetensors");
    let model = golden.model(config("resnet.toml"), bert(TextPooling::Masked)).with_frozen_image_blocks(1);
    model.embed_images(golden.get("17.pixel_values"), Phase::Train).unwrap();
    for (name, moves) in [("bn1", false), ("layer1.0.bn3", false), ("layer2.0.bn1", true)] {
        let name = format!("vision_model.model.{name}.running_mean");
        let now = model.store().get(&name).unwrap();
        let moved = largest(&(now.as_tensor() - golden.get(&name)).unwrap()) > 0.0;
        assert_eq!(moved, moves, "{name}");
    }
}

#[test]
fn bert_under_both_poolings() {
    let golden = Golden::open("bert.safetensors");
    let settings = TokenizerConfig { lowercase: true, max_length: 12 };
    let tokenizer = Tokenizer::open(self::golden("checkpoint/tokenizer.json"), settings).unwrap();
    let tokens = tokenizer.batch(&SENTENCES).unwrap();
    let ids = golden.get("input_ids").flatten_all().unwrap().to_vec1::<i64>().unwrap();
    assert_eq!(tokens.ids(), ids);
    for (pooling, name) in [(TextPooling::Masked, "masked"), (TextPooling::Reference, "reference")] {
        let model = golden.model(config("swin.toml"), bert(pooling));
        let embeds = model.embed_texts(&tokens).unwrap();
        assert_close(&embeds, golden.get(&format!("{name}.text_embeds")), name);
        golden.assert_gradients(&model, &embeds, "direction", &format!("{name}.gradient."));
    }
}
