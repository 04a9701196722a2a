//! Gradients by micro-batches beside those of the whole batch.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod towers;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor};
use medclip_core::{Architecture, BertConfig, Finding, ImageTower, TextTower, Tokenizer, TokenizerConfig};
use medclip_nn::tower::Phase;
use medclip_nn::{Compute, MedClip, backward};
use medclip_train::sentences::SentenceEncoder;
use medclip_train::step::{Inputs, Pass, TextView, add_gradients};
use medclip_train::{LabelSimilarity, Objective, TrainConfig};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use towers::{efficientnet_lite, golden, tower};

/// Largest |Δ| of an entry of a gradient, over the largest entry of that gradient, or 1 % of the largest of all.
const GRADIENT: f32 = 1e-5;
const SIDE: usize = 24;
const IMAGES: usize = 5;
/// Of different lengths, more than there are images.
const SENTENCES: [&str; 7] = [
    "the heart is normal in size .",
    "clear lungs",
    "no small left effusion",
    "effusion",
    "the right lung is clear",
    "large heart",
    "no effusion in the left lung or the right lung",
];
const REWORDED: [&str; 7] = [
    "the heart is of normal size .",
    "lungs clear",
    "no effusion",
    "an effusion",
    "right lung clear",
    "enlarged heart",
    "no effusion",
];

/// A training file for what it freezes.
fn config(freeze_layers: usize) -> TrainConfig {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../training/phantom-demo.toml");
    let mut config: TrainConfig = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    (config.text.freeze_layers, config.text.freeze_embeddings) = (freeze_layers, freeze_layers > 0);
    config
}

/// A model with all that a batch passes through, the same for the same arguments.
struct Setting {
    model: MedClip,
    tokenizer: Tokenizer,
    encoder: SentenceEncoder,
    pixels: Tensor,
    image_labels: Vec<[f32; Finding::COUNT]>,
    sentence_labels: Vec<[f32; Finding::COUNT]>,
}

impl Setting {
    fn new(image: ImageTower, frozen_blocks: usize, freeze_layers: usize) -> Self {
        let TextTower::Bert(bert) =
            toml::from_str(&std::fs::read_to_string(golden("bert.toml")).unwrap()).unwrap();
        let text = BertConfig { num_hidden_layers: 4, ..bert };
        let (config, channels) = (config(freeze_layers), image.channels());
        let encoder = SentenceEncoder::new(&config, &text, SENTENCES.len());
        let architecture = Architecture { embedding_dim: 6, image, text: TextTower::Bert(text) };
        let frozen = move |name: &str| config.rate(name) == 0.0;
        let model = MedClip::new(&architecture, 3, Compute::cpu(), frozen).unwrap();
        let settings = TokenizerConfig { lowercase: true, max_length: 12 };
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut labels = |count| {
            (0..count)
                .map(|_| [(); Finding::COUNT].map(|()| rng.random_range(-1..=1) as f32))
                .collect::<Vec<_>>()
        };
        let (image_labels, sentence_labels) = (labels(IMAGES), labels(SENTENCES.len()));
        let values = (0..IMAGES * channels * SIDE * SIDE).map(|_| rng.random_range(-2.0_f32..2.0)).collect();
        Self {
            model: model.with_frozen_image_blocks(frozen_blocks),
            tokenizer: Tokenizer::open(golden("checkpoint/tokenizer.json"), settings).unwrap(),
            encoder,
            pixels: Tensor::from_vec(values, (IMAGES, channels, SIDE, SIDE), &Device::Cpu).unwrap(),
            image_labels,
            sentence_labels,
        }
    }

    fn objective() -> Objective {
        Objective::SemanticMatching { similarity: LabelSimilarity::Cosine, label_temperature: 0.5 }
    }

    fn gradients(&mut self, views: &[bool], micro_batch: usize) -> (f32, BTreeMap<String, Tensor>) {
        let (loss, gradients) = self.share(views, micro_batch, 1.0);
        (loss, self.named(&gradients))
    }

    fn share(&mut self, views: &[bool], micro_batch: usize, share: f64) -> (f32, GradStore) {
        let pool: Vec<usize> = (0..SENTENCES.len()).collect();
        let view = |reworded: &bool| TextView {
            pool: (!reworded).then_some(&pool[..]),
            sentences: if *reworded { REWORDED } else { SENTENCES }.to_vec(),
        };
        let inputs = Inputs {
            pixels: self.pixels.clone(),
            image_labels: &self.image_labels,
            views: views.iter().map(view).collect(),
            sentence_labels: &self.sentence_labels,
        };
        let mut pass = Pass {
            model: &self.model,
            tokenizer: &self.tokenizer,
            encoder: &mut self.encoder,
            objective: Self::objective(),
            micro_batch: NonZeroUsize::new(micro_batch),
        };
        pass.gradients(&inputs, share).unwrap()
    }

    /// Gradients of one graph whose images go through the tower `size` at a time.
    fn in_one_graph(&self, size: usize) -> BTreeMap<String, Tensor> {
        let mut embeds = Vec::new();
        for start in (0..IMAGES).step_by(size) {
            let part = self.pixels.narrow(0, start, size.min(IMAGES - start)).unwrap();
            embeds.push(self.model.embed_images(&part, Phase::Train).unwrap());
        }
        let images = Tensor::cat(&embeds, 0).unwrap();
        let texts = self.model.embed_texts(&self.tokenizer.batch(&SENTENCES).unwrap()).unwrap();
        let logits = self.model.logits(&images, &texts).unwrap();
        let loss = Self::objective().loss(&logits, &self.image_labels, &self.sentence_labels).unwrap();
        self.named(&backward(&loss).unwrap())
    }

    fn named(&self, gradients: &GradStore) -> BTreeMap<String, Tensor> {
        let named = self.model.store().parameters().iter();
        named.filter_map(|(name, var)| Some((name.clone(), gradients.get(var)?.clone()))).collect()
    }

    fn buffers(&self) -> BTreeMap<String, Vec<f32>> {
        let named = self.model.store().all().into_iter().filter(|(name, _)| name.contains("running_"));
        named.map(|(name, tensor)| (name, tensor.to_vec1().unwrap())).collect()
    }
}

fn largest(tensor: &Tensor) -> f32 {
    let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    values.into_iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

fn assert_same(actual: &BTreeMap<String, Tensor>, expected: &BTreeMap<String, Tensor>, case: &str) {
    assert!(expected.len() > 20, "{case}: only {} gradients", expected.len());
    assert!(actual.keys().eq(expected.keys()), "{case}: other parameters");
    let overall = expected.values().map(largest).fold(0.0, f32::max);
    for (name, expected) in expected {
        let scale = largest(expected).max(overall / 100.0);
        let difference = largest(&(&actual[name] - expected).unwrap());
        assert!(difference <= GRADIENT * scale, "{case}, {name}: |Δ| {difference:e} of {scale:e}");
    }
}

#[test]
fn without_batch_statistics_they_are_those_of_one_pass() {
    struct Case {
        name: &'static str,
        image: ImageTower,
        /// Enough to freeze every batch normalization, if there are any.
        frozen_blocks: usize,
        freeze_layers: usize,
        views: &'static [bool],
        micro_batch: usize,
    }
    let swin = || Case {
        name: "swin",
        image: tower("swin.toml"),
        frozen_blocks: 0,
        freeze_layers: 0,
        views: &[false],
        micro_batch: 2,
    };
    for Case { name, image, frozen_blocks, freeze_layers, views, micro_batch } in [
        swin(),
        Case { name: "swin, one at a time", micro_batch: 1, ..swin() },
        Case { name: "swin, all images but not all sentences", micro_batch: IMAGES, ..swin() },
        Case { name: "swin, frozen text layers", freeze_layers: 2, ..swin() },
        Case { name: "swin, two wordings", views: &[false, true], ..swin() },
        Case { name: "resnet", image: tower("resnet.toml"), frozen_blocks: 99, ..swin() },
    ] {
        let mut setting = Setting::new(image, frozen_blocks, freeze_layers);
        let (whole_loss, whole) = setting.gradients(views, IMAGES + SENTENCES.len());
        let (loss, gradients) = setting.gradients(views, micro_batch);
        assert!((loss - whole_loss).abs() <= 1e-6 * whole_loss.abs(), "{name}: {loss} and {whole_loss}");
        assert_same(&gradients, &whole, name);
    }
}

#[test]
fn with_batch_statistics_they_are_those_of_the_micro_batches() {
    for (name, image) in [("resnet", tower("resnet.toml")), ("efficientnet", efficientnet_lite())] {
        let mut setting = Setting::new(image.clone(), 0, 0);
        let fresh = setting.buffers();
        let (_, gradients) = setting.gradients(&[false], 2);
        let other = Setting::new(image, 0, 0);
        assert_same(&gradients, &other.in_one_graph(2), name);
        assert_eq!(setting.buffers(), other.buffers(), "{name}: running statistics move once a micro-batch");
        assert_ne!(setting.buffers(), fresh, "{name}");
    }
}

#[test]
fn the_loss_of_two_wordings_is_the_mean_of_each() {
    let mut setting = Setting::new(tower("swin.toml"), 0, 0);
    let [first, second, both] =
        [&[false][..], &[true], &[false, true]].map(|views| setting.gradients(views, 100));
    assert!((f32::midpoint(first.0, second.0) - both.0).abs() < 1e-6);
    assert!((first.0 - second.0).abs() > 1e-4, "the wordings do not differ");
    let mean = |name: &String| ((&first.1[name] + &second.1[name]).unwrap() / 2.0).unwrap();
    let mean = both.1.keys().map(|name| (name.clone(), mean(name))).collect();
    assert_same(&both.1, &mean, "two wordings");
}

#[test]
fn shares_of_batches_add_up_to_their_mean() {
    let mut setting = Setting::new(tower("swin.toml"), 0, 0);
    let (first_loss, first) = setting.gradients(&[false], 100);
    let (_, second) = setting.gradients(&[true], 100);
    for micro_batch in [100, 3] {
        let parts = [setting.share(&[false], micro_batch, 0.5), setting.share(&[true], micro_batch, 0.5)];
        assert!((parts[0].0 - first_loss).abs() < 1e-6, "a loss is no share");
        let mut total = GradStore::default();
        for (_, part) in parts {
            add_gradients(&mut total, part, setting.model.store().parameters()).unwrap();
        }
        let mean = |name: &String| ((&first[name] + &second[name]).unwrap() / 2.0).unwrap();
        let mean = first.keys().map(|name| (name.clone(), mean(name))).collect();
        assert_same(&setting.named(&total), &mean, &format!("shares, micro-batches of {micro_batch}"));
    }
}

#[test]
fn inputs_that_do_not_fit_each_other_are_refused() {
    let mut setting = Setting::new(tower("swin.toml"), 0, 0);
    setting.sentence_labels.pop();
    let Setting { model, tokenizer, encoder, pixels, image_labels, sentence_labels } = &mut setting;
    let inputs = Inputs {
        pixels: pixels.clone(),
        image_labels,
        views: vec![TextView { pool: None, sentences: SENTENCES.to_vec() }],
        sentence_labels,
    };
    let objective = Setting::objective();
    let mut pass = Pass { model, tokenizer, encoder, objective, micro_batch: None };
    let error = pass.gradients(&inputs, 1.0).unwrap_err();
    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(reason, "5 images with 5 labels, [7] sentences with 6");
}
