//! Times to figures.

use std::num::NonZeroUsize;

use medclip_core::precision::{Precision, TowerKind};
use serde::Serialize;

use super::process::Worker;

/// The runs of one setting.
#[derive(Debug)]
pub(super) struct Measured {
    engine: &'static str,
    precision: Precision,
    threads: usize,
    pub(super) tower: TowerKind,
    pub(super) batch: NonZeroUsize,
    /// Milliseconds of every run, round by round.
    pub(super) rounds: Vec<Vec<f64>>,
}

impl Measured {
    pub(super) fn new(worker: &Worker, tower: TowerKind, batch: NonZeroUsize) -> Self {
        let ((engine, precision), threads) = (worker.setting(), worker.threads);
        Self { engine, precision, threads, tower, batch, rounds: Vec::new() }
    }
}

/// Figures of one setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchFigures {
    /// The tower that ran.
    pub tower: TowerKind,
    /// The engine that ran it.
    pub engine: &'static str,
    /// In this precision.
    pub precision: Precision,
    /// Threads it could use.
    pub threads: usize,
    /// Images, or sentences, in one call.
    pub batch: usize,
    /// Median time of one call, in milliseconds.
    pub p50_ms: f64,
    /// Time that 95 of 100 calls do not exceed, in milliseconds.
    pub p95_ms: f64,
    /// Images, or sentences, a second over all measured runs.
    pub per_second: f64,
    /// Median over the rounds of this setting's median time by that of the compared engine in the same round.
    pub relative: f64,
}

/// Figures of every setting, compared with `first` at the same tower, threads and batch.
pub(super) fn figures(measured: &[Measured], first: &(&str, Precision)) -> Vec<BenchFigures> {
    let figures = |each: &Measured| {
        let base = measured.iter().find(|other| {
            (other.engine, other.precision) == *first
                && (other.tower, other.threads, other.batch) == (each.tower, each.threads, each.batch)
        });
        let all: Vec<f64> = each.rounds.concat();
        let seconds = all.iter().sum::<f64>() / 1e3;
        let ratios = base.iter().flat_map(|base| each.rounds.iter().zip(&base.rounds));
        let ratios: Vec<f64> = ratios.map(|(own, base)| quantile(own, 0.5) / quantile(base, 0.5)).collect();
        BenchFigures {
            tower: each.tower,
            engine: each.engine,
            precision: each.precision,
            threads: each.threads,
            batch: each.batch.get(),
            p50_ms: quantile(&all, 0.5),
            p95_ms: quantile(&all, 0.95),
            per_second: (all.len() * each.batch.get()) as f64 / seconds,
            relative: quantile(&ratios, 0.5),
        }
    };
    measured.iter().map(figures).collect()
}

/// The value that a share `q` of all do not exceed (nearest rank); not a number for none.
fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (q * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let values: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        for (q, expected) in [(0.0, 1.0), (0.5, 10.0), (0.95, 19.0), (1.0, 20.0)] {
            assert_eq!(quantile(&values, q), expected, "{q}");
        }
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn engines_are_compared_within_rounds() {
        let of = |engine, rounds: &[[f64; 1]]| Measured {
            engine,
            precision: Precision::Fp32,
            threads: 1,
            tower: TowerKind::Image,
            batch: NonZeroUsize::MIN.saturating_add(1),
            rounds: rounds.iter().map(|round| round.to_vec()).collect(),
        };
        // The machine is ten times slower in the second round, and both meet it.
        let measured = [of("tract", &[[4.0], [40.0], [4.0]]), of("ort-cpu", &[[2.0], [20.0], [2.0]])];
        let found = figures(&measured, &("tract", Precision::Fp32));
        assert_eq!((found[0].relative, found[1].relative), (1.0, 0.5));
        assert_eq!(found[1].per_second, 6.0 / 0.024);
    }
}
