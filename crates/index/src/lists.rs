//! Vectors sorted to centers: spherical k-means, and how many lists a query has to read.

use std::convert::Infallible;
use std::ops::Range;

use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::kernel;
use crate::scan::{scan, scan_into};
use crate::top::Top;

/// Vectors per list that k-means looks at; more move the centers little.
const SAMPLE_PER_LIST: usize = 40;

/// Rounds of k-means.
const ROUNDS: usize = 8;

/// Vectors that stand for queries when the recall is measured.
const QUERIES: usize = 500;

/// Neighbors that count for the recall.
pub(crate) const NEIGHBORS: usize = 10;

/// Rows a thread takes at a time.
const BLOCK: usize = 256;

/// Centers, and which rows belong to each. Rows of a list lie side by side.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Clustering {
    /// `[lists, dim]`.
    pub(crate) centers: Vec<f32>,
    /// Where the rows of each list begin, and the number of rows at the end: `[lists + 1]`; empty without lists.
    pub(crate) starts: Vec<u64>,
    /// Lists a query reads.
    pub(crate) probes: usize,
}

impl Clustering {
    pub(crate) fn lists(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }
}

/// Sorts rows to about `4 · √rows` lists; returns them and the rows in their order.
pub(crate) fn cluster(vectors: &[f32], dim: usize) -> (Clustering, Vec<usize>) {
    let rows = vectors.len() / dim;
    if rows == 0 {
        return (Clustering::default(), Vec::new());
    }
    let lists = ((4.0 * (rows as f64).sqrt()) as usize).clamp(1, rows);
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let chosen = sample(&mut rng, rows, (lists * SAMPLE_PER_LIST).min(rows)).into_vec();
    let sampled: Vec<f32> = chosen.iter().flat_map(|&row| &vectors[row * dim..][..dim]).copied().collect();
    // Drawn without order, so the first are as good as any.
    let mut centers = sampled[..lists * dim].to_vec();
    for _ in 0..ROUNDS {
        let owners = owners(&centers, &sampled, dim);
        centers = means(&centers, &sampled, &owners, dim);
    }
    let owners = owners(&centers, vectors, dim);
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by_key(|&row| owners[row]);
    let mut starts = vec![0; lists + 1];
    for owner in owners {
        starts[owner as usize + 1] += 1;
    }
    for list in 0..lists {
        starts[list + 1] += starts[list];
    }
    (Clustering { centers, starts, probes: lists }, order)
}

/// The nearest center of every row.
fn owners(centers: &[f32], vectors: &[f32], dim: usize) -> Vec<u32> {
    let blocks = vectors.par_chunks(BLOCK * dim).flat_map_iter(|block| {
        let mut found = vec![(0, 0.0); block.len() / dim];
        kernel::nearest(centers, block, dim, &mut found);
        found.into_iter().map(|(list, _)| list)
    });
    blocks.collect()
}

/// The direction of every list's mean; a list without rows keeps its center.
fn means(centers: &[f32], vectors: &[f32], owners: &[u32], dim: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; centers.len()];
    for (row, &owner) in vectors.chunks_exact(dim).zip(owners) {
        let sum = &mut sums[owner as usize * dim..][..dim];
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    let mut means = centers.to_vec();
    for (mean, sum) in means.chunks_exact_mut(dim).zip(sums.chunks_exact(dim)) {
        let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt();
        if length > 0.0 {
            mean.iter_mut().zip(sum).for_each(|(mean, value)| *mean = (value / length) as f32);
        }
    }
    means
}

/// Sets the fewest lists that reach `wanted` on vectors of the index, each left out of its own neighbors; returns the
/// recall reached, none where there is nothing to find.
pub(crate) fn calibrate(
    clustering: &mut Clustering,
    vectors: &[f32],
    dim: usize,
    wanted: f64,
) -> Option<f64> {
    let rows = vectors.len() / dim;
    if rows < 2 {
        return None;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let queries = sample(&mut rng, rows, QUERIES.min(rows)).into_vec();
    let neighbors = NEIGHBORS.min(rows - 1);
    let own = |row: usize| &vectors[row * dim..][..dim];
    let keep = |found: Vec<(usize, f32)>, query: usize| -> Vec<usize> {
        let others = found.into_iter().map(|(row, _)| row).filter(|&row| row != query);
        others.take(neighbors).collect()
    };
    let exact: Vec<Vec<usize>> = queries
        .par_iter()
        .map(|&query| keep(scan(vectors, own(query), neighbors + 1).into_sorted(), query))
        .collect();
    let recall = |probes: usize| {
        let found = queries.par_iter().zip(&exact).map(|(&query, exact)| {
            let Ok(top) = scan_lists(clustering, probes, own(query), neighbors + 1, |rows, top| {
                scan_into(top, rows.start, &vectors[rows.start * dim..rows.end * dim], own(query));
                Ok::<(), Infallible>(())
            });
            let found = keep(top.into_sorted(), query);
            exact.iter().filter(|row| found.contains(row)).count()
        });
        found.sum::<usize>() as f64 / (queries.len() * neighbors) as f64
    };
    // Recall grows with the lists read, so the fewest are found by halving.
    let (mut least, mut most) = (1, clustering.lists());
    while least < most {
        let middle = usize::midpoint(least, most);
        if recall(middle) >= wanted { most = middle } else { least = middle + 1 }
    }
    let reached = recall(least);
    clustering.probes = least;
    Some(reached)
}

/// Has `scan_rows` compare the rows in the lists of the `probes` nearest centers, on this thread alone.
pub(crate) fn scan_lists<E>(
    clustering: &Clustering,
    probes: usize,
    query: &[f32],
    k: usize,
    mut scan_rows: impl FnMut(Range<usize>, &mut Top) -> Result<(), E>,
) -> Result<Top, E> {
    let mut top = Top::new(k);
    for (list, _) in scan(&clustering.centers, query, probes).into_sorted() {
        let [start, end] = [list, list + 1].map(|bound| clustering.starts[bound] as usize);
        scan_rows(start..end, &mut top)?;
    }
    Ok(top)
}
