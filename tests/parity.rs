//! Training's forward pass (candle), the exported graphs, and the runtime give the same embeddings, on every engine.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use medclip_core::architecture::TextPooling;
use medclip_core::{Embeddings, GrayImage, ModelConfig};
use medclip_export::{BundleContents, BundleOptions, Checkpoint, GraphOptions, Storage, write_bundle};
use medclip_phantom::Phantom;
use medclip_runtime::{EngineKind, Model, ModelOptions};
use medclip_tests::{PROMPTS, embed, engines, random_checkpoint, tiny_config, tiny_published_configs};
use medclip_train::reference::ReferenceModel;
use tempfile::TempDir;

/// Largest difference of an entry of a unit vector.
const TOLERANCE: f32 = 1e-5;

const SENTENCES: [&str; 8] = [
    "No effusion.",
    "The heart is enlarged.",
    "There is a mild left pleural effusion, the lungs are clear.",
    "Severe cardiomegaly.",
    "Normal.",
    "The heart size is normal and the lungs are clear, no pneumothorax, no pleural effusion, no opacity.",
    "Moderate right lung opacity.",
    "Pneumothorax.",
];

/// The same random weights in candle, and in a bundle on every engine.
fn models(config: &ModelConfig) -> (TempDir, ReferenceModel, Vec<Model>) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("checkpoint");
    random_checkpoint(&path, config, 7);
    let checkpoint = Checkpoint::open(&path).unwrap();
    let bundle = directory.path().join("bundle");
    let contents = BundleContents { prompts: PROMPTS, card: "# tiny\n" };
    let options = BundleOptions { text: GraphOptions { storage: Storage::F32 }, ..BundleOptions::default() };
    write_bundle(&checkpoint, contents, &options, &bundle, embed).unwrap();
    let open = |engine: EngineKind| {
        Model::open_with(&bundle, ModelOptions { engine: engine.into(), ..ModelOptions::default() }).unwrap()
    };
    (directory, ReferenceModel::open(&path).unwrap(), engines().into_iter().map(open).collect())
}

fn assert_close(what: &str, candle: &Embeddings, engine: &Embeddings) {
    assert_eq!((candle.rows(), candle.dim()), (engine.rows(), engine.dim()), "{what}");
    let difference = candle.data().iter().zip(engine.data()).map(|(a, b)| (a - b).abs()).fold(0.0, worse);
    assert!(difference <= TOLERANCE, "{what}: it differs from candle by {difference:.1e}");
    for row in candle {
        let norm: f32 = row.iter().map(|v| v * v).sum();
        assert!((norm - 1.0).abs() < 1e-5, "{what}: squared norm {norm}");
    }
}

/// The larger; not-a-number outdoes everything.
fn worse(worst: f32, difference: f32) -> f32 {
    if difference > worst || difference.is_nan() { difference } else { worst }
}

#[test]
fn images_of_any_batch_size() {
    let [swin, resnet] = tiny_published_configs();
    for config in [tiny_config(TextPooling::Masked), swin, resnet] {
        let (_directory, candle, models) = models(&config);
        for count in [1, 3, 8] {
            let images: Vec<GrayImage> =
                (0..count).map(|seed| Phantom::random(seed, 96).unwrap().render()).collect();
            let batch = models[0].preprocessor().batch(&images).unwrap();
            let ours = candle.embed_images(&batch).unwrap();
            for model in &models {
                let what = format!("{}, {count} images, {:?}", model.engine(), config.architecture.image);
                assert_close(&what, &ours, &model.embed_images(&batch).unwrap());
            }
        }
    }
}

#[test]
fn maps_are_those_of_candle_and_their_mean_is_the_embedding() {
    let [swin, resnet] = tiny_published_configs();
    for config in [tiny_config(TextPooling::Masked), swin, resnet] {
        let (_directory, candle, models) = models(&config);
        let images: Vec<GrayImage> = (0..3).map(|seed| Phantom::random(seed, 96).unwrap().render()).collect();
        let batch = models[0].preprocessor().batch(&images).unwrap();
        let ours = candle.locate_images(&batch).unwrap();
        for model in &models {
            let what = format!("{}, {:?}", model.engine(), config.architecture.image);
            let (embeddings, maps) = model.embed_with_maps(&batch).unwrap();
            assert_eq!(maps.shape(), ours.shape(), "{what}");
            assert!(maps.shape()[1] > 1, "{what}: a map of one location proves nothing");
            let worst = ours.data().iter().zip(maps.data()).map(|(a, b)| (a - b).abs()).fold(0.0, worse);
            assert!(worst <= 5.0 * TOLERANCE, "{what}: it differs from candle by {worst:.1e}");
            assert_close(&what, &embeddings, &model.embed_images(&batch).unwrap());
            let classifier = model.classifier();
            let factor = f64::from(model.bundle().logit_scale().factor());
            let scores = classifier.scores(&embeddings).unwrap();
            for (maps, scores) in classifier.maps(&embeddings, &maps).unwrap().iter().zip(&scores) {
                for (map, score) in maps.iter().zip(scores) {
                    assert_eq!(map.name, score.name);
                    let difference = (map.mean() - f64::from(score.logit) / factor).abs();
                    assert!(difference <= 1e-5, "{what}: {} is off by {difference:.1e}", map.name);
                }
            }
        }
    }
}

#[test]
fn sentences_of_different_lengths_under_both_poolings() {
    for pooling in [TextPooling::Masked, TextPooling::Reference] {
        let (_directory, candle, models) = models(&tiny_config(pooling));
        let tokenizer = models[0].bundle().tokenizer().unwrap();
        for count in [1, 3, 8] {
            let sentences = &SENTENCES[..count];
            let ours = candle.embed_texts(&tokenizer.batch(sentences).unwrap()).unwrap();
            for model in &models {
                let what = format!("{}, {count} sentences, {pooling:?} pooling", model.engine());
                assert_close(&what, &ours, &model.embed_texts(sentences).unwrap());
            }
        }
    }
}
