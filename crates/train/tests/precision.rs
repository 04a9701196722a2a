//! Other precisions and devices beside `f32` on the CPU.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod towers;

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use medclip_core::batch::TokenBatch;
use medclip_core::{Architecture, Finding, ImageTower, TextTower, Tokenizer, TokenizerConfig};
use medclip_nn::tower::Phase;
use medclip_nn::{AdamW, AdamWConfig, Compute, ComputePrecision, MedClip, backward};
use medclip_train::{LabelSimilarity, Objective};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use towers::{efficientnet_lite, golden, tower};

const SIDE: usize = 24;
const SENTENCES: [&str; 6] = [
    "the heart is normal in size .",
    "clear lungs",
    "no small left effusion",
    "the right lung is clear",
    "large heart",
    "no effusion in the left lung or the right lung",
];

fn image_towers() -> [(&'static str, ImageTower); 3] {
    [("swin", tower("swin.toml")), ("resnet", tower("resnet.toml")), ("efficientnet", efficientnet_lite())]
}

/// What to compare with `f32` on the CPU, and the largest 1 − cosine of a gradient.
fn others() -> Vec<(&'static str, Compute, f64)> {
    let mut others = vec![("bf16", Compute { precision: ComputePrecision::Bf16, ..Compute::cpu() }, 0.04)];
    // With feature `cuda` a GPU has to be there.
    if cfg!(feature = "cuda") {
        let device = Device::new_cuda_with_stream(0).unwrap();
        others.push((
            "f32 on the GPU",
            Compute { device: device.clone(), precision: ComputePrecision::F32 },
            1e-5,
        ));
        others.push(("bf16 on the GPU", Compute { device, precision: ComputePrecision::Bf16 }, 0.04));
    }
    others
}

/// A model with a batch for it, the same in every precision.
struct Setting {
    model: MedClip,
    pixels: Tensor,
    tokens: TokenBatch,
    labels: Vec<[f32; Finding::COUNT]>,
}

impl Setting {
    fn new(image: ImageTower, compute: Compute) -> Self {
        let text: TextTower = toml::from_str(&std::fs::read_to_string(golden("bert.toml")).unwrap()).unwrap();
        let channels = image.channels();
        let architecture = Architecture { embedding_dim: 6, image, text };
        let model = MedClip::new(&architecture, 3, compute, |_| false).unwrap();
        let settings = TokenizerConfig { lowercase: true, max_length: 12 };
        let tokenizer = Tokenizer::open(golden("checkpoint/tokenizer.json"), settings).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let images = SENTENCES.len();
        let values = (0..images * channels * SIDE * SIDE).map(|_| rng.random_range(-2.0_f32..2.0)).collect();
        let label = |_| [(); Finding::COUNT].map(|()| rng.random_range(-1..=1) as f32);
        let labels = (0..images).map(label).collect();
        let device = model.store().device();
        Self {
            pixels: Tensor::from_vec(values, (images, channels, SIDE, SIDE), device).unwrap(),
            tokens: tokenizer.batch(&SENTENCES).unwrap(),
            labels,
            model,
        }
    }

    fn loss(&self) -> Tensor {
        let images = self.model.embed_images(&self.pixels, Phase::Train).unwrap();
        let texts = self.model.embed_texts(&self.tokens).unwrap();
        let objective =
            Objective::SemanticMatching { similarity: LabelSimilarity::Cosine, label_temperature: 0.5 };
        objective.loss(&self.model.logits(&images, &texts).unwrap(), &self.labels, &self.labels).unwrap()
    }

    /// Loss, and gradient of every parameter, on the CPU.
    fn gradients(&self) -> (f32, BTreeMap<String, Vec<f32>>) {
        let loss = self.loss();
        let gradients = backward(&loss).unwrap();
        let parameters = self.model.store().parameters().iter();
        let named = parameters.map(|(name, var)| {
            let gradient = gradients.get(var).unwrap_or_else(|| panic!("{name} has no gradient"));
            assert_eq!(gradient.dtype(), DType::F32, "{name}");
            (name.clone(), gradient.flatten_all().unwrap().to_vec1().unwrap())
        });
        (loss.to_scalar().unwrap(), named.collect())
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

#[test]
fn gradients_point_the_same_way() {
    for (tower, image) in image_towers() {
        let (expected_loss, expected) = Setting::new(image.clone(), Compute::cpu()).gradients();
        let largest = expected.values().map(|g| dot(g, g).sqrt()).fold(0.0, f64::max);
        for (name, compute, limit) in others() {
            let (loss, found) = Setting::new(image.clone(), compute).gradients();
            assert!((loss - expected_loss).abs() <= 0.02 * expected_loss, "{tower}, {name}: {loss}");
            let (mut both, mut squares) = (0.0, [0.0, 0.0]);
            for (parameter, gradient) in &found {
                let expected = &expected[parameter];
                let (product, norms) =
                    (dot(gradient, expected), [dot(gradient, gradient), dot(expected, expected)]);
                both += product;
                squares = [squares[0] + norms[0], squares[1] + norms[1]];
                // Rounding decides on which side of a rectifier's corner a value is, so small gradients turn in `bf16`.
                let (norm, turn) = (norms[1].sqrt(), 1.0 - product / (norms[0] * norms[1]).sqrt());
                assert!(
                    turn <= 20.0 * limit || norm < 0.02 * largest,
                    "{tower}, {name}: {parameter} by {turn}"
                );
            }
            let apart = 1.0 - both / (squares[0] * squares[1]).sqrt();
            assert!(apart <= limit, "{tower}, {name}: 1 − cosine of the whole gradient is {apart}");
        }
    }
}

#[test]
fn steps_too_small_for_bf16_move_the_parameters() {
    for (name, compute, _) in others() {
        let (_, image) = image_towers()[0].clone();
        let setting = Setting::new(image, compute);
        let parameters = setting.model.store().parameters();
        let mut optimizer = AdamW::new(AdamWConfig::default(), parameters, |_| 1.0).unwrap();
        let (start, weight) =
            (setting.loss().to_scalar::<f32>().unwrap(), "vision_model.model.layernorm.weight");
        // 1 + 10⁻⁴ is 1 in `bf16`, whose next number is 1 + 2⁻⁷.
        for _ in 0..60 {
            optimizer.step(&backward(&setting.loss()).unwrap(), 1e-4).unwrap();
        }
        let moved: Vec<f32> = parameters[weight].to_vec1().unwrap();
        assert!(moved.iter().all(|w| *w != 1.0 && (w - 1.0).abs() < 0.01), "{name}: {moved:?}");
        let end = setting.loss().to_scalar::<f32>().unwrap();
        assert!(end < start - 0.01, "{name}: the loss goes from {start} to {end}");
    }
}
