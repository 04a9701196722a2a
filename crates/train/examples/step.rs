//! Times whole training steps on random weights and prints where their seconds go, as one line of JSON.
//!
//! ```text
//! cargo run --release -p medclip-train --example step -- --image swin-tiny --text bio-clinical-bert --batch 16 --sequence 32
//! cargo run --release -p medclip-train --example step -- --image efficientnet-lite0 --size 160 --text minilm-l6 \
//!     --batch 48 --sentences 96 --sequence 24 --freeze-blocks 3 --freeze-layers 4
//! ```
//!
//! `step_reference.py` does the same in PyTorch and `step_compare.py` runs both in turns.

use std::io::Write;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use candle_core::Tensor;
use clap::Parser;
use medclip_core::tokenize::from_vocabulary;
use medclip_core::{
    Architecture, BertConfig, EfficientNetConfig, Finding, ImageTower, ResNetConfig, SwinConfig, TextTower,
    Tokenizer, TokenizerConfig,
};
use medclip_nn::{
    AdamW, AdamWConfig, Compute, ComputePrecision, DeviceName, MedClip, backward, tower::Phase,
    tower::Prefix, tower::frozen_with,
};
use medclip_train::{LabelSimilarity, Objective};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

/// Groups that sentences with known lower layers are embedded in, as training does.
const GROUPS: usize = 4;

#[derive(Parser)]
struct Arguments {
    /// swin-tiny, resnet50 or efficientnet-lite0.
    #[arg(long, default_value = "swin-tiny")]
    image: String,
    /// Side of the images in pixels.
    #[arg(long, default_value_t = 224)]
    size: usize,
    /// Channels of the images.
    #[arg(long, default_value_t = 3)]
    channels: usize,
    /// bio-clinical-bert or minilm-l6.
    #[arg(long, default_value = "bio-clinical-bert")]
    text: String,
    /// Tokens of every sentence.
    #[arg(long, default_value_t = 32)]
    sequence: usize,
    /// Images of a step.
    #[arg(long, default_value_t = 16)]
    batch: usize,
    /// Sentences of a step; as many as images when left out.
    #[arg(long)]
    sentences: Option<usize>,
    /// Image blocks that do not train.
    #[arg(long, default_value_t = 0)]
    freeze_blocks: usize,
    /// Text layers, embeddings included, that do not train; what they make of the sentences is computed once.
    #[arg(long, default_value_t = 0)]
    freeze_layers: usize,
    /// Steps before the clock starts.
    #[arg(long, default_value_t = 2)]
    warmup: usize,
    /// Steps that are timed.
    #[arg(long, default_value_t = 5)]
    steps: usize,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// cpu, cuda or cuda:1.
    #[arg(long, default_value_t)]
    device: DeviceName,
    /// f32 or bf16.
    #[arg(long, default_value = "f32", value_parser = precision)]
    precision: ComputePrecision,
}

fn main() -> Result<()> {
    keep_freed_memory();
    let arguments = Arguments::parse();
    // candle reads the variable when a product first runs, rayon when its pool starts.
    if std::env::var("RAYON_NUM_THREADS").ok() != Some(arguments.threads.to_string()) {
        bail!("run with RAYON_NUM_THREADS={}", arguments.threads);
    }
    let mut run = Run::new(&arguments)?;
    for _ in 0..arguments.warmup {
        run.step()?;
    }
    let (cpu_start, mut parts) = (cpu_seconds()?, Vec::new());
    for _ in 0..arguments.steps {
        parts.push(run.step()?);
    }
    let cpu = (cpu_seconds()? - cpu_start) / arguments.steps as f64;
    let median = |pick: fn(&Parts) -> f64| {
        let mut values: Vec<f64> = parts.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    let line = json!({
        "seconds": median(Parts::total),
        "image": median(|p| p.image),
        "text": median(|p| p.text),
        "loss": median(|p| p.loss),
        "backward": median(|p| p.backward),
        "optimizer": median(|p| p.optimizer),
        "cpu_seconds": cpu,
        "peak_mib": status_mib("VmHWM:")?,
        "last_loss": parts.last().map(|p| p.value),
    });
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(())
}

/// Seconds of one step, and its loss.
struct Parts {
    image: f64,
    text: f64,
    loss: f64,
    backward: f64,
    optimizer: f64,
    value: f32,
}

impl Parts {
    fn total(&self) -> f64 {
        self.image + self.text + self.loss + self.backward + self.optimizer
    }
}

/// A model with the inputs that every step repeats.
struct Run {
    model: MedClip,
    optimizer: AdamW,
    pixels: Tensor,
    sentences: Sentences,
    image_labels: Vec<[f32; Finding::COUNT]>,
    text_labels: Vec<[f32; Finding::COUNT]>,
}

enum Sentences {
    Tokens(medclip_core::batch::TokenBatch),
    Prefixes(Vec<Prefix>),
}

impl Run {
    fn new(arguments: &Arguments) -> Result<Self> {
        let image = match arguments.image.as_str() {
            "swin-tiny" => ImageTower::Swin(SwinConfig::tiny(arguments.channels)),
            "resnet50" => ImageTower::Resnet(ResNetConfig::resnet50(arguments.channels)),
            "efficientnet-lite0" => {
                ImageTower::EfficientnetLite(EfficientNetConfig::lite0(arguments.channels))
            }
            other => bail!("no image tower {other}"),
        };
        let text = match arguments.text.as_str() {
            "bio-clinical-bert" => BertConfig::bio_clinical(),
            "minilm-l6" => BertConfig::minilm_l6(),
            other => bail!("no text tower {other}"),
        };
        let frozen = {
            let (blocks, layers, image) = (arguments.freeze_blocks, arguments.freeze_layers, image.clone());
            move |name: &str| is_frozen(name, &image, blocks, layers)
        };
        let vocabulary = text.vocab_size;
        let architecture = Architecture { embedding_dim: 512, image, text: TextTower::Bert(text) };
        let compute = Compute { device: arguments.device.open()?, precision: arguments.precision };
        let model = MedClip::new(&architecture, 1, compute, frozen.clone())?
            .with_frozen_image_blocks(arguments.freeze_blocks);
        let rate = |name: &str| if frozen(name) { 0.0 } else { 1.0 };
        let optimizer = AdamW::new(AdamWConfig::default(), model.store().parameters(), rate)?;

        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let shape = (arguments.batch, arguments.channels, arguments.size, arguments.size);
        let count = arguments.batch * arguments.channels * arguments.size * arguments.size;
        let pixels: Vec<f32> = (0..count).map(|_| rng.random_range(-2.0..2.0)).collect();
        let count = arguments.sentences.unwrap_or(arguments.batch);
        let sentences = sentences(arguments, count, vocabulary, &model, &mut rng)?;
        let mut labels = |count| {
            let label = |_| [(); Finding::COUNT].map(|()| f32::from(u8::from(rng.random_bool(0.2))));
            (0..count).map(label).collect()
        };
        Ok(Self {
            pixels: Tensor::from_vec(pixels, shape, model.store().device())?,
            sentences,
            image_labels: labels(arguments.batch),
            text_labels: labels(count),
            model,
            optimizer,
        })
    }

    fn step(&mut self) -> Result<Parts> {
        let mut clock = Instant::now();
        let device = self.model.store().device().clone();
        let mut lap = || -> Result<f64> {
            device.synchronize()?;
            let seconds = clock.elapsed().as_secs_f64();
            clock = Instant::now();
            Ok(seconds)
        };
        let images = self.model.embed_images(&self.pixels, Phase::Train)?;
        let image = lap()?;
        let texts = match &self.sentences {
            Sentences::Tokens(tokens) => self.model.embed_texts(tokens)?,
            Sentences::Prefixes(prefixes) => {
                let groups = prefixes.chunks(prefixes.len().div_ceil(GROUPS));
                let parts = groups
                    .map(|group| self.model.embed_prefixes(&group.iter().collect::<Vec<_>>()))
                    .collect::<candle_core::Result<Vec<_>>>()?;
                Tensor::cat(&parts, 0)?
            }
        };
        let text = lap()?;
        let logits = self.model.logits(&images, &texts)?;
        let objective =
            Objective::SemanticMatching { similarity: LabelSimilarity::Cosine, label_temperature: 1.0 };
        let objective = objective.loss(&logits, &self.image_labels, &self.text_labels)?;
        let loss = lap()?;
        let gradients = backward(&objective)?;
        let backward = lap()?;
        self.optimizer.step(&gradients, 1e-5)?;
        let optimizer = lap()?;
        Ok(Parts { image, text, loss, backward, optimizer, value: objective.to_scalar()? })
    }
}

fn precision(text: &str) -> Result<ComputePrecision, String> {
    match text {
        "f32" => Ok(ComputePrecision::F32),
        "bf16" => Ok(ComputePrecision::Bf16),
        _ => Err("give f32 or bf16".to_owned()),
    }
}

fn is_frozen(name: &str, image: &ImageTower, blocks: usize, layers: usize) -> bool {
    if let Some(rest) = name.strip_prefix("text_model.model.") {
        let layer = rest.strip_prefix("encoder.layer.").and_then(|r| r.split('.').next()?.parse().ok());
        return layer.map_or(layers > 0 && rest.starts_with("embeddings."), |k: usize| k < layers);
    }
    let rest = name.strip_prefix("vision_model.model.");
    rest.and_then(|rest| frozen_with(image, rest)).is_some_and(|lowest| lowest <= blocks)
}

/// Sentences of random words, each `sequence` tokens long.
fn sentences(
    arguments: &Arguments,
    count: usize,
    vocabulary: usize,
    model: &MedClip,
    rng: &mut ChaCha8Rng,
) -> Result<Sentences> {
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
    let words = vocabulary - special.len();
    let lines = special.map(str::to_owned).into_iter().chain((0..words).map(|word| format!("w{word}")));
    let file = from_vocabulary(&lines.collect::<Vec<_>>().join("\n"), true)?;
    let settings = TokenizerConfig { lowercase: true, max_length: arguments.sequence };
    let tokenizer = Tokenizer::from_bytes(&file, settings)?;
    let texts: Vec<String> = (0..count)
        .map(|_| {
            let words = (2..arguments.sequence).map(|_| format!("w{}", rng.random_range(0..words)));
            words.collect::<Vec<_>>().join(" ")
        })
        .collect();
    if arguments.freeze_layers == 0 {
        return Ok(Sentences::Tokens(tokenizer.batch(&texts)?));
    }
    let prefix = |text| Ok(model.text().prefix(&tokenizer.batch(&[text])?, arguments.freeze_layers)?);
    Ok(Sentences::Prefixes(texts.iter().map(prefix).collect::<Result<_>>()?))
}

/// User and system seconds of this process, from its ticks of 10 ms.
fn cpu_seconds() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let (_, rest) = text.rsplit_once(')').context("/proc/self/stat has no name")?;
    let ticks = |at: usize| -> Result<f64> {
        Ok(rest.split_whitespace().nth(at).context("/proc/self/stat is short")?.parse()?)
    };
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// A line of `/proc/self/status`, in MiB.
fn status_mib(key: &str) -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(key)).context("no such line of status")?;
    let kib: f64 = line.split_whitespace().next().context("an empty line of status")?.parse()?;
    Ok(kib / 1024.0)
}

/// What `medclip train` sets too: the allocator keeps large blocks instead of returning each to the system.
fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code, reason = "the C library's tuning call has no safe wrapper")]
    // SAFETY: mallopt only stores two numbers in the allocator; no other thread of this program runs yet.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}
