//! Times to figures and tables.

use std::io::Write;

use medclip_core::terminal::Escaped;
use medclip_runtime::Precision;
use serde::Serialize;

use super::process::{Process, Worker};
use super::worker::Tower;
use crate::doctor::Machine;
use crate::output::{plain_table, write_table};

/// The runs of one setting.
#[derive(Debug)]
pub(super) struct Measured {
    /// Position of the process.
    pub(super) worker: usize,
    engine: &'static str,
    precision: Precision,
    threads: usize,
    pub(super) tower: Tower,
    pub(super) batch: usize,
    /// Milliseconds of every run, round by round.
    pub(super) rounds: Vec<Vec<f64>>,
}

impl Measured {
    pub(super) fn new(position: usize, worker: &Worker, tower: Tower, batch: usize) -> Self {
        let ((engine, precision), threads) = (worker.setting(), worker.threads);
        Self { worker: position, engine, precision, threads, tower, batch, rounds: Vec::new() }
    }
}

/// Everything `bench` says; the fields are the keys of its JSON object.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) model: String,
    /// SHA-256 that names the bundle's content as a whole.
    pub(super) bundle: String,
    pub(super) machine: Machine,
    /// Runs of every setting before those measured.
    pub(super) warm_up: usize,
    pub(super) rounds: usize,
    /// Measured runs of every setting in a round.
    pub(super) runs: usize,
    /// The engine and precision that `relative` divides by.
    pub(super) compared_with: String,
    pub(super) results: Vec<Figures>,
    pub(super) processes: Vec<Process>,
}

/// Figures of one setting.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Figures {
    tower: Tower,
    engine: &'static str,
    precision: Precision,
    threads: usize,
    batch: usize,
    /// Of one call.
    p50_ms: f64,
    p95_ms: f64,
    /// Images, or sentences, a second over all measured runs.
    per_second: f64,
    /// Median over the rounds of this setting's median time by that of the compared engine in the same round.
    relative: f64,
}

/// Figures of every setting, compared with `first` at the same tower, threads and batch.
pub(super) fn results(measured: &[Measured], first: &(&str, Precision)) -> Vec<Figures> {
    let figures = |each: &Measured| {
        let base = measured.iter().find(|other| {
            (other.engine, other.precision) == *first
                && (other.tower, other.threads, other.batch) == (each.tower, each.threads, each.batch)
        });
        let all: Vec<f64> = each.rounds.concat();
        let seconds = all.iter().sum::<f64>() / 1e3;
        let ratios = base.iter().flat_map(|base| each.rounds.iter().zip(&base.rounds));
        let ratios: Vec<f64> = ratios.map(|(own, base)| quantile(own, 0.5) / quantile(base, 0.5)).collect();
        Figures {
            tower: each.tower,
            engine: each.engine,
            precision: each.precision,
            threads: each.threads,
            batch: each.batch,
            p50_ms: quantile(&all, 0.5),
            p95_ms: quantile(&all, 0.95),
            per_second: (all.len() * each.batch) as f64 / seconds,
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

impl Report {
    pub(super) fn write_text(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let Self { model, machine, warm_up, rounds, runs, compared_with, .. } = self;
        let cpu = machine.cpu.as_deref().unwrap_or("unknown processor");
        writeln!(out, "{} on {}, {} hardware threads", Escaped(model), Escaped(cpu), machine.cores)?;
        writeln!(out, "{rounds} rounds of {runs} runs each, after {warm_up} to warm up\n")?;

        let relative = format!("× {compared_with}");
        let header =
            ["Tower", "Engine", "Precision", "Threads", "Batch", "p50 ms", "p95 ms", "Per second", &relative];
        let mut table = plain_table(&header, &[3, 4, 5, 6, 7, 8]);
        for each in &self.results {
            table.add_row([
                match each.tower {
                    Tower::Image => "image".to_owned(),
                    Tower::Text => "text".to_owned(),
                },
                each.engine.to_owned(),
                each.precision.to_string(),
                each.threads.to_string(),
                each.batch.to_string(),
                format!("{:.2}", each.p50_ms),
                format!("{:.2}", each.p95_ms),
                format!("{:.1}", each.per_second),
                format!("{:.2}", each.relative),
            ]);
        }
        write_table(out, table)?;
        writeln!(out)?;

        let header = ["Engine", "Precision", "Threads", "Load ms", "Text load ms", "Peak memory MiB"];
        let mut table = plain_table(&header, &[2, 3, 4, 5]);
        for process in &self.processes {
            let none = || "–".to_owned();
            let mebibytes = |bytes: u64| format!("{:.0}", bytes as f64 / f64::from(1 << 20));
            table.add_row([
                process.engine.to_owned(),
                process.loaded.precision.to_string(),
                process.threads.to_string(),
                format!("{:.0}", process.loaded.load_ms),
                process.loaded.text_load_ms.map_or_else(none, |ms| format!("{ms:.0}")),
                process.finished.peak_memory_bytes.map_or_else(none, mebibytes),
            ]);
        }
        Ok(write_table(out, table)?)
    }
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
            worker: 0,
            engine,
            precision: Precision::Fp32,
            threads: 1,
            tower: Tower::Image,
            batch: 2,
            rounds: rounds.iter().map(|round| round.to_vec()).collect(),
        };
        // The machine is ten times slower in the second round, and both meet it.
        let measured = [of("tract", &[[4.0], [40.0], [4.0]]), of("ort-cpu", &[[2.0], [20.0], [2.0]])];
        let figures = results(&measured, &("tract", Precision::Fp32));
        assert_eq!((figures[0].relative, figures[1].relative), (1.0, 0.5));
        assert_eq!(figures[1].per_second, 6.0 / 0.024);
    }
}
