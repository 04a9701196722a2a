//! Films and sentences to embeddings, on several threads and in their order.

use std::collections::BTreeSet;
use std::path::Path;

use medclip_core::ImageBatch;
use medclip_data::Record;
use medclip_decode::{Film, Limits};
use medclip_runtime::{EncodeError, Model};
use tracing::info_span;

use crate::error::{EvaluationError, FilmError};
use crate::films::FilmSet;
use crate::observer::{Observer, Progress, Unit, go_on};
use crate::ordered::for_each_ordered;

/// Films that could be read, each with its unit-norm embedding.
#[derive(Debug, Clone, Default)]
pub(crate) struct EmbeddedFilms<'a> {
    /// Rows of the manifest.
    pub(crate) records: Vec<&'a Record>,
    /// `[films][dim]`, in the order of `records`.
    pub(crate) embeddings: Vec<Vec<f32>>,
    /// Films that could not be read or embedded.
    pub(crate) failed: usize,
}

impl EmbeddedFilms<'_> {
    /// The patient of each film, for intervals by patient.
    pub(crate) fn patients(&self) -> Vec<&str> {
        self.records.iter().map(|record| record.patient_group.as_str()).collect()
    }
}

/// How many patients these films are of.
pub(crate) fn distinct_patients<'a>(records: impl IntoIterator<Item = &'a Record>) -> usize {
    records.into_iter().map(|record| record.patient_group.as_str()).collect::<BTreeSet<_>>().len()
}

/// Decodes an image file with the default options.
pub(crate) fn read(path: &Path) -> Result<Film, FilmError> {
    let read =
        |error: medclip_decode::DecodeError| FilmError::Read { path: path.to_owned(), source: error.reason };
    medclip_decode::open(path, &Limits::default()).map_err(read)
}

/// The pixels of one film as `model` takes them.
pub(crate) fn pixels(model: &Model, path: &Path, film: Film) -> Result<ImageBatch, FilmError> {
    let batch = model.preprocessor().batch(&[film.image]);
    batch.map_err(|error| FilmError::Embed { path: path.to_owned(), source: error.into() })
}

/// The unit-norm embedding of one film.
pub(crate) fn embed(model: &Model, path: &Path, film: Film) -> Result<Vec<f32>, FilmError> {
    let rows = model.embed_images(&pixels(model, path, film)?);
    let rows = rows.map_err(|source| FilmError::Embed { path: path.to_owned(), source })?;
    Ok(rows.row(0).to_vec())
}

/// Embeds the films of `chosen`; one that fails is told to `observer`, counted and left out.
///
/// # Errors
/// [`EvaluationError::NoFilm`] when all fail.
pub(crate) fn embed_films<'a>(
    model: &Model,
    films: &FilmSet,
    chosen: &[&'a Record],
    threads: usize,
    observer: &mut dyn Observer,
) -> Result<EmbeddedFilms<'a>, EvaluationError> {
    let work = |record: &Record| {
        let path = films.root().join(&record.path);
        embed(model, &path, read(&path)?)
    };
    let done = each_film(films, chosen, threads, observer, work)?;
    let failed = chosen.len() - done.len();
    let (records, embeddings) = done.into_iter().unzip();
    Ok(EmbeddedFilms { records, embeddings, failed })
}

/// What `work` makes of each film of `chosen`, in their order; one that fails is told to `observer` and left out.
///
/// # Errors
/// [`EvaluationError::NoFilm`] when all fail, [`EvaluationError::Stopped`] when the observer is stopped.
pub(crate) fn each_film<'a, T: Send>(
    films: &FilmSet,
    chosen: &[&'a Record],
    threads: usize,
    observer: &mut dyn Observer,
    work: impl Fn(&'a Record) -> Result<T, FilmError> + Sync,
) -> Result<Vec<(&'a Record, T)>, EvaluationError> {
    let _span = info_span!("embed", films = chosen.len(), threads).entered();
    observer.tell(Progress::Begin { unit: Unit::Images, count: chosen.len() });
    let mut done = Vec::with_capacity(chosen.len());
    let mut waiting = chosen.iter();
    for_each_ordered(chosen.iter().copied(), threads, work, |result| {
        let record = *waiting.next().ok_or(EvaluationError::Fault("embedding films"))?;
        observer.tell(Progress::Done(1));
        go_on(observer)?;
        match result.unwrap_or_else(|_| Err(FilmError::Fault { path: record.path.clone() })) {
            Ok(made) => done.push((record, made)),
            Err(error) => observer.tell(Progress::Failed(&error)),
        }
        Ok::<(), EvaluationError>(())
    })?;
    observer.tell(Progress::End);
    if done.is_empty() {
        return Err(EvaluationError::NoFilm { manifest: films.manifest().to_owned(), count: chosen.len() });
    }
    Ok(done)
}

/// Unit-norm embeddings of `sentences`, each embedded alone so that none depends on its company.
pub(crate) fn embed_sentences<S: AsRef<str> + Sync>(
    model: &Model,
    sentences: &[S],
    threads: usize,
    observer: &mut dyn Observer,
) -> Result<Vec<Vec<f32>>, EvaluationError> {
    let _span = info_span!("embed", sentences = sentences.len(), threads).entered();
    observer.tell(Progress::Begin { unit: Unit::Sentences, count: sentences.len() });
    let mut rows = Vec::with_capacity(sentences.len());
    let work = |sentence: &S| Ok::<_, EncodeError>(model.embed_texts(&[sentence])?.row(0).to_vec());
    for_each_ordered(sentences, threads, work, |result| {
        observer.tell(Progress::Done(1));
        go_on(observer)?;
        let row = result.map_err(|_| EvaluationError::Fault("embedding sentences"))?;
        rows.push(row.map_err(EvaluationError::Sentences)?);
        Ok::<(), EvaluationError>(())
    })?;
    observer.tell(Progress::End);
    Ok(rows)
}
