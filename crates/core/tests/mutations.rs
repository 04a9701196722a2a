//! Damaged files of a bundle: no panic, no hang, memory bounded.
//!
//! `cargo test` runs a few thousand mutations. Many more, with the slowest file and, on Linux, the peak of memory:
//!
//! ```sh
//! MEDCLIP_MUTATIONS=40000 cargo test -p medclip-core --test mutations -- --nocapture
//! ```
//!
//! `MEDCLIP_MUTATION_SEED` starts elsewhere. A file that fails is written to the directory for temporary files.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a long test reports what it saw")]

#[path = "../../weights/tests/support/random.rs"]
#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod random;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use std::{env, fs};

use medclip_core::bank::PromptBank;
use medclip_core::golden::{Golden, golden_images, golden_sentences};
use medclip_core::prompt::check_meaning;
use medclip_core::quantization::Quantization;
use medclip_core::tokenize::from_vocabulary;
use medclip_core::{
    Architecture, BertConfig, Bundle, EfficientNetConfig, Embeddings, Head, ImageTower, LogitScale,
    ModelConfig, PreprocessConfig, PromptPooling, PromptSet, TextTower, Tokenizer, TokenizerConfig,
};

use random::mutate;
use random::shared::{Random, peak_memory};

const DEFAULT_COUNT: usize = 3000;
/// A mutated file may not take longer.
const MOST_TIME: Duration = Duration::from_secs(5);
/// Most memory that the process may have had, in KiB.
const MOST_MEMORY: u64 = 1 << 20;

const PROMPTS: &str = r#"
[ensemble]
draws = 3
seed = 5
[[class]]
name = "Cardiomegaly"
positive = { sentences = ["big heart"], templates = [[["mild", "severe", ""], ["big", "large"], ["heart"]]] }
negative = { sentences = ["normal heart"] }
"#;

#[test]
fn damaged_files_neither_panic_nor_hang_nor_outgrow_memory() {
    let number = |name: &str, default| env::var(name).map_or(default, |text| text.parse().unwrap());
    let (count, seed) = (number("MEDCLIP_MUTATIONS", DEFAULT_COUNT), number("MEDCLIP_MUTATION_SEED", 1));
    let seeds = seeds();
    let tokenizer = Tokenizer::from_bytes(&seeds[2].1, settings()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut random = Random(seed as u64);
    let (mut slowest, mut read) = ((Duration::ZERO, ""), 0);
    for round in 0..count {
        let (name, bytes) = &seeds[round % seeds.len()];
        let mutated = mutate(bytes, &mut random);
        let start = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| match *name {
            "SHA256SUMS" => {
                fs::write(directory.path().join(name), &mutated).unwrap();
                Bundle::open(directory.path()).is_ok()
            }
            _ => opens(name, &mutated, &tokenizer),
        }));
        let time = start.elapsed();
        if time > slowest.0 {
            slowest = (time, *name);
        }
        if result.is_err() || time > MOST_TIME {
            let path = env::temp_dir().join(format!("medclip-bundle-{seed}-{round}"));
            fs::write(&path, &mutated).unwrap();
            panic!("{name}, mutation {round} of seed {seed} panicked or took {time:?}: {}", path.display());
        }
        read += usize::from(result.unwrap());
    }
    let peak = peak_memory();
    eprintln!(
        "{count} mutations of {} files: {read} read, {} refused; slowest {:?} ({}); peak of memory {} MiB",
        seeds.len(),
        count - read,
        slowest.0,
        slowest.1,
        peak.map_or(0, |peak| peak >> 10),
    );
    assert!(peak.is_none_or(|peak| peak <= MOST_MEMORY), "{peak:?} KiB");
}

/// Whether the file called `name` can be read, and used as far as it goes.
fn opens(name: &str, bytes: &[u8], tokenizer: &Tokenizer) -> bool {
    let text = String::from_utf8_lossy(bytes);
    match name {
        "model.toml" => ModelConfig::parse(&text).is_ok(),
        "prompts.toml" => {
            let parsed = PromptSet::parse(&text);
            parsed.map(|set| check_meaning(&set.expand(), tokenizer)).is_ok()
        }
        "tokenizer.json" => {
            let read = Tokenizer::from_bytes(bytes, settings());
            read.map(|tokenizer| (tokenizer.encode("The heart is larger é 心."), tokenizer.letter_case()))
                .is_ok()
        }
        "prompt_bank.safetensors" => {
            let read = PromptBank::from_bytes(bytes);
            let image = vec![0.5; 2];
            read.map(|bank| bank.scores(&image, LogitScale::new(1.0), PromptPooling::Mean)).is_ok()
        }
        "golden.safetensors" => Golden::from_bytes(bytes).is_ok(),
        "quantization.json" => Quantization::from_bytes(bytes).is_ok(),
        _ => {
            let _ = Head::from_verified_bytes(bytes);
            Head::from_bytes(bytes).map(|head| head.scores(&[0.5, 0.5])).is_ok()
        }
    }
}

fn settings() -> TokenizerConfig {
    TokenizerConfig { lowercase: true, max_length: 77 }
}

fn rows(values: &[f32], dim: usize) -> Embeddings {
    Embeddings::new(values.to_vec(), dim).unwrap()
}

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let config = ModelConfig {
        format: ModelConfig::FORMAT,
        name: "tiny".to_owned(),
        description: "for tests".to_owned(),
        logit_scale: LogitScale::INITIAL,
        prompt_pooling: PromptPooling::Mean,
        architecture: Architecture {
            embedding_dim: 2,
            image: ImageTower::EfficientnetLite(EfficientNetConfig::lite0(1)),
            text: TextTower::Bert(BertConfig::minilm_l6()),
        },
        preprocess: PreprocessConfig::medclip(224, 1),
        tokenizer: settings(),
    };
    let vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\nbig\nlarge\nheart\nnormal\nmild\nsevere\n##r\n.\n";
    let classes = PromptSet::parse(PROMPTS).unwrap().expand();
    let sentences = classes[0].positive.len() + classes[0].negative.len();
    let bank = PromptBank::build(classes, rows(&[1.0, 0.0].repeat(sentences), 2)).unwrap();
    let golden = Golden::new(
        golden_images(),
        rows(&[1.0, 0.0].repeat(2), 2),
        golden_sentences(),
        rows(&[1.0, 0.0].repeat(golden_sentences().len()), 2),
    );
    let names = ["A", "B"].map(str::to_owned).to_vec();
    let head = Head::new("id".to_owned(), names, rows(&[1.0, 2.0, -3.0, 0.5], 2), rows(&[0.25, -1.0], 1));
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let sums = ["README.md", "golden.safetensors", "image.onnx", "model.toml", "prompt_bank.safetensors"]
        .into_iter()
        .chain(["prompts.toml", "text.onnx", "tokenizer.json"])
        .map(|name| format!("{sum}  {name}\n"));
    vec![
        ("model.toml", config.to_toml().unwrap().into_bytes()),
        ("prompts.toml", PROMPTS.as_bytes().to_vec()),
        ("tokenizer.json", from_vocabulary(vocabulary, true).unwrap()),
        ("prompt_bank.safetensors", bank.to_bytes().unwrap()),
        ("golden.safetensors", golden.unwrap().to_bytes().unwrap()),
        ("quantization.json", Quantization::new(Vec::new()).to_bytes().unwrap()),
        ("head.safetensors", head.unwrap().to_bytes().unwrap()),
        ("SHA256SUMS", sums.collect::<String>().into_bytes()),
    ]
}
