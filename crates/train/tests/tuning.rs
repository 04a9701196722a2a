//! Fine-tuning and prompt tuning of a small checkpoint on drawn films.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use medclip_core::stop::Stopped;
use medclip_core::{Embeddings, Finding, ModelConfig};
use medclip_data::Record;
use medclip_data::read_manifest_from;
use medclip_nn::{Decay, Schedule};
use medclip_stats::auroc;
use medclip_train::TrainError;
use medclip_train::checkpoint::StoredModel;
use medclip_train::data::AugmentConfig;
use medclip_train::tuning::finetune::Finetuned;
use medclip_train::tuning::{
    ClassTexts, ContextConfig, ContextPrompts, Films, FinetuneConfig, LinearHead, Targets, TrainingFilms,
    finetune, tune_context,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SIDE: u32 = 32;

fn checkpoint() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../export/tests/golden/checkpoint")
}

/// Rows of a manifest: films with and without an effusion, the first of them with an enlarged heart.
fn records(name: &str, outcomes: &[bool]) -> Vec<Record> {
    let mut manifest = String::from("path,split,source,patient_group,view");
    for finding in Finding::ALL {
        write!(manifest, ",{finding}").unwrap();
    }
    manifest.push('\n');
    for (index, present) in outcomes.iter().enumerate() {
        write!(manifest, "{name}-{index}.png,train,drawn,{name}-{index},PA").unwrap();
        for finding in Finding::ALL {
            let cell = match finding {
                Finding::PleuralEffusion => ["0", "1"][usize::from(*present)],
                Finding::Cardiomegaly => ["0", "1"][usize::from(index == 0)],
                _ => "",
            };
            write!(manifest, ",{cell}").unwrap();
        }
        manifest.push('\n');
    }
    read_manifest_from(manifest.as_bytes()).unwrap()
}

/// Stripes of random width, contrast and offset under noise: upright ones are an effusion, level ones are none.
fn films(directory: &Path, name: &str, count: usize) -> Vec<Record> {
    let mut rng = ChaCha8Rng::seed_from_u64(count as u64);
    let outcomes: Vec<bool> = (0..count).map(|index| index % 2 == 0).collect();
    let records = records(name, &outcomes);
    for (record, upright) in records.iter().zip(&outcomes) {
        let (turn, offset): (f32, f32) = (rng.random_range(0.5..1.2), rng.random_range(0.0..6.0));
        let contrast: f32 = rng.random_range(20.0..60.0);
        let image = image::GrayImage::from_fn(SIDE, SIDE, |x, y| {
            let along = if *upright { x } else { y } as f32;
            let value = 120.0 + contrast * (along * turn + offset).sin() + rng.random_range(-20.0..20.0);
            image::Luma([value as u8])
        });
        image.save(directory.join(&record.path)).unwrap();
    }
    records
}

/// Films to fit on, films to evaluate on, and what the former say.
struct Setting {
    _directory: tempfile::TempDir,
    start: StoredModel,
    films: TrainingFilms,
    evaluation: Films,
    targets: Targets,
}

impl Setting {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let start = StoredModel::open(checkpoint()).unwrap();
        let preprocess = start.config().preprocess.clone();
        let (fit, evaluation) =
            (films(directory.path(), "fit", 48), films(directory.path(), "evaluation", 40));
        let (fit, evaluation): (Vec<_>, Vec<_>) = (fit.iter().collect(), evaluation.iter().collect());
        let augment = AugmentConfig { rotate_degrees: 0.0, ..AugmentConfig::default() };
        let films = TrainingFilms::load("fit", &fit, directory.path(), &preprocess, augment).unwrap();
        let evaluation = Films::load("evaluation", &evaluation, directory.path(), &preprocess).unwrap();
        let rows: Vec<usize> = (0..48).collect();
        let (targets, left_out) = Targets::new(films.films().records(), &rows, 5);
        assert_eq!(targets.findings(), [Finding::PleuralEffusion], "one enlarged heart is too few");
        assert_eq!(left_out.len(), 13);
        Self { _directory: directory, start, films, evaluation, targets }
    }

    fn finetune(&self, config: &FinetuneConfig) -> Finetuned {
        finetune(&self.start, &self.films, &self.targets, config, |_| Ok(())).unwrap()
    }

    /// AUROC on the films that were not fitted.
    fn auroc(&self, tuned: &Finetuned) -> f64 {
        let embeddings = self.evaluation.embed(&tuned.model, usize::MAX, |_| Ok(())).unwrap();
        let records = self.evaluation.records().iter();
        let present = records.map(|r| r.annotations[Finding::PleuralEffusion.index()].known().unwrap());
        auroc(&tuned.head.logits(&embeddings)[0], &present.collect::<Vec<_>>()).unwrap()
    }
}

const CONFIG: FinetuneConfig = FinetuneConfig {
    seed: 3,
    epochs: 12,
    batch: 8,
    learning_rate: 5e-3,
    trunk_rate: 1.0,
    layer_decay: 1.0,
    freeze_blocks: 0,
    batch_statistics: false,
    head_c: 1e-2,
    optimizer: medclip_nn::AdamWConfig {
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        weight_decay: 1e-2,
        clip_norm: 1.0,
    },
    schedule: Schedule { warmup: 0.1, floor: 0.01, decay: Decay::Cosine },
};

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Names of the tensors that are not, bit for bit, those of the checkpoint.
fn moved(setting: &Setting, tuned: &Finetuned) -> Vec<String> {
    let before = setting.start.model(|_| true).unwrap().store().all();
    let after = tuned.model.store().all().into_iter();
    after.filter(|(name, tensor)| values(tensor) != values(&before[name])).map(|(name, _)| name).collect()
}

#[test]
fn a_fine_tune_ranks_better_than_the_head_it_starts_from_and_repeats() {
    let setting = Setting::new();
    let stopped = finetune(&setting.start, &setting.films, &setting.targets, &CONFIG, |_| Err(Stopped));
    assert!(matches!(stopped, Err(TrainError::Stopped(_))), "a fit ends at the next step");
    let start = setting.finetune(&FinetuneConfig { epochs: 0, ..CONFIG });
    assert_eq!(moved(&setting, &start), [""; 0], "no epoch moves nothing");
    let tuned = setting.finetune(&CONFIG);
    let (before, after) = (setting.auroc(&start), setting.auroc(&tuned));
    assert!(before < 0.85 && after > 0.95, "AUROC {before} to {after}");
    let (first, last) = (tuned.losses[0], tuned.losses[11]);
    assert!(last < first / 2.0, "{:?}", tuned.losses);

    let again = setting.finetune(&CONFIG);
    assert_eq!((&again.head, &again.losses), (&tuned.head, &tuned.losses));
    let (again, tuned) = (again.model.store().all(), tuned.model.store().all());
    assert!(again.iter().all(|(name, tensor)| values(tensor) == values(&tuned[name])));
    let other = setting.finetune(&FinetuneConfig { seed: 4, epochs: 1, ..CONFIG });
    assert_ne!(other.losses[0], first);
}

#[test]
fn only_what_is_not_frozen_moves() {
    let setting = Setting::new();
    let one = FinetuneConfig { epochs: 1, ..CONFIG };
    let all = moved(&setting, &setting.finetune(&one));
    assert!(all.iter().all(|name| name.starts_with("vision_model.")), "{all:?}");
    assert!(all.iter().any(|name| name == "vision_model.model.stem.conv.weight"), "{all:?}");
    assert!(!all.iter().any(|name| name.contains("running_")), "statistics are kept: {all:?}");

    let frozen = FinetuneConfig { freeze_blocks: 3, batch_statistics: true, ..one };
    let upper = moved(&setting, &setting.finetune(&frozen));
    let is_lower = |name: &String| {
        name.contains(".stem.") || (0..3).any(|block| name.contains(&format!(".blocks.{block}.")))
    };
    assert!(!upper.iter().any(is_lower), "{upper:?}");
    assert!(upper.iter().any(|name| name == "vision_model.model.blocks.3.project.bn.running_var"));
    assert!(upper.iter().any(|name| name == "vision_model.projection_head.weight"));
}

#[test]
fn a_tower_without_statistics_is_not_fitted_by_them() {
    let mut setting = Setting::new();
    let weights: BTreeMap<String, Tensor> = setting
        .start
        .model(|_| true)
        .unwrap()
        .store()
        .all()
        .into_iter()
        .map(|(name, tensor)| {
            let tensor = match name.rsplit('.').next() {
                Some("running_mean") => tensor.zeros_like().unwrap(),
                Some("running_var") => tensor.ones_like().unwrap(),
                _ => tensor,
            };
            (name, tensor)
        })
        .collect();
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("restored");
    let config: ModelConfig = setting.start.config().clone();
    setting.start.write_with(&target, &config, &weights).unwrap();
    setting.start = StoredModel::open(&target).unwrap();

    let config = FinetuneConfig { epochs: 1, batch_statistics: true, ..CONFIG };
    let refused = finetune(&setting.start, &setting.films, &setting.targets, &config, |_| Ok(()));
    let message = refused.err().unwrap().to_string();
    assert!(message.contains("weights.safetensors") && message.contains("identities"), "{message}");
    assert_eq!(setting.finetune(&FinetuneConfig { batch_statistics: false, ..config }).losses.len(), 1);
}

#[test]
fn context_of_words_says_what_the_sentence_says() {
    let start = StoredModel::open(checkpoint()).unwrap();
    let (model, tokenizer) = (start.model(|_| true).unwrap(), start.tokenizer().unwrap());
    let text = |positive: &str, negative: &str| ClassTexts {
        finding: Finding::PleuralEffusion,
        positive: positive.to_owned(),
        negative: negative.to_owned(),
    };
    // The two prompts are of different lengths, so one is padded.
    let texts = [text("is enlarged .", "is normal in size .")];
    let config = ContextConfig { vectors: 2, ..ContextConfig::default() };
    let prompts = ContextPrompts::new(&model, &tokenizer, &texts, &config).unwrap();
    let words = model.text().words(&tokenizer.batch(&["the heart"]).unwrap()).unwrap();
    let found = prompts.directions(&model, &words.narrow(1, 1, 2).unwrap()).unwrap();

    let embed = |sentence: &str| model.embed_texts(&tokenizer.batch(&[sentence]).unwrap()).unwrap();
    let expected = (embed("the heart is enlarged .") - embed("the heart is normal in size .")).unwrap();
    for (found, expected) in values(&found).iter().zip(values(&expected)) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }

    let long = ContextConfig { vectors: 30, ..config };
    let message = ContextPrompts::new(&model, &tokenizer, &texts, &long).err().unwrap().to_string();
    assert!(message.contains("30 and a prompt of 7 tokens are more than the 32"), "{message}");
}

#[test]
fn context_is_learned_back_from_what_it_says_of_films() {
    let start = StoredModel::open(checkpoint()).unwrap();
    let (model, tokenizer) = (start.model(|_| true).unwrap(), start.tokenizer().unwrap());
    let texts = ClassTexts::of(&[Finding::PleuralEffusion], None);
    let config =
        ContextConfig { vectors: 4, epochs: 30, batch: 32, learning_rate: 3e-2, ..ContextConfig::default() };
    let prompts = ContextPrompts::new(&model, &tokenizer, &texts, &config).unwrap();

    // Films in random directions, and a hidden context that says which of them have an effusion.
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut random = |count: usize| (0..count).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f32>>();
    let hidden = Tensor::from_vec(random(4 * 24), (1, 4, 24), &Device::Cpu).unwrap();
    let hidden = values(&prompts.directions(&model, &hidden).unwrap());
    let mut drawn = |count: usize| {
        let rows: Vec<Vec<f32>> = (0..count).map(|_| random(16)).collect();
        let norm = |row: &[f32]| row.iter().map(|x| x * x).sum::<f32>().sqrt();
        let units = rows.iter().flat_map(|row| row.iter().map(|x| x / norm(row)).collect::<Vec<_>>());
        let units = Embeddings::new(units.collect(), 16).unwrap();
        let dot = |row: &[f32]| row.iter().zip(&hidden).map(|(a, b)| a * b).sum::<f32>();
        let outcomes: Vec<bool> = units.iter().map(|row| dot(row) > 0.0).collect();
        (units, outcomes)
    };
    let ((fit, known), (evaluation, outcomes)) = (drawn(200), drawn(100));
    let rows: Vec<usize> = (0..200).collect();
    let (targets, _) = Targets::new(&records("fit", &known), &rows, 5);

    let auroc_of = |head: &LinearHead| auroc(&head.logits(&evaluation)[0], &outcomes).unwrap();
    for per_finding in [false, true] {
        let config = ContextConfig { per_finding, ..config };
        let tune = |config: &ContextConfig| {
            tune_context(&model, &prompts, &fit, &targets, config, |_| Ok(())).unwrap()
        };
        let tuned = tune(&config);
        assert!(tuned.losses[29] < tuned.losses[0] - 0.05, "{:?}", tuned.losses);
        let (before, after) =
            (auroc_of(&tune(&ContextConfig { epochs: 0, ..config }).head), auroc_of(&tuned.head));
        assert!(1.0 - after < (1.0 - before) / 2.0, "AUROC {before} to {after}");
        let again = tune(&config);
        assert_eq!((again.head, again.losses), (tuned.head, tuned.losses));
    }
}
