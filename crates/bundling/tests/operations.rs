//! Making and verifying a tiny bundle without the program.
#![cfg(feature = "make")]
#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use medclip_bundling::{
    Evaluator, ImportBundleError, ImportBundleOptions, LabeledFilm, Observer, Progress, QuantizeError,
    QuantizeOptions, Stoppable, TowerError, VerifyError, VerifyOptions, Work, import_bundle, quantize,
    verify,
};
use medclip_core::quantization::GateLimits;
use medclip_phantom::Phantom;
use medclip_runtime::{Bundle, EngineKind, Precision, TowerKind};
use medclip_tests::{PROMPTS, tiny_bundle};
use tempfile::TempDir;

/// Keeps what it is told.
#[derive(Default)]
struct Told {
    begun: Vec<(Work, usize)>,
    steps: Vec<usize>,
    ended: usize,
}

impl Observer for Told {
    fn tell(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Begin { work, steps } => {
                self.begun.push((work, steps));
                self.steps.push(0);
            }
            Progress::Step => *self.steps.last_mut().unwrap() += 1,
            Progress::End => self.ended += 1,
            _ => {}
        }
    }
}

fn bundle() -> (TempDir, Bundle) {
    let directory = tempfile::tempdir().unwrap();
    let bundle = Bundle::open(tiny_bundle(directory.path())).unwrap();
    (directory, bundle)
}

fn films(directory: &Path, count: u64) -> Vec<LabeledFilm> {
    let film = |seed: u64| {
        let path = directory.join(format!("{seed}.png"));
        medclip_phantom::write_png(&Phantom::random(seed, 64).unwrap().render(), &path).unwrap();
        LabeledFilm { path, patient: seed.to_string(), labels: Vec::new() }
    };
    (0..count).map(film).collect()
}

/// A model of random weights says little of 8 bits: the limits are wide.
fn wide() -> QuantizeOptions {
    let limits = GateLimits { cosine: 0.9, top1: 0.0, auroc: 1.0 };
    QuantizeOptions { limits, ..QuantizeOptions::default() }
}

#[test]
fn an_observer_is_told_of_every_film_and_graph() {
    let (directory, bundle) = bundle();
    let films = films(directory.path(), 40);
    let mut told = Told::default();
    let made = quantize(&bundle, &films, &directory.path().join("int8"), &wide(), &mut told).unwrap();
    assert_eq!(made.id(), bundle.id(), "the model is the same");
    assert!(made.has(TowerKind::Image, Precision::Int8) && !made.has(TowerKind::Text, Precision::Int8));
    let works: Vec<Work> = told.begun.iter().map(|&(work, _)| work).collect();
    assert_eq!(works, [Work::ReadFilms, Work::ReadFilms, Work::MeasureFilms, Work::CompareGraphs]);
    assert_eq!(told.ended, works.len());
    assert_eq!(told.steps[0] + told.steps[1], films.len());
    assert_eq!(told.steps[2], 2 * told.steps[0], "each film is met twice");
}

#[test]
fn what_cannot_be_quantized_has_a_reason_without_options_of_a_program() {
    let (directory, bundle) = bundle();
    let out = directory.path().join("out");
    let text_only = QuantizeOptions { towers: vec![TowerKind::Text], ..wide() };
    let strict = QuantizeOptions {
        limits: GateLimits { cosine: 1.0, ..GateLimits::default() },
        max_kept: Some(0),
        ..text_only.clone()
    };
    let single = QuantizeOptions { precisions: vec![Precision::Fp32], ..wide() };
    let few = films(directory.path(), 3);
    let try_it = |films: &[LabeledFilm], target: &Path, options: &QuantizeOptions| {
        let error = quantize(&bundle, films, target, options, &mut ()).unwrap_err();
        assert!(!error.to_string().contains("--"), "{error}");
        error
    };
    assert!(matches!(try_it(&[], bundle.directory(), &wide()), QuantizeError::Target(_)));
    assert!(matches!(try_it(&[], &out, &single), QuantizeError::Own(Precision::Fp32)));
    assert!(matches!(try_it(&[], &out, &wide()), QuantizeError::FewFilms { count: 0, .. }));
    assert!(matches!(try_it(&few, &out, &wide()), QuantizeError::FewFilms { needed: 8, .. }));
    let QuantizeError::Tower { tower: TowerKind::Text, source, .. } = try_it(&[], &out, &strict) else {
        panic!("a perfect cosine was reached");
    };
    assert!(matches!(*source, TowerError::Choose(_) | TowerError::PastLimits { .. }), "{source}");
    assert!(!out.exists());
    // A text tower needs no films.
    quantize(&bundle, &[], &out, &text_only, &mut ()).unwrap();
}

#[test]
fn verifying_compares_two_sides_and_only_reads() {
    let (_directory, bundle) = bundle();
    let options = |engines: &[EngineKind]| {
        let engines = engines.iter().copied().map(Evaluator::Engine).collect();
        VerifyOptions { engines, ..VerifyOptions::default() }
    };
    let alone = verify(&bundle, &options(&[EngineKind::Tract]), &mut ()).unwrap_err();
    let tract = Evaluator::Engine(EngineKind::Tract);
    assert!(matches!(alone, VerifyError::OneEngine { engine } if engine == tract), "{alone}");
    let before = files(bundle.directory());
    let found = verify(&bundle, &options(&[EngineKind::Tract, EngineKind::Rten]), &mut ()).unwrap();
    assert!(found.within(), "{found:?}");
    assert_eq!(found.reference, "tract");
    assert_eq!(found.results.iter().map(|each| each.batch).collect::<Vec<_>>(), [1, 3, 8]);
    let maps: Vec<_> = found.maps.iter().map(|each| (each.engine.as_str(), each.largest.is_some())).collect();
    assert_eq!(maps, [("tract", false), ("rten", true)]);
    assert!(found.maps.iter().all(|each| each.mean <= 1e-5 && each.largest.unwrap_or_default() <= 1e-4));
    assert_eq!(files(bundle.directory()), before);
}

#[test]
fn weights_become_a_bundle_of_the_name_of_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../export/tests/golden/import");
    let prompts = directory.path().join("prompts.toml");
    std::fs::write(&prompts, PROMPTS).unwrap();
    let options = ImportBundleOptions {
        heads: Some(2),
        lowercase: Some(true),
        image_size: 16,
        max_length: 40,
        prompts: Some(prompts),
        ..ImportBundleOptions::default()
    };
    let (weights, target) = (golden.join("medclip_resnet.safetensors"), directory.path().join("made"));
    let config = import_bundle(&weights, &target, &options, &mut ()).unwrap();
    assert_eq!(config.name, "made", "named like its directory");
    assert_eq!(Bundle::open(&target).unwrap().config(), &config);
    let again = import_bundle(&weights, &target, &options, &mut ()).unwrap_err();
    assert!(matches!(again, ImportBundleError::Target(_)), "{again}");
    let lone = directory.path().join("weights.safetensors");
    std::fs::copy(&weights, &lone).unwrap();
    let nameless = import_bundle(&lone, &directory.path().join("other"), &options, &mut ()).unwrap_err();
    assert!(matches!(nameless, ImportBundleError::NoVocabulary { .. }), "{nameless}");
}

fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    found.sort();
    found
}

/// Stops in a part of the work, after its first step.
struct StopIn {
    part: Work,
    at_work: Option<Work>,
    stepped: bool,
}

impl StopIn {
    const fn new(part: Work) -> Self {
        Self { part, at_work: None, stepped: false }
    }
}

impl Observer for StopIn {
    fn tell(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Begin { work, .. } => self.at_work = Some(work),
            Progress::Step => self.stepped |= self.at_work == Some(self.part),
            _ => {}
        }
    }

    fn is_stopped(&self) -> bool {
        self.stepped
    }
}

#[test]
fn a_stop_ends_the_work_between_two_steps_and_nothing_is_written() {
    let (directory, bundle) = bundle();
    let (films, out) = (films(directory.path(), 40), directory.path().join("out"));
    for part in [Work::ReadFilms, Work::MeasureFilms, Work::CompareGraphs] {
        let stopped = quantize(&bundle, &films, &out, &wide(), &mut StopIn::new(part)).unwrap_err();
        assert!(matches!(stopped, QuantizeError::Stopped(_)), "{part:?}: {stopped}");
        assert!(!out.exists());
    }
    let twice = VerifyOptions { engines: vec![EngineKind::Tract.into(); 2], ..VerifyOptions::default() };
    let stopped = verify(&bundle, &twice, &mut StopIn::new(Work::RunEngines)).unwrap_err();
    assert!(matches!(stopped, VerifyError::Stopped(_)), "{stopped}");
    let flag = AtomicBool::new(true);
    let stopped = verify(&bundle, &twice, &mut Stoppable::new(&mut (), &flag)).unwrap_err();
    assert!(matches!(stopped, VerifyError::Stopped(_)), "{stopped}");
}
