//! A film from the bytes of its JPEG to its findings on each engine, and every step of that alone.
//!
//! ```sh
//! cargo bench -p medclip-runtime --features ort --bench score
//! ```
//!
//! The film is a phantom of a megapixel, the model the shipped one. `medclip bench` measures towers by batch and threads.

#![allow(clippy::unwrap_used, reason = "a bench whose setting is broken fails")]

mod shipped;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, Divan, black_box};
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use medclip_decode::{Limits, from_bytes};
use medclip_phantom::Phantom;
use medclip_runtime::{EngineKind, ImageBatch, Model, ModelOptions};
use shipped::{MODEL, engines};

const SIDE: u32 = 1024;

fn main() {
    Divan::default().sample_count(30).config_with_args().main();
}

#[divan::bench(args = engines())]
fn whole(bencher: Bencher, engine: EngineKind) {
    let (model, jpeg, limits) = (open(engine), jpeg(), Limits::default());
    let classifier = model.classifier();
    bencher.counter(ItemsCount::new(1_usize)).bench(|| {
        let film = from_bytes(black_box(&jpeg), &limits).unwrap();
        let batch = model.preprocessor().batch(&[film.image]).unwrap();
        classifier.scores(&model.embed_images(&batch).unwrap()).unwrap()
    });
}

/// Bytes are those of the JPEG.
#[divan::bench]
fn step_1_decode(bencher: Bencher) {
    let (jpeg, limits) = (jpeg(), Limits::default());
    bencher
        .counter(ItemsCount::new(1_usize))
        .counter(BytesCount::of_slice(&jpeg))
        .bench(|| from_bytes(black_box(&jpeg), &limits).unwrap());
}

#[divan::bench]
fn step_2_preprocess(bencher: Bencher) {
    let model = open(EngineKind::default());
    let films = [from_bytes(&jpeg(), &Limits::default()).unwrap().image];
    bencher
        .counter(ItemsCount::new(films.len()))
        .bench(|| model.preprocessor().batch(black_box(&films)).unwrap());
}

#[divan::bench(args = engines())]
fn step_3_image_tower(bencher: Bencher, engine: EngineKind) {
    let model = open(engine);
    let batch = batch(&model);
    bencher.counter(ItemsCount::new(1_usize)).bench(|| model.embed_images(black_box(&batch)).unwrap());
}

#[divan::bench]
fn step_4_prompt_bank(bencher: Bencher) {
    let model = open(EngineKind::default());
    let embeddings = model.embed_images(&batch(&model)).unwrap();
    let classifier = model.classifier();
    bencher
        .counter(ItemsCount::new(embeddings.rows()))
        .bench(|| classifier.scores(black_box(&embeddings)).unwrap());
}

fn open(engine: EngineKind) -> Model {
    Model::open_with(MODEL, ModelOptions { engine: engine.into(), ..ModelOptions::default() }).unwrap()
}

fn batch(model: &Model) -> ImageBatch {
    model.preprocessor().batch(&[from_bytes(&jpeg(), &Limits::default()).unwrap().image]).unwrap()
}

fn jpeg() -> Vec<u8> {
    let film = Phantom::random(7, SIDE).unwrap().render();
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 90);
    encoder.encode(film.pixels(), SIDE, SIDE, ExtendedColorType::L8).unwrap();
    jpeg
}
