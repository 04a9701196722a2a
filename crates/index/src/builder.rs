//! Vectors and names to a file.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::Path;

use medclip_files::StagingError;
use thiserror::Error;

use crate::file::{self, Contents};
use crate::lists::{self, Clustering};
use crate::scan::unit;
use crate::search::Search;

/// How vectors lie in the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Layout {
    /// In the order in which they came; a query reads them all.
    Flat,
    /// By the nearest of some centers; a query reads the lists of its nearest centers, of as many as give this recall of
    /// the ten nearest.
    Lists {
        /// Mean share of the ten nearest vectors that a query finds, above 0 and at most 1.
        recall: f64,
    },
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildReport {
    /// Vectors.
    pub rows: usize,
    /// Lists; 0 of a flat index.
    pub lists: usize,
    /// Lists a query reads.
    pub probes: usize,
    /// Share of the ten nearest that queries found, mean over vectors of the index, themselves left out; none of a flat
    /// index, which finds all.
    pub recall: Option<f64>,
}

impl fmt::Display for BuildReport {
    /// `300000 vectors, 548 lists of which a query reads 40, recall@10 0.9912`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, lists, probes, recall } = self;
        write!(f, "{rows} vectors")?;
        match recall {
            Some(recall) => {
                write!(f, ", {lists} lists of which a query reads {probes}, recall@10 {recall:.4}")
            }
            None => Ok(()),
        }
    }
}

/// Why a vector was refused or nothing written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No width.
    #[error("vectors have no values")]
    NoWidth,
    /// Another width than the rest.
    #[error("{id}: the vector has {actual} values, the index takes {expected}")]
    Width {
        /// Its name.
        id: String,
        /// Width of the index.
        expected: usize,
        /// Its own.
        actual: usize,
    },
    /// A vector without a direction.
    #[error("{id}: the vector is zero or not finite")]
    NoDirection {
        /// Its name.
        id: String,
    },
    /// A name twice.
    #[error("{id} is there already")]
    Twice {
        /// The name.
        id: String,
    },
    /// A recall that cannot be asked for.
    #[error("a recall of {0} cannot be asked for: it is above 0 and at most 1")]
    Recall(f64),
    /// The file cannot be written.
    #[error("cannot write {0}")]
    Write(#[from] StagingError),
}

/// Collects vectors.
#[derive(Debug)]
pub struct IndexBuilder {
    model: String,
    model_id: String,
    dim: usize,
    vectors: Vec<f32>,
    ids: Vec<String>,
    known: HashSet<String>,
    options: Option<BTreeMap<String, String>>,
}

impl IndexBuilder {
    /// An index of vectors of `dim` values, made by the model of this name and id.
    ///
    /// # Errors
    /// [`BuildError::NoWidth`] when `dim` is 0.
    pub fn new(
        model: impl Into<String>,
        model_id: impl Into<String>,
        dim: usize,
    ) -> Result<Self, BuildError> {
        if dim == 0 {
            return Err(BuildError::NoWidth);
        }
        let (model, model_id) = (model.into(), model_id.into());
        let (vectors, ids, known) = (Vec::new(), Vec::new(), HashSet::new());
        Ok(Self { model, model_id, dim, vectors, ids, known, options: None })
    }

    /// Keeps in the index how its films were shown and which of them were let in, by name, so that a query can be treated
    /// alike.
    #[must_use]
    pub fn with_options(mut self, options: BTreeMap<String, String>) -> Self {
        self.options = Some(options);
        self
    }

    /// Adds a vector, scaled to length 1.
    ///
    /// # Errors
    /// [`BuildError`] when it is of another width, has no direction, or its name is there already.
    pub fn push(&mut self, id: impl Into<String>, vector: &[f32]) -> Result<(), BuildError> {
        let id = id.into();
        if vector.len() != self.dim {
            return Err(BuildError::Width { id, expected: self.dim, actual: vector.len() });
        }
        let Some(unit) = unit(vector) else { return Err(BuildError::NoDirection { id }) };
        if !self.known.insert(id.clone()) {
            return Err(BuildError::Twice { id });
        }
        self.vectors.extend(unit);
        self.ids.push(id);
        Ok(())
    }

    /// How many vectors there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Writes the file, whole or not at all. The same vectors give the same bytes.
    ///
    /// # Errors
    /// [`BuildError`] when it cannot be written, or the layout asks for an impossible recall.
    pub fn write(self, path: impl AsRef<Path>, layout: Layout) -> Result<BuildReport, BuildError> {
        let Self { model, model_id, dim, mut vectors, mut ids, options, .. } = self;
        let rows = ids.len();
        let mut clustering = Clustering::default();
        let mut recall = None;
        if let Layout::Lists { recall: wanted } = layout {
            if !(wanted > 0.0 && wanted <= 1.0) {
                return Err(BuildError::Recall(wanted));
            }
            let (found, order) = lists::cluster(&vectors, dim);
            clustering = found;
            vectors = order.iter().flat_map(|&row| &vectors[row * dim..][..dim]).copied().collect();
            ids = order.iter().map(|&row| std::mem::take(&mut ids[row])).collect();
            recall = lists::calibrate(&mut clustering, &vectors, dim, wanted);
        }
        let report = BuildReport { rows, lists: clustering.lists(), probes: clustering.probes, recall };
        let contents = Contents { model, model_id, options, dim, vectors: &vectors, ids: &ids, clustering };
        file::write(path.as_ref(), &contents)?;
        Ok(report)
    }
}

impl Layout {
    /// Rows from which on lists are worth their building.
    pub const LISTS_FROM: usize = 200_000;

    /// What somebody wants: lists with this recall, or flat; otherwise by the number of rows.
    pub fn wanted(recall: Option<f64>, is_flat: bool, rows: usize) -> Self {
        match recall {
            Some(recall) => Self::Lists { recall },
            None if is_flat => Self::Flat,
            None => Self::of_size(rows),
        }
    }

    /// Flat for as many rows as an exact scan takes in some ten milliseconds, lists with a recall of 0.99 for more.
    pub fn of_size(rows: usize) -> Self {
        if rows < Self::LISTS_FROM { Self::Flat } else { Self::Lists { recall: 0.99 } }
    }

    /// The search that suits it.
    pub const fn search(self) -> Search {
        match self {
            Self::Flat => Search::Exact,
            Self::Lists { .. } => Search::Lists,
        }
    }
}
