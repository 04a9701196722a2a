//! Evaluations without the program.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use medclip_protocols::{
    BalanceError, BalancedOptions, EvaluationError, Evaluator, FilmSet, Observer, ProbeError, ProbeOptions,
    Progress, Ranked, Resampling, Stoppable, ZeroShotError, ZeroShotOptions, probe, zero_shot,
};
use medclip_runtime::Model;
use medclip_tests::tiny_bundle;
use tempfile::TempDir;

/// Keeps what it is told.
#[derive(Default)]
struct Heard(Vec<String>);

impl Observer for Heard {
    fn tell(&mut self, progress: Progress<'_>) {
        self.0.push(match progress {
            Progress::Begin { unit, count } => format!("{count} {}", unit.name()),
            Progress::Failed(error) => error.to_string(),
            Progress::End => "end".to_owned(),
            _ => return,
        });
    }
}

/// Phantoms in a directory.
fn phantoms(count: u32) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    medclip_phantom::write_dataset(&directory.path().join("films"), count, 5, 48).unwrap();
    directory
}

fn evaluator(directory: &Path) -> Evaluator {
    let model = Model::open(tiny_bundle(&directory.join("model"))).unwrap();
    let films = FilmSet::open(directory.join("films/manifest.csv")).unwrap();
    Evaluator::new(model, films, NonZeroUsize::new(2).unwrap())
}

const FEW: Resampling = Resampling { resamples: 20, seed: 0 };

#[test]
fn a_film_that_fails_is_told_counted_and_left_out() {
    let directory = phantoms(20);
    let broken = directory.path().join("films/images/000003.png");
    fs::write(&broken, b"no image").unwrap();
    let mut heard = Heard::default();
    let options = ZeroShotOptions { resampling: FEW, charts: true, ..ZeroShotOptions::default() };
    let found = zero_shot(&evaluator(directory.path()), &options, &mut heard).unwrap();
    assert_eq!(
        heard.0,
        ["20 images".to_owned(), format!("cannot read {}", broken.display()), "end".to_owned()]
    );
    assert_eq!((found.subject.images, found.subject.failed), (19, 1));
    let names: Vec<&str> = found.charts.iter().map(|chart| chart.file_name).collect();
    assert_eq!(names, ["roc.svg", "calibration.svg", "embedding-map.svg"]);
    assert!(!directory.path().join("roc.svg").exists(), "charts are values");
    assert!(matches!(found.ranked, Ranked::Once(figures) if figures.findings.len() == 2));
}

#[test]
fn errors_are_typed_and_name_no_option_of_the_program() {
    let directory = phantoms(20);
    let evaluator = evaluator(directory.path());
    let one = BalancedOptions {
        per_class: NonZeroUsize::MIN,
        classes: vec![medclip_core::Finding::Edema, medclip_core::Finding::Edema],
    };
    let options = ZeroShotOptions { balanced: Some(one), ..ZeroShotOptions::default() };
    let error = zero_shot(&evaluator, &options, &mut ()).unwrap_err();
    assert!(!error.to_string().contains("--"), "{error}");
    let ZeroShotError::Balance(BalanceError::Evaluation(EvaluationError::TooFewClasses { got })) = error
    else {
        panic!("{error}")
    };
    assert_eq!(got, "Edema");

    let everyone = ProbeOptions { fit_splits: Vec::new(), resampling: FEW, ..ProbeOptions::default() };
    let leak = probe(&evaluator, &everyone, &mut ()).unwrap_err();
    assert!(matches!(leak, ProbeError::Evaluation(EvaluationError::Selection { .. })), "{leak}");
    let nobody = ProbeOptions { fractions: vec![0.0], ..ProbeOptions::default() };
    assert!(matches!(probe(&evaluator, &nobody, &mut ()), Err(ProbeError::Fraction(0.0))));
}

/// Sets a flag at the third film.
struct ThirdFilm<'a>(usize, &'a AtomicBool);

impl Observer for ThirdFilm<'_> {
    fn tell(&mut self, progress: Progress<'_>) {
        if let Progress::Done(count) = progress {
            self.0 += count;
            self.1.store(self.0 >= 3, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_stop_flag_ends_an_evaluation_between_two_films() {
    let directory = phantoms(20);
    let stop = AtomicBool::new(false);
    let mut observer = ThirdFilm(0, &stop);
    let options = ZeroShotOptions { resampling: FEW, ..ZeroShotOptions::default() };
    let stopped =
        zero_shot(&evaluator(directory.path()), &options, &mut Stoppable::new(&mut observer, &stop));
    let stopped = stopped.unwrap_err();
    assert!(matches!(stopped, ZeroShotError::Evaluation(EvaluationError::Stopped(_))), "{stopped}");
    assert_eq!(observer.0, 3);
}
