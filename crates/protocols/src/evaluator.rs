//! A model and the films it is evaluated on.

use std::num::NonZeroUsize;

use medclip_data::{Record, Split};
use medclip_runtime::Model;
use serde::Serialize;

use crate::embed::{EmbeddedFilms, distinct_patients, embed_films, embed_sentences};
use crate::error::EvaluationError;
use crate::films::FilmSet;
use crate::observer::Observer;
use crate::resampling::Resampling;

/// A model, the films it is evaluated on, and the threads for that.
///
/// Figures do not depend on the number of threads. Each thread embeds one film at a time, so a model that uses one thread itself
/// serves best.
#[derive(Debug)]
pub struct Evaluator {
    model: Model,
    films: FilmSet,
    threads: usize,
}

/// What every evaluation says of the model and the films.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Name of the model.
    pub model: String,
    /// Id of its bundle.
    pub bundle: String,
    /// Engine that ran it.
    pub engine: &'static str,
    /// Films evaluated.
    pub images: usize,
    /// Patients they are of.
    pub patients: usize,
    /// Films that could not be read or embedded.
    pub failed: usize,
    /// How often patients were drawn for the 95 % intervals.
    pub resamples: usize,
    /// Seed of everything that was drawn.
    pub seed: u64,
}

impl Subject {
    /// The first sentence of a sheet, with these words around the films.
    pub(crate) fn words(&self, before: &str, after: &str) -> String {
        let Self { model, images, patients, resamples, seed, .. } = self;
        let intervals = interval_words(*resamples, *seed);
        format!("{model}: {before}{images} images of {patients} patients{after}; {intervals}.")
    }
}

/// How the intervals were made.
pub(crate) fn interval_words(resamples: usize, seed: u64) -> String {
    format!("95 % intervals from\n{resamples} resamples of patients (seed {seed})")
}

impl Evaluator {
    /// `model` on `films`, with so many threads.
    pub const fn new(model: Model, films: FilmSet, threads: NonZeroUsize) -> Self {
        Self { model, films, threads: threads.get() }
    }

    /// The model.
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// The films.
    pub const fn films(&self) -> &FilmSet {
        &self.films
    }

    pub(crate) const fn threads(&self) -> usize {
        self.threads
    }

    /// The wanted films of these splits; `name` appears in errors.
    pub(crate) fn chosen(&self, name: &str, splits: &[Split]) -> Result<Vec<&Record>, EvaluationError> {
        self.films.chosen(name, splits)
    }

    /// Embeds the films of `chosen`; one that fails is told to `observer`, counted and left out.
    pub(crate) fn embed<'a>(
        &self,
        chosen: &[&'a Record],
        observer: &mut dyn Observer,
    ) -> Result<EmbeddedFilms<'a>, EvaluationError> {
        embed_films(&self.model, &self.films, chosen, self.threads, observer)
    }

    /// Unit-norm embeddings of `sentences`, each embedded alone.
    pub(crate) fn embed_sentences<S: AsRef<str> + Sync>(
        &self,
        sentences: &[S],
        observer: &mut dyn Observer,
    ) -> Result<Vec<Vec<f32>>, EvaluationError> {
        embed_sentences(&self.model, sentences, self.threads, observer)
    }

    /// The head of a result on these films.
    pub(crate) fn subject(&self, films: &EmbeddedFilms<'_>, resampling: Resampling) -> Subject {
        self.subject_of(&films.records, films.failed, resampling)
    }

    /// The head of a result on these films, where `failed` others could not be used.
    pub(crate) fn subject_of(&self, films: &[&Record], failed: usize, resampling: Resampling) -> Subject {
        Subject {
            model: self.model.name().to_owned(),
            bundle: self.model.bundle().id().to_owned(),
            engine: self.model.engine().name(),
            images: films.len(),
            patients: distinct_patients(films.iter().copied()),
            failed,
            resamples: resampling.resamples,
            seed: resampling.seed,
        }
    }
}
