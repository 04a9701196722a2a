//! The nearest vectors of a query.

use rayon::prelude::*;
use thiserror::Error;

use crate::lists::scan_lists;
use crate::open::{Index, ReadError, rows_of_block};
use crate::scan::{scan_into, unit};
use crate::top::Top;

/// Blocks a thread takes at a time.
const BLOCKS: usize = 8;

/// Which vectors a query is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// All.
    Exact,
    /// Those in the lists of as many nearest centers as the index was measured with.
    Lists,
    /// Those in the lists of this many nearest centers.
    Probes(usize),
}

/// A vector that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Its row; [`Index::id`] names it.
    pub row: usize,
    /// Its cosine with the query, in [-1, 1] up to rounding.
    pub cosine: f32,
}

/// Why a query has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// Another width than the index has.
    #[error("the query has {actual} values, the index has vectors of {expected}")]
    Width {
        /// Width of the index.
        expected: usize,
        /// That of the query.
        actual: usize,
    },
    /// A query without a direction.
    #[error("the query is zero or not finite")]
    NoDirection,
    /// Lists were asked for where there are none.
    #[error("the index has no lists: only exact search is possible")]
    NoLists,
    /// The index was cut off since it was opened, or cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Index {
    /// The `k` vectors of largest cosine with `query`, `[dim]`, best first; fewer where there are fewer. Of equal ones the
    /// lower row comes first. Uses all threads.
    ///
    /// # Errors
    /// [`QueryError`] when the query is of another width or has no direction, lists are asked of a flat index, or the file
    /// cannot be read any more.
    pub fn query(&self, query: &[f32], k: usize, search: Search) -> Result<Vec<Hit>, QueryError> {
        if query.len() != self.dim() {
            return Err(QueryError::Width { expected: self.dim(), actual: query.len() });
        }
        let query: Vec<f32> = unit(query).ok_or(QueryError::NoDirection)?.collect();
        let clustering = self.clustering();
        let probes = match search {
            Search::Exact => None,
            Search::Lists => Some(clustering.probes),
            Search::Probes(probes) => Some(probes),
        };
        let top = match probes {
            None => self.scan_in_parallel(&query, k)?,
            Some(_) if clustering.lists() == 0 && !self.is_empty() => return Err(QueryError::NoLists),
            Some(probes) => {
                let mut buffer = Vec::new();
                scan_lists(clustering, probes, &query, k, |rows, top| {
                    self.each_block(rows, &mut buffer, &mut |first, block| {
                        scan_into(top, first, block, &query);
                    })
                })?
            }
        };
        Ok(top.into_sorted().into_iter().map(|(row, cosine)| Hit { row, cosine }).collect())
    }

    fn scan_in_parallel(&self, query: &[f32], k: usize) -> Result<Top, ReadError> {
        let step = BLOCKS * rows_of_block(self.dim());
        let parts = (0..self.len().div_ceil(step)).into_par_iter();
        let none = || (Top::new(k), Vec::new());
        let found = parts.try_fold(none, |(mut top, mut buffer), part| {
            let rows = part * step..(part + 1) * step;
            self.each_block(rows, &mut buffer, &mut |first, block| scan_into(&mut top, first, block, query))?;
            Ok((top, buffer))
        });
        found.map(|found| found.map(|(top, _)| top)).try_reduce(|| Top::new(k), |a, b| Ok(a.merge(b)))
    }

    /// The search its layout is for.
    pub fn default_search(&self) -> Search {
        if self.clustering().lists() == 0 { Search::Exact } else { Search::Lists }
    }
}
