//! A model of random weights on every engine: shapes, sharing between threads, refusals.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use medclip_core::architecture::TextPooling;
use medclip_core::bundle::{BundleFile, BundleWriter};
use medclip_core::golden::GoldenProvenance;
use medclip_core::preprocess::{PreprocessConfig, Preprocessor};
use medclip_export::{BundleContents, BundleOptions, Checkpoint, GraphOptions, write_bundle};
use medclip_files::sha256;
use medclip_runtime::{
    Bundle, Embeddings, EncodeError, EngineKind, EngineOptions, FindingScore, GraphInfo, GraphSource,
    GrayImage, ImageBatch, LoadError, Model, ModelOptions, OrtOptions, PromptSet, TowerKind, embed_sentences,
};
use medclip_tests::{PROMPTS, engines, random_checkpoint, tiny_bundle, tiny_config};
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

fn options(engine: EngineKind, threads: usize) -> ModelOptions {
    ModelOptions {
        engine: engine.into(),
        threads: NonZeroUsize::new(threads).unwrap(),
        ..ModelOptions::default()
    }
}

fn open(path: &Path, engine: EngineKind, threads: usize) -> Model {
    Model::open_with(path, options(engine, threads)).unwrap()
}

/// Fails unless the rows agree: to the last bit where an engine runs every row on its own, else to rounding.
fn assert_same<'a>(
    engine: EngineKind,
    a: impl IntoIterator<Item = &'a f32>,
    b: impl IntoIterator<Item = &'a f32>,
) {
    let tolerance = if engine == EngineKind::Tract { 0.0 } else { 1e-6 };
    let mut count = 0;
    for (a, b) in a.into_iter().zip(b) {
        assert!((a - b).abs() <= tolerance, "{engine}: {a} and {b}");
        count += 1;
    }
    assert!(count > 0);
}

fn classify(model: &Model, images: &ImageBatch) -> Vec<FindingScore> {
    model.classifier().scores(&model.embed_images(images).unwrap()).unwrap().concat()
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
    for engine in engines() {
        let serial = open(&path, engine, 1);
        let parallel = open(&path, engine, 3);
        let together = serial.embed_images(&batch(&serial, 5)).unwrap();
        assert_eq!((together.rows(), together.dim()), (5, 16));
        assert_same(engine, together.data(), parallel.embed_images(&batch(&parallel, 5)).unwrap().data());
        for row in &together {
            assert!((row.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-5);
        }
        assert_same(engine, together.row(0), parallel.embed_images(&batch(&parallel, 1)).unwrap().row(0));
        assert_ne!(together.row(0), together.row(1));
    }
}

#[test]
fn a_sentence_does_not_depend_on_its_company_under_masked_pooling() {
    let (_directory, path) = bundle();
    for engine in engines() {
        let model = open(&path, engine, 2);
        let together = model.embed_texts(&SENTENCES).unwrap();
        for (index, sentence) in SENTENCES.iter().enumerate() {
            assert_same(engine, together.row(index), model.embed_texts(&[sentence]).unwrap().row(0));
        }
    }
}

/// Embeddings by the text tower of a checkpoint with this pooling and maximal length.
fn embed(engine: EngineKind, pooling: TextPooling, max_length: usize, sentences: &[&str]) -> Embeddings {
    let directory = tempfile::tempdir().unwrap();
    let mut config = tiny_config(pooling);
    config.tokenizer.max_length = max_length;
    random_checkpoint(directory.path(), &config, 1);
    let checkpoint = Checkpoint::open(directory.path()).unwrap();
    let graph = checkpoint.text_graph(&GraphOptions::default()).unwrap().into_bytes();
    embed_sentences(
        GraphSource::Bytes(&graph),
        checkpoint.config(),
        checkpoint.tokenizer(),
        &[sentences],
        options(engine, 2),
    )
    .unwrap()
}

#[test]
fn padding_to_a_bucket_changes_nothing_under_masked_pooling() {
    for engine in engines() {
        let sentence = ["Clear lungs."]; // five tokens with [CLS] and [SEP]
        let padded = embed(engine, TextPooling::Masked, 40, &sentence);
        let exact = embed(engine, TextPooling::Masked, 5, &sentence);
        for (a, b) in padded.row(0).iter().zip(exact.row(0)) {
            assert!((a - b).abs() < 1e-6, "{engine}: {a} and {b}");
        }
    }
}

#[test]
fn padding_takes_part_in_reference_pooling() {
    for engine in engines() {
        let embed = |sentences: &[&str]| embed(engine, TextPooling::Reference, 40, sentences);
        let alone = embed(&SENTENCES[..1]);
        let by_a_longer = embed(&[SENTENCES[0], SENTENCES[2]]);
        let difference = alone.row(0).iter().zip(by_a_longer.row(0)).map(|(a, b)| (a - b).abs());
        assert!(difference.fold(0.0, f32::max) > 1e-3, "{engine}: a longer neighbour pads it");
        assert_same(engine, alone.row(0), embed(&[SENTENCES[0], SENTENCES[1]]).row(0));
    }
}

#[test]
fn one_model_serves_many_threads() {
    let (_directory, path) = bundle();
    for engine in engines() {
        let model = open(&path, engine, 1);
        let images = batch(&model, 3);
        let scores: Vec<f32> = classify(&model, &images).iter().map(|s| s.logit).collect();
        let texts = open(&path, engine, 1).embed_texts(&SENTENCES).unwrap();
        thread::scope(|scope| {
            for worker in 0..8 {
                let (model, images, scores, texts) = (&model, &images, &scores, &texts);
                scope.spawn(move || {
                    for _ in 0..5 {
                        if worker % 2 == 0 {
                            let found = classify(model, images);
                            let found: Vec<f32> = found.iter().map(|score| score.logit).collect();
                            assert_eq!(&found, scores, "{engine}");
                        } else {
                            // The text tower is loaded once, by whoever is first.
                            assert_eq!(&model.embed_texts(&SENTENCES).unwrap(), texts, "{engine}");
                        }
                    }
                });
            }
        });
    }
}

#[test]
fn prompts_of_the_bundle_and_of_the_caller_agree() {
    let (_directory, path) = bundle();
    for engine in engines() {
        let model = open(&path, engine, 2);
        let images = batch(&model, 2);
        let banked = classify(&model, &images);
        assert_eq!(model.classifier().class_names().collect::<Vec<_>>(), medclip_tests::CLASSES);
        let others = model.prompt_classifier(&PromptSet::parse(PROMPTS).unwrap()).unwrap();
        let asked = others.scores(&model.embed_images(&images).unwrap()).unwrap().concat();
        for (banked, asked) in banked.iter().zip(&asked) {
            assert_eq!(banked.name, asked.name);
            assert!((banked.logit - asked.logit).abs() < 1e-4, "{engine}: {banked:?} and {asked:?}");
        }
    }
}

#[test]
fn images_of_another_preprocessor_and_empty_batches_are_refused() {
    let (_directory, path) = bundle();
    for engine in engines() {
        let model = open(&path, engine, 1);
        let image = GrayImage::new(8, 8, vec![0; 64]).unwrap();
        let other = Preprocessor::new(PreprocessConfig::medclip(16, 3)).unwrap();
        let refused = model.embed_images(&other.batch(&[image]).unwrap()).unwrap_err();
        assert!(matches!(refused, EncodeError::ImageShape { expected: [1, 32, 32], actual: [3, 16, 16] }));
        assert!(matches!(model.embed_texts::<&str>(&[]), Err(EncodeError::Empty)));
    }
}

/// The bundle at `path` with other contents for one file and sums that say so.
fn replace(path: &Path, file: BundleFile, contents: &[u8]) -> PathBuf {
    let target = path.with_file_name("edited");
    let mut writer = BundleWriter::create(&target, true).unwrap();
    for &each in Bundle::open(path).unwrap().files() {
        let bytes =
            if each == file { contents.to_vec() } else { fs::read(path.join(each.file_name())).unwrap() };
        writer.add(each, &bytes).unwrap();
    }
    if file == BundleFile::IMAGE_GRAPH {
        let golden = Bundle::open(path).unwrap().golden().clone();
        let provenance =
            GoldenProvenance { image_graph_sha256: sha256(contents), ..golden.provenance().clone() };
        writer.add(BundleFile::Golden, &golden.with_provenance(provenance).to_bytes().unwrap()).unwrap();
    }
    writer.finish().unwrap();
    target
}

#[test]
fn every_engine_reproduces_the_golden_embeddings() {
    let (_directory, path) = bundle();
    for engine in engines() {
        let options = ModelOptions { self_test: true, ..options(engine, 2) };
        let model = Model::open_with(&path, options).unwrap();
        let found = model.self_test().unwrap();
        assert!(found.passed() && found.image > 0.999_999, "{engine}: {found:?}");
        assert!(found.text.unwrap() > 0.999_999, "{engine}: {found:?}");
    }
}

#[test]
fn without_its_text_tower_a_model_scores_its_own_classes_alone() {
    let (_directory, path) = bundle();
    let whole = Model::open(&path).unwrap();
    for file in whole.bundle().files().iter().filter(|file| file.is_of_text_tower()) {
        fs::remove_file(whole.bundle().path(*file)).unwrap();
    }
    let copy = Model::open_with(&path, ModelOptions { self_test: true, ..ModelOptions::default() }).unwrap();
    let batch = batch(&copy, 2);
    assert_eq!(classify(&copy, &batch), classify(&whole, &batch));
    let found = copy.self_test().unwrap();
    assert!(found.passed() && found.text.is_none(), "{found:?}");
    let error = copy.embed_texts(&["No effusion."]).unwrap_err();
    assert!(
        std::error::Error::source(&error).unwrap().to_string().contains("holds no text tower"),
        "{error:?}"
    );
}

#[test]
fn a_model_that_gives_other_answers_fails_its_self_test() {
    let (directory, path) = bundle();
    let checkpoint = directory.path().join("other");
    random_checkpoint(&checkpoint, &tiny_config(TextPooling::Masked), 2);
    let graph =
        Checkpoint::open(checkpoint).unwrap().image_graph(&GraphOptions::default()).unwrap().into_bytes();
    let other = replace(&path, BundleFile::IMAGE_GRAPH, &graph);
    assert!(Model::open(&other).is_ok(), "nobody asked for the test");
    let options = ModelOptions { self_test: true, ..options(EngineKind::Tract, 1) };
    let error = Model::open_with(&other, options).unwrap_err();
    assert!(
        matches!(error, LoadError::SelfTest { tower: TowerKind::Image, cosine, .. } if cosine < 0.999),
        "{error}"
    );
}

/// Two bundles of one checkpoint, the second with its weights beside the graphs.
fn attached_and_detached(directory: &Path) -> [PathBuf; 2] {
    let checkpoint = directory.join("checkpoint");
    random_checkpoint(&checkpoint, &tiny_config(TextPooling::Masked), 1);
    let checkpoint = Checkpoint::open(checkpoint).unwrap();
    let contents = BundleContents { prompts: PROMPTS, card: "# tiny\n" };
    [usize::MAX, 0].map(|detach_from| {
        let options = BundleOptions { detach_from, ..BundleOptions::default() };
        let path = directory.join(format!("detached-from-{detach_from}"));
        write_bundle(&checkpoint, contents, &options, &path, medclip_tests::embed).unwrap();
        path
    })
}

#[test]
fn weights_beside_the_graphs_give_the_same_bits() {
    let directory = tempfile::tempdir().unwrap();
    let [attached, detached] = attached_and_detached(directory.path());
    let size = |file: &str| fs::metadata(detached.join(file)).unwrap().len();
    assert!(size("image.onnx.data") > 8192 && size("text.onnx.data") > 4096);
    let info = GraphInfo::read(&detached.join("image.onnx")).unwrap();
    assert_eq!(info.external_files.into_iter().collect::<Vec<_>>(), ["image.onnx.data"]);
    for engine in engines() {
        let [one, other] = [&attached, &detached].map(|path| open(path, engine, 1));
        let images = batch(&one, 3);
        assert_eq!(
            one.embed_images(&images).unwrap().data(),
            other.embed_images(&images).unwrap().data(),
            "{engine}"
        );
        let [one, other] = [one, other].map(|model| model.embed_texts(&SENTENCES).unwrap());
        assert_eq!(one.data(), other.data(), "{engine}");
    }
}

#[test]
fn an_optimized_graph_of_weights_beside_it_is_kept_with_them() {
    if !engines().contains(&EngineKind::OrtCpu) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let [_, path] = attached_and_detached(directory.path());
    let kept = directory.path().join("kept");
    let open = |cache: Option<PathBuf>| {
        let engine =
            EngineOptions::OrtCpu(OrtOptions { optimized_graph_cache: cache, ..OrtOptions::default() });
        Model::open_with(&path, ModelOptions { engine, ..ModelOptions::default() }).unwrap()
    };
    let model = open(None);
    let images = batch(&model, 2);
    let expected = model.embed_images(&images).unwrap();
    let place = || fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let mut made = Vec::new();
    for case in ["made", "used again"] {
        let found = open(Some(kept.clone())).embed_images(&images).unwrap();
        assert_same(EngineKind::OrtCpu, expected.data(), found.data());
        assert_eq!(place().len(), 1, "{case}");
        made.push(fs::metadata(place()[0].join("graph.onnx")).unwrap().modified().unwrap());
    }
    assert_eq!(made[0], made[1], "the second model used what the first had kept");
}

#[test]
fn weights_that_are_not_beside_their_graph_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let [_, path] = attached_and_detached(directory.path());
    let graph = fs::read(path.join("image.onnx")).unwrap();
    // Names of the same length: nowhere, and outside of the bundle.
    for name in ["image.onnx.gone", "../mage.onnx.dat"] {
        let edited = name.as_bytes().iter().copied().take(15).collect::<Vec<_>>();
        let mut graph = graph.clone();
        while let Some(at) = graph.windows(15).position(|bytes| bytes == b"image.onnx.data") {
            graph[at..][..15].copy_from_slice(&edited);
        }
        let path = replace(&path, BundleFile::IMAGE_GRAPH, &graph);
        for engine in engines() {
            let error = Model::open_with(&path, options(engine, 1)).unwrap_err();
            let named = String::from_utf8_lossy(&edited).into_owned();
            assert!(matches!(&error, LoadError::ExternalData { file, .. } if *file == named), "{error}");
        }
    }
}

#[test]
fn weights_that_end_too_early_are_refused_by_every_engine() {
    let directory = tempfile::tempdir().unwrap();
    let [_, path] = attached_and_detached(directory.path());
    let cut = path.with_file_name("cut");
    let mut writer = BundleWriter::create(&cut, true).unwrap();
    for file in Bundle::open(&path).unwrap().files() {
        let bytes = fs::read(path.join(file.file_name())).unwrap();
        let end = if *file == BundleFile::IMAGE_WEIGHTS { bytes.len() - 1 } else { bytes.len() };
        writer.add(*file, &bytes[..end]).unwrap();
    }
    writer.finish().unwrap();
    for engine in engines() {
        let error = Model::open_with(&cut, options(engine, 1)).unwrap_err();
        assert!(matches!(error, LoadError::Graph { .. }), "{engine}: {error:?}");
    }
}

#[test]
fn a_graph_of_another_model_is_refused_naming_the_file() {
    let (directory, path) = bundle();
    let image = |edit: fn(&mut medclip_core::ModelConfig)| {
        let mut config = tiny_config(TextPooling::Masked);
        edit(&mut config);
        let checkpoint = directory.path().join("other");
        random_checkpoint(&checkpoint, &config, 2);
        let graph =
            Checkpoint::open(checkpoint).unwrap().image_graph(&GraphOptions::default()).unwrap().into_bytes();
        Model::open(replace(&path, BundleFile::IMAGE_GRAPH, &graph))
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
        let edited = replace(&path, BundleFile::IMAGE_GRAPH, &contents);
        for engine in engines() {
            let error = Model::open_with(&edited, options(engine, 1)).unwrap_err();
            assert!(matches!(error, LoadError::NotOnnx { .. } | LoadError::WrongGraph { .. }), "{error:?}");
        }
    }
}

#[test]
fn weights_that_do_not_fit_are_refused_by_the_engine() {
    let (_directory, path) = bundle();
    let mut graph = fs::read(path.join("image.onnx")).unwrap();
    // An operator that there is not, of the same length.
    let position = graph.windows(4).position(|bytes| bytes == b"Conv").unwrap();
    graph[position..][..4].copy_from_slice(b"Conw");
    let edited = replace(&path, BundleFile::IMAGE_GRAPH, &graph);
    for engine in engines() {
        let error = Model::open_with(&edited, options(engine, 1)).unwrap_err();
        assert!(matches!(error, LoadError::Graph { .. }), "{error:?}");
    }
}

#[test]
fn a_model_says_what_it_is() {
    let (_directory, path) = bundle();
    for engine in engines() {
        let model = open(&path, engine, 1);
        assert_eq!((model.name(), model.engine()), ("tiny", engine));
        assert_eq!(model.bundle().id(), Bundle::open(&path).unwrap().id());
    }
    assert!(matches!(Model::open(path.join("nowhere")), Err(LoadError::Bundle(_))));
}

/// The text tower is loaded when the first sentence comes, long after the bundle was verified.
#[test]
fn files_that_are_exchanged_after_they_were_verified_are_named() {
    for engine in engines() {
        for file in [BundleFile::TEXT_GRAPH, BundleFile::Tokenizer] {
            let (directory, path) = bundle();
            let model = open(&path, engine, 1);
            let target = path.join(file.file_name());
            let mut contents = fs::read(&target).unwrap();
            if file == BundleFile::TEXT_GRAPH {
                // A field that no reader knows: the graph computes the same, and is not the one that was verified.
                contents.extend([0xfa, 0xff, 0x07, 0x01, b'x']);
            } else {
                contents.push(b'\n');
            }
            // Under a new name first, as somebody else would put another file in its place.
            let other = directory.path().join("other");
            fs::write(&other, contents).unwrap();
            fs::rename(&other, &target).unwrap();
            let error = model.embed_texts(&SENTENCES[..1]).unwrap_err();
            let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
            let message: Vec<String> = chain.map(ToString::to_string).collect();
            assert!(
                message.iter().any(|part| part.contains(file.file_name()) && part.contains("has changed")),
                "{engine}: {message:?}"
            );
        }
    }
}
