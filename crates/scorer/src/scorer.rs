//! Films to reports.

use std::path::Path;
use std::sync::Arc;

use medclip_core::map::ClassMap;
use medclip_core::name;
use medclip_decode::{DecodeOptions, Film, Identity, Limits, Reason};
use medclip_qc::Checks;
use medclip_runtime::{Classifier, EncodeError, GrayImage, ImageBatch, Model};

use crate::builder::ScorerBuilder;
use crate::error::{OpenError, ScoreError};
use crate::failure::Failure;
use crate::maps::{FilmMaps, Shown};
use crate::prepared::{Prepared, without_others};
use crate::report::{Remark, Report, Scores};
use crate::schema::Schema;

/// What the model makes of a film.
struct Embedded {
    embedding: Vec<f32>,
    /// A map of every class, where maps are wanted.
    maps: Option<Vec<ClassMap>>,
}

/// A model with its classes, checks and options, ready to score films.
///
/// It is cheap to clone, and every method may be called from many threads at once.
#[derive(Debug, Clone)]
pub struct Scorer {
    pub(crate) model: Arc<Model>,
    pub(crate) classifier: Arc<Classifier>,
    pub(crate) checks: Arc<Checks>,
    pub(crate) decoding: DecodeOptions,
    pub(crate) limits: Limits,
    /// Whether reports have maps.
    pub(crate) maps: bool,
    pub(crate) schema: Arc<Schema>,
}

impl Scorer {
    /// Opens the bundle in `directory` with the default options: its own classes and checks, the engine tract, all threads.
    ///
    /// # Errors
    /// [`OpenError`] when the bundle cannot be verified or loaded.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::builder().bundle(directory).open()
    }

    /// Choices beside the defaults.
    pub fn builder() -> ScorerBuilder {
        ScorerBuilder::default()
    }

    /// Scores a film in a file.
    ///
    /// # Errors
    /// [`ScoreError`] when the file cannot be read or decoded, or the engine fails. Scores that the checks withhold are no error:
    /// [`Report::failure`] tells of them.
    pub fn score_file(&self, path: impl AsRef<Path>) -> Result<Report, ScoreError> {
        let path = path.as_ref();
        let name = name::of_path(path);
        match self.one(self.prepare_file(path)) {
            Ok(report) => Ok(Report { path: Some(name), ..report }),
            Err(error) => Err(ScoreError { path: Some(name), ..error }),
        }
    }

    /// Scores a film in memory: the bytes of a file of any kind.
    ///
    /// # Errors
    /// As [`Scorer::score_file`].
    pub fn score_bytes(&self, bytes: &[u8]) -> Result<Report, ScoreError> {
        self.one(self.prepare_bytes(bytes))
    }

    /// Scores a film that is decoded already.
    ///
    /// # Errors
    /// [`ScoreError`] when the engine fails.
    pub fn score_film(&self, film: Film) -> Result<Report, ScoreError> {
        self.one(self.prepare_film(film))
    }

    /// Scores pixels, black 0 and white 255.
    ///
    /// # Errors
    /// As [`Scorer::score_film`].
    pub fn score_image(&self, image: GrayImage) -> Result<Report, ScoreError> {
        self.score_film(Film { image, chroma: 0.0, notes: Vec::new(), identity: Identity::default() })
    }

    /// A withheld film is a report, any other failure an error.
    fn one(&self, prepared: Prepared) -> Result<Report, ScoreError> {
        let missing = || Failure::new(Failure::ENGINE, "the model gave no scores");
        let report = self.score(&[prepared]).pop().ok_or_else(missing)?;
        match report.failure() {
            Some(failure) if failure.kind != Failure::WITHHELD => Err(failure.clone().into()),
            _ => Ok(report),
        }
    }

    /// Decodes and checks the bytes of a file: the first half of [`Scorer::score_bytes`].
    pub fn prepare_bytes(&self, bytes: &[u8]) -> Prepared {
        self.prepare(medclip_decode::from_bytes_with(bytes, &self.limits, &self.decoding))
    }

    /// Reads, decodes and checks a file.
    pub fn prepare_file(&self, path: &Path) -> Prepared {
        match medclip_decode::read(path, &self.limits) {
            Ok(bytes) => self.prepare_bytes(&bytes),
            Err(reason) => Prepared::failed(Failure::of_file(&reason)),
        }
    }

    fn prepare(&self, film: Result<Film, Reason>) -> Prepared {
        match film {
            Ok(film) => self.prepare_film(film),
            Err(reason) => Prepared::failed(Failure::of_file(&reason)),
        }
    }

    /// Checks a film and brings it to the size that the model takes.
    pub fn prepare_film(&self, film: Film) -> Prepared {
        let found = self.checks.of_film(&film);
        let judgment = self.checks.judge(&found);
        let image = if judgment.is_withheld {
            Err(Failure::new(Failure::WITHHELD, judgment.reason()))
        } else {
            Ok(self.model.preprocessor().resized(&film.image))
        };
        let is_shown = self.maps && image.is_ok();
        Prepared {
            identity: without_others(film.identity, self.schema.patient),
            found,
            notes: film.notes.iter().map(Remark::from).collect(),
            image,
            shown: is_shown.then(|| Shown::of(&film.image, self.model.preprocessor())),
        }
    }

    /// Scores a batch of films, a report for each in order. When the engine fails on the batch, each film is tried alone.
    pub fn score(&self, films: &[Prepared]) -> Vec<Report> {
        let images: Vec<&GrayImage> = films.iter().filter_map(|film| film.image.as_ref().ok()).collect();
        let mut embedded = self.embed(&images).into_iter();
        let missing = || Err(Failure::new(Failure::ENGINE, "the model gave no embedding"));
        let report = |film: &Prepared| match &film.image {
            Ok(_) => self.report(film, embedded.next().unwrap_or_else(missing)),
            Err(failure) => self.report(film, Err(failure.clone())),
        };
        films.iter().map(report).collect()
    }

    fn report(&self, film: &Prepared, embedded: Result<Embedded, Failure>) -> Report {
        let mut found = film.found.clone();
        found.extend(embedded.iter().flat_map(|embedded| self.checks.of_embedding(&embedded.embedding)));
        let judgment = self.checks.judge(&found);
        let outcome = embedded.and_then(|Embedded { embedding, maps }| {
            if judgment.is_withheld {
                return Err(Failure::new(Failure::WITHHELD, judgment.reason()));
            }
            let scores = self.classifier.scores_of(&embedding).map_err(|error| Failure::engine(&error))?;
            let findings = scores.iter().map(|score| (score.logit, score.probability)).collect();
            let shown = film.shown.clone();
            let maps = maps.zip(shown).map(|(maps, shown): (_, Shown)| Box::new(shown.with(maps)));
            Ok(Scores { findings, embedding: self.schema.embedding_dim.is_some().then_some(embedding), maps })
        });
        Report {
            schema: Arc::clone(&self.schema),
            path: None,
            identity: film.identity.clone(),
            qc: judgment.codes,
            notes: film.notes.clone(),
            outcome,
        }
    }

    fn embed(&self, images: &[&GrayImage]) -> Vec<Result<Embedded, Failure>> {
        if images.is_empty() {
            return Vec::new();
        }
        match self.try_embed(images) {
            Ok(embedded) => embedded.into_iter().map(Ok).collect(),
            Err(error) if images.len() == 1 => vec![Err(Failure::engine(&error))],
            Err(_) => images.iter().flat_map(|image| self.embed(&[image])).collect(),
        }
    }

    fn try_embed(&self, images: &[&GrayImage]) -> Result<Vec<Embedded>, EncodeError> {
        let batch = self.batch(images)?;
        if !self.maps {
            let embeddings = self.model.embed_images(&batch)?;
            let embedded = |embedding: &[f32]| Embedded { embedding: embedding.to_vec(), maps: None };
            return Ok(embeddings.iter().map(embedded).collect());
        }
        let (embeddings, locations) = self.model.embed_with_maps(&batch)?;
        let maps = self.classifier.maps_in_logits(&embeddings, &locations)?;
        let embedded =
            |(embedding, maps): (&[f32], _)| Embedded { embedding: embedding.to_vec(), maps: Some(maps) };
        Ok(embeddings.iter().zip(maps).map(embedded).collect())
    }

    pub(crate) fn batch(&self, images: &[&GrayImage]) -> Result<ImageBatch, EncodeError> {
        Ok(self.model.preprocessor().normalize(images.iter().copied())?)
    }

    /// Whether its reports have maps.
    pub const fn has_maps(&self) -> bool {
        self.maps
    }

    /// The most bytes that a prepared film takes.
    pub fn prepared_bytes(&self) -> u64 {
        let side = self.model.preprocessor().config().image_size as u64;
        let shown = u64::from(self.maps) * u64::from(FilmMaps::SIDE).pow(2);
        side * side + shown
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The checks of every film.
    pub fn checks(&self) -> &Checks {
        &self.checks
    }

    /// How files are decoded.
    pub const fn decoding(&self) -> &DecodeOptions {
        &self.decoding
    }

    /// What files may ask for.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What all its reports have in common.
    pub const fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }
}
