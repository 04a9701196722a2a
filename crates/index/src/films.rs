//! The films that an index names, shown and checked as when it was built.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use medclip_archive::Source;
use medclip_archive::inputs::{ArchiveReader, find, find_below};
use medclip_core::tokenize::TextDoubt;
use medclip_decode::Film;
use medclip_qc::Code;
use medclip_runtime::EncodeError;
use medclip_scorer::record::{RecordError, decoding_of, policy_of};
use medclip_scorer::{Failure, OpenError, Scorer, ScorerBuilder};
use thiserror::Error;

use crate::open::Index;

/// Why films cannot be shown as those of an index were.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FilmsError {
    /// The index was built with options that this version does not know.
    #[error(transparent)]
    Options(#[from] RecordError),
    /// The model cannot be used.
    #[error(transparent)]
    Scorer(#[from] OpenError),
}

/// Shows and embeds films with what an index keeps of how it was built; as by default where it keeps nothing.
#[derive(Debug, Clone)]
pub struct IndexedFilms(Scorer);

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query<'a> {
    /// Films like this one, by its id.
    Film(&'a str),
    /// Films that this sentence says.
    Sentence(&'a str),
}

/// A film to search by.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryFilm {
    /// Its embedding.
    pub embedding: Vec<f32>,
    /// What the checks found.
    pub codes: Vec<Code>,
}

/// A query, embedded.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Its embedding.
    pub vector: Vec<f32>,
    /// What the checks found of a film.
    pub codes: Vec<Code>,
    /// What a sentence loses.
    pub doubts: Vec<TextDoubt>,
}

/// Why a query has no embedding.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AskError {
    /// The film cannot be used.
    #[error("{id}: {}", failure.message)]
    Film {
        /// Its id.
        id: String,
        /// The reason.
        failure: Failure,
    },
    /// The sentence cannot be embedded.
    #[error(transparent)]
    Sentence(#[from] EncodeError),
}

impl IndexedFilms {
    /// Films as those of `index`, embedded by the model of `builder`. Where that asks for maps and the model, of an earlier
    /// version, has none, there are none.
    ///
    /// # Errors
    /// [`FilmsError`].
    pub fn of(index: &Index, builder: ScorerBuilder) -> Result<Self, FilmsError> {
        let options = index.options().cloned().unwrap_or_default();
        let builder = builder.checks(policy_of(&options)?).decoding(decoding_of(&options)?);
        let builder = builder.embeddings(true);
        match builder.clone().open() {
            Err(OpenError::Maps(_)) => Ok(Self(builder.maps(false).open()?)),
            opened => Ok(Self(opened?)),
        }
    }

    /// What embeds them.
    pub fn scorer(&self) -> &Scorer {
        &self.0
    }

    /// The film at a place.
    ///
    /// # Errors
    /// The reason alone, without the film's name.
    pub fn film(&self, source: Source) -> Result<Film, Failure> {
        let limits = self.0.limits();
        let bytes = match (source.member, source.problem) {
            (_, Some(problem)) => return Err(problem),
            (Some(member), None) => ArchiveReader::default().read(&source.path, &member)?,
            (None, None) => {
                medclip_decode::read(&source.path, limits).map_err(|reason| Failure::of_file(&reason))?
            }
        };
        medclip_decode::from_bytes_with(&bytes, limits, self.0.decoding())
            .map_err(|reason| Failure::of_file(&reason))
    }

    /// The film that a user names, if the index would have let it in. It may lie anywhere.
    ///
    /// # Errors
    /// The reason alone, without the film's name.
    pub fn query(&self, id: &str) -> Result<QueryFilm, Failure> {
        let film = self.film(find(id)?)?;
        let missing = || Failure::new(Failure::ENGINE, "the model gave no embedding");
        let report = self.0.score(&[self.0.prepare_film(film)]).pop().ok_or_else(missing)?;
        match report.failure() {
            Some(failure) if failure.kind == Failure::WITHHELD => {
                let message = format!("{}, which also left such films out of the index", failure.message);
                return Err(Failure::new(Failure::WITHHELD, message));
            }
            Some(failure) => return Err(failure.clone()),
            None => {}
        }
        let embedding = report.embedding().map(<[f32]>::to_vec).ok_or_else(missing)?;
        Ok(QueryFilm { embedding, codes: report.qc.clone() })
    }
}

impl IndexedFilms {
    /// Embeds what is asked for; a sentence loads the text tower.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn ask(&self, query: Query<'_>) -> Result<Asked, AskError> {
        let model = self.0.model();
        match query {
            Query::Film(id) => {
                let refused = |failure| AskError::Film { id: id.to_owned(), failure };
                let QueryFilm { embedding: vector, codes } = self.query(id).map_err(refused)?;
                Ok(Asked { vector, codes, doubts: Vec::new() })
            }
            Query::Sentence(sentence) => {
                let vector = model.embed_texts(&[sentence])?.row(0).to_vec();
                Ok(Asked { vector, codes: Vec::new(), doubts: model.doubts(sentence)? })
            }
        }
    }
}

/// The directory that films are shown from. An index may come from anybody, and it names whatever files it likes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilmRoot {
    directory: PathBuf,
    is_given: bool,
}

impl FilmRoot {
    /// A directory that the user named.
    pub fn named(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), is_given: true }
    }

    /// The current directory, from which only relative paths are shown.
    ///
    /// # Errors
    /// When the system does not tell it.
    pub fn current() -> io::Result<Self> {
        Ok(Self { directory: env::current_dir()?, is_given: false })
    }

    /// Whether a film of this id is not looked for, because nobody said from where it may be taken.
    pub fn leaves_out(&self, id: &str) -> bool {
        !self.is_given && Path::new(id).is_absolute()
    }

    /// The film of an id.
    ///
    /// # Errors
    /// The reason alone, when it may not be opened or is not there.
    pub fn find(&self, id: &str) -> Result<Source, Failure> {
        if self.leaves_out(id) {
            let reason = "the index names an absolute path; name a directory that holds it to show it";
            return Err(Failure::new("io", reason));
        }
        find_below(id, &self.directory)
    }
}
