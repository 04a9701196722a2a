//! Every engine gives the embeddings of the shipped model that tract gives.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use medclip_core::{Embeddings, GrayImage};
use medclip_phantom::Phantom;
use medclip_runtime::{
    EngineKind, EngineOptions, GraphOptimization, Model, ModelOptions, OrtOptions, Prepack, RtenOptions,
};
use medclip_tests::engines;

/// Largest difference of an entry of a unit vector.
const TOLERANCE: f32 = 1e-5;

const SENTENCES: [&str; 8] = [
    "No effusion.",
    "The heart is enlarged.",
    "There is a mild left pleural effusion, the lungs are clear.",
    "Severe cardiomegaly.",
    "Normal.",
    "The heart size is normal and the lungs are clear, no pneumothorax, no pleural effusion, no focal opacity.",
    "Moderate right lung opacity.",
    "Pneumothorax.",
];

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("models/medclip-edge")
}

fn open(engine: EngineOptions) -> Model {
    let threads = NonZeroUsize::new(2).unwrap();
    Model::open_with(shipped(), ModelOptions { engine, threads, ..ModelOptions::default() }).unwrap()
}

fn images(count: u64) -> Vec<GrayImage> {
    (0..count).map(|seed| Phantom::random(seed, 160).unwrap().render()).collect()
}

fn assert_close(what: &str, expected: &Embeddings, actual: &Embeddings) {
    assert_eq!((expected.rows(), expected.dim()), (actual.rows(), actual.dim()), "{what}");
    for (a, b) in expected.data().iter().zip(actual.data()) {
        assert!((a - b).abs() <= TOLERANCE, "{what}: {a} and {b}");
    }
}

#[test]
fn images_and_sentences_of_any_batch_size() {
    let tract = open(EngineOptions::Tract);
    for engine in engines() {
        let other = open(engine.into());
        for count in [1, 3, 8] {
            let batch = tract.preprocessor().batch(&images(count)).unwrap();
            let what = format!("{engine}, {count} images");
            assert_close(&what, &tract.embed_images(&batch).unwrap(), &other.embed_images(&batch).unwrap());
            let sentences = &SENTENCES[..count as usize];
            let what = format!("{engine}, {count} sentences");
            assert_close(
                &what,
                &tract.embed_texts(sentences).unwrap(),
                &other.embed_texts(sentences).unwrap(),
            );
        }
    }
}

#[test]
fn every_option_of_rten_gives_the_same() {
    let batch = open(EngineOptions::Tract).preprocessor().batch(&images(2)).unwrap();
    let tract = open(EngineOptions::Tract);
    let (images, texts) = (tract.embed_images(&batch).unwrap(), tract.embed_texts(&SENTENCES).unwrap());
    for optimize in [false, true] {
        for prepack in [Prepack::EightBit, Prepack::All, Prepack::None] {
            let options = RtenOptions { optimize, prepack };
            let model = open(EngineOptions::Rten(options));
            assert_close(&format!("{options:?}"), &images, &model.embed_images(&batch).unwrap());
            assert_close(&format!("{options:?}"), &texts, &model.embed_texts(&SENTENCES).unwrap());
        }
    }
}

#[test]
fn every_option_of_onnx_runtime_gives_the_same_and_a_broken_cache_is_made_anew() {
    if !engines().contains(&EngineKind::OrtCpu) {
        return;
    }
    let batch = open(EngineOptions::Tract).preprocessor().batch(&images(2)).unwrap();
    let expected = open(EngineOptions::Tract).embed_images(&batch).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let kept = cache.path().join("graphs");
    for optimization in [
        GraphOptimization::None,
        GraphOptimization::Basic,
        GraphOptimization::Extended,
        GraphOptimization::All,
    ] {
        let options = |optimized_graph_cache| {
            EngineOptions::OrtCpu(OrtOptions { optimization, arena: false, optimized_graph_cache })
        };
        for case in ["no cache", "an empty cache", "a filled cache"] {
            let cache = (case != "no cache").then(|| kept.clone());
            let found = open(options(cache)).embed_images(&batch).unwrap();
            assert_close(&format!("{optimization:?}, {case}"), &expected, &found);
        }
    }
    let places = fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path());
    let graphs: Vec<PathBuf> = places.map(|place| place.join("graph.onnx")).collect();
    assert_eq!(graphs.len(), 4, "one graph a level, nothing half written");
    for graph in &graphs {
        fs::write(graph, "not a graph").unwrap();
    }
    let options = OrtOptions { optimized_graph_cache: Some(kept.clone()), ..OrtOptions::default() };
    let found = open(EngineOptions::OrtCpu(options)).embed_images(&batch).unwrap();
    assert_close("a broken cache", &expected, &found);
    assert_eq!(graphs.iter().filter(|graph| fs::metadata(graph).unwrap().len() > 100).count(), 1);
    assert_eq!(fs::read_dir(&kept).unwrap().count(), 4);
}
