//! The films an evaluation is of: the rows of a manifest that are wanted, and where their images lie.

use std::path::{Path, PathBuf};

use medclip_data::{Record, Selection, Split, check_disjoint, check_no_film_shared, read_manifest};

use crate::error::EvaluationError;

/// A manifest's rows, where their images lie, and which of them are wanted.
#[derive(Debug, Clone)]
pub struct FilmSet {
    manifest: PathBuf,
    root: PathBuf,
    records: Vec<Record>,
    sources: Vec<String>,
    views: Vec<String>,
}

impl FilmSet {
    /// Reads a manifest (CSV, or Parquet with the feature of `medclip-data`). Images lie beside it.
    ///
    /// # Errors
    /// [`EvaluationError::Manifest`].
    pub fn open(manifest: impl Into<PathBuf>) -> Result<Self, EvaluationError> {
        let manifest = manifest.into();
        let records = read_manifest(&manifest)
            .map_err(|source| EvaluationError::Manifest { path: manifest.clone(), source })?;
        let root = manifest.parent().map(PathBuf::from).unwrap_or_default();
        Ok(Self { manifest, root, records, sources: Vec::new(), views: Vec::new() })
    }

    /// The directory from which the manifest's paths start, if it is not the manifest's own.
    #[must_use]
    pub fn with_root(self, root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), ..self }
    }

    /// Only films of these sources; an empty list takes all.
    #[must_use]
    pub fn with_sources(self, sources: Vec<String>) -> Self {
        Self { sources, ..self }
    }

    /// Only films of these views, as [`Selection::views`] has them; an empty list takes all.
    #[must_use]
    pub fn with_views(self, views: Vec<String>) -> Self {
        Self { views, ..self }
    }

    /// The manifest, for messages.
    pub fn manifest(&self) -> &Path {
        &self.manifest
    }

    /// The directory from which the manifest's paths start.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The wanted rows of these splits, of all where there are none; `name` appears in errors.
    ///
    /// # Errors
    /// [`EvaluationError::Selection`] when there are none, or a source is unknown.
    pub fn chosen(&self, name: &str, splits: &[Split]) -> Result<Vec<&Record>, EvaluationError> {
        self.chosen_of(name, splits, &self.views)
    }

    /// As [`Self::chosen`], of these views whatever the set's own are.
    ///
    /// # Errors
    /// As of [`Self::chosen`].
    pub(crate) fn chosen_of(
        &self,
        name: &str,
        splits: &[Split],
        views: &[String],
    ) -> Result<Vec<&Record>, EvaluationError> {
        let selection = Selection {
            sources: self.sources.clone(),
            views: views.to_vec(),
            splits: splits.to_vec(),
            ..Selection::default()
        };
        let refused = |source| EvaluationError::Selection { path: self.manifest.clone(), source };
        let indices = selection.indices(name, &self.records).map_err(refused)?;
        Ok(indices.into_iter().filter_map(|index| self.records.get(index)).collect())
    }

    /// Refuses films to evaluate on that share a patient with those to fit on, or are among them under another name.
    ///
    /// # Errors
    /// [`EvaluationError::Selection`] with the first such patient or film.
    pub fn check_apart(&self, fit: &[&Record], evaluation: &[&Record]) -> Result<(), EvaluationError> {
        let name = "evaluation";
        check_disjoint(fit.iter().copied(), name, evaluation.iter().copied())
            .and_then(|()| check_no_film_shared(&self.manifest, &self.root, fit, name, evaluation))
            .map_err(|source| EvaluationError::Selection { path: self.manifest.clone(), source })
    }
}
