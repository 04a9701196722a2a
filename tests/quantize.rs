//! Towers in every precision on every engine: nearly the model's embeddings, and nearly one another's.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::fs;
use std::path::{Path, PathBuf};

use medclip_core::architecture::{ImageTower, TextPooling};
use medclip_core::model::ModelConfig;
use medclip_core::preprocess::Preprocessor;
use medclip_core::{Embeddings, ImageBatch};
use medclip_export::quantize::{Calibrator, Quantizer, RangeMethod, half};
use medclip_export::{Checkpoint, GraphOptions};
use medclip_phantom::Phantom;
use medclip_runtime::{EngineKind, GraphSource, ModelOptions, Probe, embed_sentences};
use medclip_tests::{engines, random_checkpoint, tiny_config, tiny_published_configs};

const SENTENCES: [&str; 4] = [
    "no effusion .",
    "the heart is enlarged .",
    "mild left pleural effusion , lungs clear .",
    "severe cardiomegaly",
];

/// A tiny tower's graph in a file.
struct Tower {
    config: ModelConfig,
    checkpoint: Checkpoint,
    directory: tempfile::TempDir,
}

impl Tower {
    fn new(config: ModelConfig) -> Self {
        let directory = tempfile::tempdir().unwrap();
        random_checkpoint(directory.path(), &config, 5);
        let checkpoint = Checkpoint::open(directory.path()).unwrap();
        let options = GraphOptions::default();
        for (name, graph) in
            [("image.onnx", checkpoint.image_graph(&options)), ("text.onnx", checkpoint.text_graph(&options))]
        {
            fs::write(directory.path().join(name), graph.unwrap().into_bytes()).unwrap();
        }
        Self { config, checkpoint, directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn images(&self, seeds: std::ops::Range<u64>) -> ImageBatch {
        let images: Vec<_> = seeds.map(|seed| Phantom::random(seed, 64).unwrap().render()).collect();
        Preprocessor::new(self.config.preprocess.clone()).unwrap().batch(&images).unwrap()
    }

    fn quantizer(&self) -> Quantizer {
        if matches!(self.config.architecture.image, ImageTower::Swin(_)) {
            return Quantizer::dynamic(&self.path("image.onnx")).unwrap();
        }
        let mut calibrator = Calibrator::open(&self.path("image.onnx")).unwrap();
        let (probe, width) = calibrator.probe().unwrap();
        let rows = self.run(&probe.into_bytes(), width, EngineKind::Tract, &self.images(0..6));
        rows.iter().for_each(|row| calibrator.widen(row).unwrap());
        rows.iter().for_each(|row| calibrator.count(row).unwrap());
        calibrator.finish(RangeMethod::default()).unwrap()
    }

    fn run(&self, graph: &[u8], width: usize, engine: EngineKind, images: &ImageBatch) -> Embeddings {
        let options = ModelOptions { engine: engine.into(), ..ModelOptions::default() };
        let probe = Probe::load(GraphSource::Bytes(graph), &self.config, width, &options).unwrap();
        probe.run(images).unwrap()
    }
}

fn configs() -> Vec<ModelConfig> {
    let mut configs = vec![tiny_config(TextPooling::Masked)];
    configs.extend(tiny_published_configs());
    configs
}

#[test]
fn image_towers_in_every_precision_on_every_engine() {
    for config in configs() {
        let tower = Tower::new(config);
        let dim = tower.config.architecture.embedding_dim;
        let images = tower.images(10..14);
        let full = fs::read(tower.path("image.onnx")).unwrap();
        let expected = tower.run(&full, dim, EngineKind::Tract, &images);
        let int8 = tower.quantizer().graph(|_| true).unwrap().into_bytes();
        let fp16 = half(&tower.path("image.onnx")).unwrap().into_bytes();
        let on_tract = tower.run(&int8, dim, EngineKind::Tract, &images);
        for engine in engines() {
            let what = format!("{:?} on {engine}", tower.config.architecture.image);
            let cosine = tower.run(&fp16, dim, engine, &images).least_cosine(&expected);
            assert!(cosine > 0.9999, "{what}, fp16: {cosine}");
            let found = tower.run(&int8, dim, engine, &images);
            let cosine = found.least_cosine(&expected);
            assert!(cosine > 0.98, "{what}, int8: {cosine}");
            let cosine = found.least_cosine(&on_tract);
            assert!(cosine > 0.999, "{what}, int8 beside tract: {cosine}");
        }
    }
}

#[test]
fn text_towers_in_every_precision_on_every_engine() {
    let tower = Tower::new(tiny_config(TextPooling::Masked));
    let path = tower.path("text.onnx");
    let embed = |graph: GraphSource<'_>, engine: EngineKind| {
        let options = ModelOptions { engine: engine.into(), ..ModelOptions::default() };
        let tokenizer = tower.checkpoint.tokenizer();
        embed_sentences(graph, &tower.config, tokenizer, &[&SENTENCES], options).unwrap()
    };
    let expected = embed(GraphSource::File(&path), EngineKind::Tract);
    let int8 = Quantizer::dynamic(&path).unwrap().graph(|_| true).unwrap().into_bytes();
    let fp16 = half(Path::new(&path)).unwrap().into_bytes();
    for engine in engines() {
        let cosine = embed(GraphSource::Bytes(&fp16), engine).least_cosine(&expected);
        assert!(cosine > 0.9999, "fp16 on {engine}: {cosine}");
        let cosine = embed(GraphSource::Bytes(&int8), engine).least_cosine(&expected);
        assert!(cosine > 0.99, "int8 on {engine}: {cosine}");
    }
}
