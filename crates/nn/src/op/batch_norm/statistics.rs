//! Mean and variance of channels over rows.

use rayon::prelude::*;

use crate::cpu::kernel;

/// Values a chunk of rows holds at most: small enough to be read twice from cache.
const CHUNK_VALUES: usize = 32 * 1024;

/// Mean and biased variance of each channel.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchStatistics {
    /// Mean, `[channels]`.
    pub mean: Vec<f32>,
    /// Mean squared deviation, `[channels]`.
    pub variance: Vec<f32>,
}

/// Values of the rows handled together.
pub(super) fn chunk_values(channels: usize) -> usize {
    (CHUNK_VALUES / channels).max(1) * channels
}

/// Per-chunk means and squared deviations, merged in order and in double precision (Chan et al. 1979).
pub(super) fn batch_statistics(x: &[f32], channels: usize) -> BatchStatistics {
    let partial: Vec<(usize, Vec<f32>, Vec<f32>)> = x
        .par_chunks(chunk_values(channels))
        .map(|x| {
            kernel!(|x: &'a [f32], channels: usize| -> (usize, Vec<f32>, Vec<f32>) {
                let rows = x.len() / channels;
                let mut mean = vec![0.0_f32; channels];
                for x in x.chunks_exact(channels) {
                    for (m, x) in mean.iter_mut().zip(x) {
                        *m += x;
                    }
                }
                for m in &mut mean {
                    *m /= rows as f32;
                }
                let mut squares = vec![0.0_f32; channels];
                for x in x.chunks_exact(channels) {
                    for ((s, x), m) in squares.iter_mut().zip(x).zip(&mean) {
                        let d = x - m;
                        *s += d * d;
                    }
                }
                (rows, mean, squares)
            })
        })
        .collect();
    let mut count = 0.0_f64;
    let mut mean = vec![0.0_f64; channels];
    let mut squares = vec![0.0_f64; channels];
    for (rows, chunk_mean, chunk_squares) in partial {
        let rows = rows as f64;
        let total = count + rows;
        for c in 0..channels {
            let delta = f64::from(chunk_mean[c]) - mean[c];
            mean[c] += delta * rows / total;
            squares[c] += f64::from(chunk_squares[c]) + delta * delta * count * rows / total;
        }
        count = total;
    }
    BatchStatistics {
        mean: mean.into_iter().map(|m| m as f32).collect(),
        variance: squares.into_iter().map(|s| (s / count) as f32).collect(),
    }
}
