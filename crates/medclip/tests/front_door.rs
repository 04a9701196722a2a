//! What a program that embeds medclip does, through the front door alone.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::fs;
use std::sync::Arc;
use std::thread;

use medclip::{Failure, GrayImage, Model, Policy, PromptSet, Scorer};
use medclip_tests::{PROMPTS, tiny_bundle};

fn levels() -> Vec<u8> {
    (0..64 * 48).map(|index| (index * 7 % 256) as u8).collect()
}

fn image() -> GrayImage {
    GrayImage::new(64, 48, levels()).unwrap()
}

#[test]
fn a_report_has_all_that_is_said_of_a_film() {
    let directory = tempfile::tempdir().unwrap();
    let scorer = Scorer::builder().bundle(tiny_bundle(directory.path())).embeddings(true).open().unwrap();
    let report = scorer.score_image(image()).unwrap();
    let names: Vec<_> = report.findings().map(|finding| finding.name.to_owned()).collect();
    assert_eq!(names, medclip_tests::CLASSES);
    assert_eq!(Some(report.embedding().unwrap().len()), scorer.schema().embedding_dim);
    let record = serde_json::to_value(&report).unwrap();
    assert!(record["path"].is_null() && record["findings"][0]["logit"].is_number());
    assert_eq!(record["schema"], 1);
}

#[test]
fn a_film_that_is_withheld_is_a_report_and_one_that_cannot_be_read_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let mut policy = Policy::default();
    policy.set("all=abstain").unwrap();
    let scorer = Scorer::builder().bundle(tiny_bundle(directory.path())).checks(policy).open().unwrap();
    let report = scorer.score_image(image()).unwrap();
    assert_eq!(report.failure().unwrap().kind, Failure::WITHHELD);
    assert_eq!(report.findings().count(), 0);

    let path = directory.path().join("film.png");
    fs::write(&path, "no film").unwrap();
    let error = scorer.score_file(&path).unwrap_err();
    assert!(error.to_string().starts_with(&format!("{}: is neither DICOM", path.display())), "{error}");
    assert_eq!(scorer.score_file(&path).unwrap_err().failure.kind, "unknown_format");
    assert_eq!(scorer.score_bytes(&[]).unwrap_err().failure.kind, "empty");
    assert_eq!(scorer.score_file(directory.path()).unwrap_err().failure.kind, "directory");
}

#[test]
fn many_scorers_share_one_model_and_many_threads_one_scorer() {
    let directory = tempfile::tempdir().unwrap();
    let model = Arc::new(Model::open(tiny_bundle(directory.path())).unwrap());
    let scorer = |prompts: Option<&str>| {
        let builder = Scorer::builder().model(Arc::clone(&model));
        let builder = match prompts {
            Some(prompts) => builder.prompts(PromptSet::parse(prompts).unwrap()),
            None => builder,
        };
        builder.open().unwrap()
    };
    let (own, same) = (scorer(None), scorer(Some(PROMPTS)));
    let expected = own.score_image(image()).unwrap();
    let report = same.score_image(image()).unwrap();
    for (one, other) in expected.findings().zip(report.findings()) {
        assert!(one.name == other.name && (one.logit - other.logit).abs() < 1e-3);
    }
    thread::scope(|scope| {
        for _ in 0..4 {
            let (own, expected) = (own.clone(), &expected);
            scope.spawn(move || assert_eq!(own.score_image(image()).unwrap(), *expected));
        }
    });
}

#[test]
fn a_bundle_in_memory_scores_as_one_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let bundle = tiny_bundle(directory.path());
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(&bundle)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    let on_disk = Scorer::builder().bundle(&bundle).self_test(true).open().unwrap();
    let in_memory = Scorer::builder().bundle_bytes(files.clone()).self_test(true).open().unwrap();
    let other = Scorer::builder().prompts(PromptSet::parse(PROMPTS).unwrap());
    let other = other.bundle_bytes(files.clone()).open().unwrap();
    assert_eq!(in_memory.score_image(image()).unwrap(), on_disk.score_image(image()).unwrap());
    assert_eq!(in_memory.record(), on_disk.record());
    assert!(other.score_image(image()).is_ok());

    // Every file is verified, a missing or foreign one is named.
    let refused = |files: &[(String, Vec<u8>)]| {
        let error = Scorer::builder().bundle_bytes(files.to_vec()).open().unwrap_err();
        std::error::Error::source(&error).unwrap().to_string()
    };
    let at = files.iter().position(|(name, _)| name == "image.onnx").unwrap();
    files[at].1.push(0);
    assert!(refused(&files).contains("image.onnx"));
    let graph = files.remove(at);
    assert!(refused(&files).contains("image.onnx"));
    files.push(("other.bin".to_owned(), graph.1));
    assert!(refused(&files).contains("other.bin"));
}

#[cfg(all(feature = "image", feature = "ndarray"))]
#[test]
fn pixels_of_other_crates_score_as_files_do() {
    let directory = tempfile::tempdir().unwrap();
    let scorer = Scorer::open(tiny_bundle(directory.path())).unwrap();
    let expected = scorer.score_image(image()).unwrap();
    let levels = levels();
    let gray = image::GrayImage::from_raw(64, 48, levels.clone()).unwrap();
    let path = directory.path().join("film.png");
    gray.save(&path).unwrap();
    let of_file = scorer.score_file(&path).unwrap();
    assert_eq!(of_file.path.as_deref(), path.to_str());
    let of_image = scorer.score_film(medclip::pixels::film(gray).unwrap()).unwrap();
    let array = ndarray::ArrayView2::from_shape((48, 64), &levels).unwrap();
    let of_array = scorer.score_image(medclip::pixels::image(array).unwrap()).unwrap();
    for report in [&of_file, &of_image, &of_array] {
        assert_eq!(report.outcome, expected.outcome);
    }
    let embeddings = scorer.model().embed_texts(&["a", "b"]).unwrap();
    let view = medclip::pixels::view(&embeddings).unwrap();
    assert_eq!(view.row(1).as_slice().unwrap(), embeddings.row(1));
}

#[cfg(all(feature = "eval", feature = "make"))]
#[test]
fn bundles_are_verified_and_evaluated_through_the_front_door() {
    use std::num::NonZeroUsize;

    use medclip::eval::{Evaluator, FilmSet, Resampling, ZeroShotOptions, zero_shot};
    use medclip::make::{VerifyOptions, verify};
    use medclip::{Bundle, EngineKind};

    let directory = tempfile::tempdir().unwrap();
    let path = tiny_bundle(directory.path());
    let twice = VerifyOptions { engines: vec![EngineKind::Tract.into(); 2], ..VerifyOptions::default() };
    assert!(verify(&Bundle::open(&path).unwrap(), &twice, &mut ()).unwrap().within());
    medclip_phantom::write_dataset(&directory.path().join("films"), 12, 5, 48).unwrap();
    let films = FilmSet::open(directory.path().join("films/manifest.csv")).unwrap();
    let evaluator = Evaluator::new(Model::open(&path).unwrap(), films, NonZeroUsize::MIN);
    let resampling = Resampling { resamples: 5, seed: 0 };
    let options = ZeroShotOptions { resampling, ..ZeroShotOptions::default() };
    assert_eq!(zero_shot(&evaluator, &options, &mut ()).unwrap().subject.images, 12);
}
