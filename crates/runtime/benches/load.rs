//! What passes between a bundle on disk and a model that scores: verifying the files, and each engine loading the graphs.
//!
//! ```sh
//! cargo bench -p medclip-runtime --features ort --bench load
//! ```
//!
//! Bytes are those of the files read, which the system has in its cache after the first sample.

#![allow(clippy::unwrap_used, reason = "a bench whose setting is broken fails")]

mod shipped;

use std::fs;
use std::path::{Path, PathBuf};

use divan::counter::BytesCount;
use divan::{Bencher, Divan, black_box};
use medclip_runtime::{
    Bundle, BundleFile, EngineKind, GraphSource, Model, ModelOptions, Probe, embed_sentences,
};
use shipped::{MODEL, engines};

fn main() {
    Divan::default().sample_count(10).config_with_args().main();
}

/// Every file read and verified.
#[divan::bench]
fn bundle(bencher: Bencher) {
    open(bencher, Path::new(MODEL));
}

/// A copy for a device that scores the model's own classes.
#[divan::bench]
fn bundle_without_text_tower(bencher: Bencher) {
    let copy = tempfile::tempdir().unwrap();
    for file in Bundle::open(MODEL).unwrap().files().iter().filter(|file| !file.is_of_text_tower()) {
        fs::copy(Path::new(MODEL).join(file.file_name()), copy.path().join(file.file_name())).unwrap();
    }
    fs::copy(Path::new(MODEL).join("SHA256SUMS"), copy.path().join("SHA256SUMS")).unwrap();
    open(bencher, copy.path());
}

fn open(bencher: Bencher, directory: &Path) {
    let bundle = Bundle::open(directory).unwrap();
    let bytes: u64 = bundle.files().iter().map(|&file| size(&bundle.path(file))).sum();
    bencher.counter(BytesCount::new(bytes)).bench(|| Bundle::open(black_box(directory)).unwrap());
}

/// The image tower, from its file to a session that takes images.
#[divan::bench(args = engines())]
fn image_tower(bencher: Bencher, engine: EngineKind) {
    let (bundle, path) = graph(BundleFile::IMAGE_GRAPH);
    let (config, options) = (bundle.config(), options(engine));
    let load = || Probe::load(GraphSource::File(&path), config, config.architecture.embedding_dim, &options);
    bencher.counter(BytesCount::new(size(&path))).bench(|| load().unwrap());
}

/// The text tower, from its file to the embedding of the first sentence.
#[divan::bench(args = engines())]
fn text_tower_and_a_sentence(bencher: Bencher, engine: EngineKind) {
    let (bundle, path) = graph(BundleFile::TEXT_GRAPH);
    let (config, tokenizer) = (bundle.config(), bundle.tokenizer().unwrap());
    let batch: &[&str] = &["There is a small left pleural effusion."];
    let embed = || embed_sentences(GraphSource::File(&path), config, &tokenizer, &[batch], options(engine));
    bencher.counter(BytesCount::new(size(&path))).bench(|| embed().unwrap());
}

/// What a caller waits for: the bundle verified and its image tower loaded.
#[divan::bench(args = engines())]
fn model(bencher: Bencher, engine: EngineKind) {
    bencher.bench(|| Model::open_with(MODEL, options(engine)).unwrap());
}

fn graph(file: BundleFile) -> (Bundle, PathBuf) {
    let bundle = Bundle::open(MODEL).unwrap();
    let path = bundle.path(file);
    (bundle, path)
}

fn options(engine: EngineKind) -> ModelOptions {
    ModelOptions { engine: engine.into(), ..ModelOptions::default() }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}
