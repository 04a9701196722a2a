//! The nearest vectors of a query.

use rayon::prelude::*;
use thiserror::Error;

use crate::builder::unit;
use crate::file::Index;
use crate::kernel;
use crate::lists::Clustering;
use crate::top::Top;

/// Rows a thread takes at a time.
const BLOCK: usize = 2048;

/// Which vectors a query is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// All.
    Exact,
    /// Those in the lists of as many nearest centres as the index was measured with.
    Lists,
    /// Those in the lists of this many nearest centres.
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
}

impl Index {
    /// The `k` vectors of largest cosine with `query`, `[dim]`, best first; fewer where there are fewer. Of equal ones the
    /// lower row comes first. Uses all threads.
    ///
    /// # Errors
    /// [`QueryError`] when the query is of another width or has no direction, or lists are asked of a flat index.
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
            None => scan_in_parallel(self.vectors(), &query, k),
            Some(_) if clustering.lists() == 0 && !self.is_empty() => return Err(QueryError::NoLists),
            Some(probes) => scan_lists(self.vectors(), clustering, probes, &query, k),
        };
        Ok(top.into_sorted().into_iter().map(|(row, cosine)| Hit { row, cosine }).collect())
    }

    /// The search its layout is for.
    pub fn default_search(&self) -> Search {
        if self.clustering().lists() == 0 { Search::Exact } else { Search::Lists }
    }
}

fn scan_in_parallel(vectors: &[f32], query: &[f32], k: usize) -> Top {
    let dim = query.len();
    let blocks = vectors.par_chunks(BLOCK * dim).enumerate();
    let add = |mut top: Top, (number, block): (usize, &[f32])| {
        scan_into(&mut top, number * BLOCK, block, query);
        top
    };
    blocks.fold(|| Top::new(k), add).reduce(|| Top::new(k), Top::merge)
}

/// On this thread alone.
pub(crate) fn scan(vectors: &[f32], query: &[f32], k: usize) -> Top {
    let mut top = Top::new(k);
    scan_into(&mut top, 0, vectors, query);
    top
}

/// Reads the lists of the `probes` nearest centres, on this thread alone.
pub(crate) fn scan_lists(
    vectors: &[f32],
    clustering: &Clustering,
    probes: usize,
    query: &[f32],
    k: usize,
) -> Top {
    let dim = query.len();
    let mut top = Top::new(k);
    for (list, _) in scan(&clustering.centres, query, probes).into_sorted() {
        let [start, end] = [list, list + 1].map(|bound| clustering.starts[bound] as usize);
        scan_into(&mut top, start, &vectors[start * dim..end * dim], query);
    }
    top
}

/// Compares rows, the first of which is row `first`.
fn scan_into(top: &mut Top, first: usize, rows: &[f32], query: &[f32]) {
    const ROWS: usize = 64;
    let mut products = [0.0; ROWS];
    for (number, block) in rows.chunks(ROWS * query.len()).enumerate() {
        let count = block.len() / query.len();
        kernel::dots(block, query, &mut products[..count]);
        for (position, product) in products[..count].iter().enumerate() {
            top.push(first + number * ROWS + position, *product);
        }
    }
}
