//! A model of random weights: shapes, sharing between threads, refusals.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use medclip_core::architecture::TextPooling;
use medclip_core::bundle::{BundleFile, BundleWriter};
use medclip_core::preprocess::{PreprocessConfig, Preprocessor};
use medclip_export::{Checkpoint, GraphOptions};
use medclip_runtime::{
    Bundle, EncodeError, GrayImage, ImageBatch, LoadError, Model, ModelOptions, PromptSet, embed_sentences,
};
use medclip_tests::{PROMPTS, random_checkpoint, tiny_bundle, tiny_config};
use tempfile::TempDir;

const SENTENCES: [&str; 4] = [
    "There is a left pleural effusion.",
    "Clear.",
    "No pleural effusion, no pneumothorax, no opacity, the heart is normal in size, the lungs are clear, no effusion.",
    "",
];

fn bundle() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = tiny_bundle(directory.path());
    (directory, path)
}

fn open(path: &Path, threads: usize) -> Model {
    let threads = NonZeroUsize::new(threads).unwrap();
    Model::open_with(path, ModelOptions { threads, ..ModelOptions::default() }).unwrap()
}

fn batch(model: &Model, images: u32) -> ImageBatch {
    let image = |seed| {
        let pixels = (0..32 * 32).map(|index: u32| (index * (seed + 3) % 251) as u8).collect();
        GrayImage::new(32, 32, pixels).unwrap()
    };
    model.preprocessor().batch(&(0..images).map(image).collect::<Vec<_>>()).unwrap()
}

#[test]
fn rows_are_unit_vectors_whatever_the_batch_and_the_threads() {
    let (_directory, path) = bundle();
    let serial = open(&path, 1);
    let parallel = open(&path, 3);
    let together = serial.embed_images(&batch(&serial, 5)).unwrap();
    assert_eq!((together.rows(), together.dim()), (5, 16));
    assert_eq!(together, parallel.embed_images(&batch(&parallel, 5)).unwrap());
    for row in &together {
        assert!((row.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-5);
    }
    assert_eq!(together.row(0), parallel.embed_images(&batch(&parallel, 1)).unwrap().row(0));
    assert_ne!(together.row(0), together.row(1));
}

#[test]
fn a_sentence_does_not_depend_on_its_company_under_masked_pooling() {
    let (_directory, path) = bundle();
    let model = open(&path, 2);
    let together = model.embed_texts(&SENTENCES).unwrap();
    for (index, sentence) in SENTENCES.iter().enumerate() {
        assert_eq!(together.row(index), model.embed_texts(&[sentence]).unwrap().row(0), "{sentence}");
    }
}

#[test]
fn padding_to_a_bucket_changes_nothing_under_masked_pooling() {
    let directory = tempfile::tempdir().unwrap();
    let embed = |name: &str, max_length: usize, pooling| {
        let mut config = tiny_config(pooling);
        config.tokenizer.max_length = max_length;
        let path = directory.path().join(name);
        random_checkpoint(&path, &config, 1);
        let checkpoint = Checkpoint::open(path).unwrap();
        let graph = checkpoint.text_graph(&GraphOptions::default()).unwrap();
        let sentence = ["Clear lungs."]; // five tokens with [CLS] and [SEP]
        embed_sentences(
            &graph,
            checkpoint.config(),
            checkpoint.tokenizer(),
            &sentence,
            ModelOptions::default(),
        )
        .unwrap()
    };
    let padded = embed("padded", 40, TextPooling::Masked);
    let exact = embed("exact", 5, TextPooling::Masked);
    for (a, b) in padded.row(0).iter().zip(exact.row(0)) {
        assert!((a - b).abs() < 1e-6, "{a} and {b}");
    }
}

#[test]
fn padding_takes_part_in_reference_pooling() {
    let directory = tempfile::tempdir().unwrap();
    random_checkpoint(directory.path(), &tiny_config(TextPooling::Reference), 1);
    let checkpoint = Checkpoint::open(directory.path()).unwrap();
    let graph = checkpoint.text_graph(&GraphOptions::default()).unwrap();
    let embed = |sentences: &[&str]| {
        embed_sentences(
            &graph,
            checkpoint.config(),
            checkpoint.tokenizer(),
            sentences,
            ModelOptions::default(),
        )
        .unwrap()
    };
    let alone = embed(&SENTENCES[..1]);
    assert_ne!(alone.row(0), embed(&[SENTENCES[0], SENTENCES[2]]).row(0), "a longer neighbour pads it");
    assert_eq!(alone.row(0), embed(&[SENTENCES[0], SENTENCES[1]]).row(0), "a shorter one does not");
}

#[test]
fn one_model_serves_many_threads() {
    let (_directory, path) = bundle();
    let model = open(&path, 2);
    let images = batch(&model, 3);
    let scores = model.classify(&images).unwrap();
    let texts = open(&path, 1).embed_texts(&SENTENCES).unwrap();
    thread::scope(|scope| {
        for worker in 0..8 {
            let (model, images, scores, texts) = (&model, &images, &scores, &texts);
            scope.spawn(move || {
                for _ in 0..5 {
                    if worker % 2 == 0 {
                        assert_eq!(&model.classify(images).unwrap(), scores);
                    } else {
                        assert_eq!(
                            &model.embed_texts(&SENTENCES).unwrap(),
                            texts,
                            "loaded once, by whoever is first"
                        );
                    }
                }
            });
        }
    });
}

#[test]
fn prompts_of_the_bundle_and_of_the_caller_agree() {
    let (_directory, path) = bundle();
    let model = open(&path, 2);
    let images = batch(&model, 2);
    let banked = model.classify(&images).unwrap();
    assert_eq!(model.class_names().collect::<Vec<_>>(), medclip_tests::CLASSES);
    let model = model.with_prompts(&PromptSet::parse(PROMPTS).unwrap()).unwrap();
    assert_eq!(model.classify(&images).unwrap(), banked);
}

#[test]
fn images_of_another_preprocessor_and_empty_batches_are_refused() {
    let (_directory, path) = bundle();
    let model = open(&path, 1);
    let image = GrayImage::new(8, 8, vec![0; 64]).unwrap();
    let other = Preprocessor::new(PreprocessConfig::medclip(16, 3)).unwrap();
    let refused = model.embed_images(&other.batch(&[image]).unwrap()).unwrap_err();
    assert!(matches!(refused, EncodeError::ImageShape { expected: [1, 32, 32], actual: [3, 16, 16] }));
    assert!(matches!(model.embed_texts::<&str>(&[]), Err(EncodeError::Empty)));
}

/// The bundle at `path` with other contents for one file and sums that say so.
fn replace(path: &Path, file: BundleFile, contents: &[u8]) -> PathBuf {
    let target = path.with_file_name("edited");
    let mut writer = BundleWriter::create(&target, true).unwrap();
    for each in BundleFile::ALL {
        let bytes =
            if each == file { contents.to_vec() } else { fs::read(path.join(each.file_name())).unwrap() };
        writer.add(each, &bytes).unwrap();
    }
    writer.finish().unwrap();
    target
}

#[test]
fn a_graph_of_another_model_is_refused_naming_the_file() {
    let (directory, path) = bundle();
    let image = |edit: fn(&mut medclip_core::ModelConfig)| {
        let mut config = tiny_config(TextPooling::Masked);
        edit(&mut config);
        let checkpoint = directory.path().join("other");
        random_checkpoint(&checkpoint, &config, 2);
        let graph = Checkpoint::open(checkpoint).unwrap().image_graph(&GraphOptions::default()).unwrap();
        Model::open(replace(&path, BundleFile::ImageGraph, &graph))
    };
    let refusals = [
        image(|config| config.preprocess.image_size = 64),
        image(|config| config.architecture.embedding_dim = 8),
        image(|config| config.preprocess.mean = 0.5),
    ];
    for refusal in refusals {
        let error = refusal.unwrap_err();
        assert!(
            matches!(&error, LoadError::WrongGraph { path, .. } if path.ends_with("image.onnx")),
            "{error:?}"
        );
    }
    let same = image(|_| {}).unwrap();
    let mismatch = same.embed_texts(&["clear"]).unwrap_err();
    let EncodeError::TextTower(cause) = &mismatch else { panic!("{mismatch}") };
    assert!(matches!(**cause, LoadError::DifferentWeights { .. }), "image and text of two checkpoints");
}

#[test]
fn what_is_no_graph_is_refused_and_never_a_panic() {
    let (_directory, path) = bundle();
    let graph = fs::read(path.join("image.onnx")).unwrap();
    let mut wrong: Vec<Vec<u8>> = vec![Vec::new(), b"not a graph".to_vec()];
    wrong.extend([1, 100, graph.len() / 2, graph.len() - 1].map(|len| graph[..len].to_vec()));
    for contents in wrong {
        let edited = replace(&path, BundleFile::ImageGraph, &contents);
        let error = Model::open(edited).unwrap_err();
        assert!(matches!(error, LoadError::Graph { .. } | LoadError::WrongGraph { .. }), "{error:?}");
    }
}

#[test]
fn a_model_says_what_it_is() {
    let (_directory, path) = bundle();
    let model = Model::open(&path).unwrap();
    assert_eq!((model.name(), model.engine_name()), ("tiny", "tract"));
    assert_eq!(model.bundle().id(), Bundle::open(&path).unwrap().id());
    assert!(matches!(Model::open(path.join("nowhere")), Err(LoadError::Bundle(_))));
}
