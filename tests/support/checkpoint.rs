//! Checkpoints with random weights.

use std::fs;
use std::path::Path;

use medclip_core::PromptPooling;
use medclip_core::architecture::{
    Architecture, BertConfig, EfficientNetConfig, EfficientNetStage, ImageTower, ResNetConfig, SwinConfig,
    TextPooling, TextTower,
};
use medclip_core::model::ModelConfig;
use medclip_core::preprocess::PreprocessConfig;
use medclip_core::tokenize::TokenizerConfig;
use medclip_export::parameters;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Map, Value, json};

/// Words of the tokenizer, in the order of their ids; the first five are BERT's special tokens.
const VOCABULARY: &[&str] = &[
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    ".",
    ",",
    "no",
    "the",
    "is",
    "are",
    "there",
    "heart",
    "lungs",
    "lung",
    "clear",
    "large",
    "enlarged",
    "normal",
    "size",
    "pleural",
    "effusion",
    "mild",
    "moderate",
    "severe",
    "left",
    "right",
    "opacity",
    "cardiomegaly",
    "pneumothorax",
    "##s",
];

/// The smallest model with every kind of block and layer: 32-pixel images, two text layers, 16 dimensions.
pub fn tiny_config(pooling: TextPooling) -> ModelConfig {
    let stage = |blocks, kernel, stride, expand, channels| EfficientNetStage {
        blocks,
        kernel,
        stride,
        expand,
        channels,
    };
    ModelConfig {
        format: ModelConfig::FORMAT,
        name: "tiny".to_owned(),
        description: "Random weights, for tests".to_owned(),
        architecture: Architecture {
            embedding_dim: 16,
            image: ImageTower::EfficientnetLite(EfficientNetConfig {
                channels: 1,
                stem: 8,
                stages: vec![stage(1, 3, 1, 1, 8), stage(2, 5, 2, 2, 12)],
                head: 24,
                batch_norm_eps: 1e-3,
            }),
            text: TextTower::Bert(BertConfig {
                vocab_size: VOCABULARY.len(),
                hidden_size: 16,
                num_hidden_layers: 3,
                num_attention_heads: 2,
                intermediate_size: 32,
                max_position_embeddings: 48,
                type_vocab_size: 2,
                layer_norm_eps: 1e-12,
                pooling,
                projection_bias: false,
            }),
        },
        logit_scale: 3.0,
        prompt_pooling: PromptPooling::Mean,
        preprocess: PreprocessConfig { pad_min_side: 0, ..PreprocessConfig::medclip(32, 1) },
        tokenizer: TokenizerConfig { lowercase: true, max_length: 40 },
    }
}

/// [`tiny_config`] with the published model's kinds of image tower: a Swin whose windows are shifted and padded, and a
/// ResNet of two stages, on three channels.
pub fn tiny_published_configs() -> [ModelConfig; 2] {
    let swin = SwinConfig {
        patch_size: 2,
        embed_dim: 8,
        depths: vec![2, 2],
        num_heads: vec![2, 4],
        window_size: 3,
        mlp_ratio: 2,
        ..SwinConfig::tiny(1)
    };
    let resnet = ResNetConfig { width: 8, blocks: vec![1, 2], ..ResNetConfig::resnet50(3) };
    [ImageTower::Swin(swin), ImageTower::Resnet(resnet)].map(|image| {
        let mut config = tiny_config(TextPooling::Masked);
        config.preprocess.channels = image.channels();
        config.architecture.image = image;
        config
    })
}

/// Writes a checkpoint of `config` to the new directory `directory`: the same weights for the same seed.
///
/// Kernels are uniform with a variance that keeps activations of order one through the depth.
///
/// # Panics
/// When the architecture is impossible or the directory cannot be written.
pub fn random_checkpoint(directory: &Path, config: &ModelConfig, seed: u64) {
    fs::create_dir_all(directory).expect("a writable directory");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = parameters(&config.architecture)
        .expect("a possible architecture")
        .into_iter()
        .map(|parameter| {
            let len = parameter.shape.iter().product();
            let mut value = || weight(&parameter.name, &parameter.shape, config.logit_scale, &mut rng);
            let data = (0..len).flat_map(|_| value().to_le_bytes()).collect();
            (parameter.name, parameter.shape, data)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, data)| {
        (name, TensorView::new(Dtype::F32, shape.clone(), data).expect("as many values as the shape has"))
    });
    let weights = safetensors::serialize(views, None).expect("weights of distinct names");
    let model = config.to_toml().expect("a sound configuration");
    for (file, bytes) in [
        ("weights.safetensors", weights),
        ("model.toml", model.into_bytes()),
        ("tokenizer.json", tokenizer().to_string().into_bytes()),
    ] {
        fs::write(directory.join(file), bytes).expect("a writable directory");
    }
}

fn weight(name: &str, shape: &[usize], logit_scale: f32, rng: &mut ChaCha8Rng) -> f32 {
    if name == "logit_scale" {
        return logit_scale;
    }
    if name.ends_with("running_var") {
        return rng.random_range(0.5..2.0);
    }
    let fan_in: usize = shape.iter().skip(1).product();
    match shape.len() {
        // Scales of norms around 1, everything else of one axis around 0.
        0 | 1 if name.ends_with("weight") => rng.random_range(0.8..1.2),
        0 | 1 => rng.random_range(-0.2..0.2),
        _ => rng.random_range(-1.0..1.0) * (6.0 / fan_in as f32).sqrt(),
    }
}

fn tokenizer() -> Value {
    let vocabulary: Map<String, Value> =
        VOCABULARY.iter().enumerate().map(|(id, token)| ((*token).to_owned(), id.into())).collect();
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true
        },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": null,
        "decoder": null,
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": vocabulary
        },
    })
}
