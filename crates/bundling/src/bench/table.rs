//! What was measured, for people.

use std::fmt;

use medclip_core::terminal::{Escaped, TextTable};

use super::{BenchFigures, BenchProcess, BenchReport};

/// A table of settings and one of processes.
impl fmt::Display for BenchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self;
        let BenchReport { model, machine, warm_up, rounds, runs, compared_with, .. } = report;
        let cpu = machine.cpu.as_deref().unwrap_or("unknown processor");
        writeln!(f, "{} on {}, {} hardware threads", Escaped(model), Escaped(cpu), machine.cores)?;
        writeln!(f, "{rounds} rounds of {runs} runs each, after {warm_up} to warm up\n")?;

        let relative = format!("× {compared_with}");
        let header =
            ["Tower", "Engine", "Precision", "Threads", "Batch", "p50 ms", "p95 ms", "Per second", &relative];
        let mut table = TextTable::new(&header, &[3, 4, 5, 6, 7, 8]);
        for BenchFigures { tower, engine, precision, threads, batch, p50_ms, p95_ms, per_second, relative } in
            &report.results
        {
            table.row([
                tower.to_string(),
                (*engine).to_owned(),
                precision.to_string(),
                threads.to_string(),
                batch.to_string(),
                format!("{p50_ms:.2}"),
                format!("{p95_ms:.2}"),
                format!("{per_second:.1}"),
                format!("{relative:.2}"),
            ]);
        }
        write!(f, "{table}")?;
        writeln!(f)?;

        let header = ["Engine", "Precision", "Threads", "Load ms", "Text load ms", "Peak memory MiB"];
        let mut table = TextTable::new(&header, &[2, 3, 4, 5]);
        for BenchProcess { engine, threads, loaded, finished } in &report.processes {
            let none = || "–".to_owned();
            let mebibytes = |bytes: u64| format!("{:.0}", bytes as f64 / f64::from(1 << 20));
            table.row([
                (*engine).to_owned(),
                loaded.precision.to_string(),
                threads.to_string(),
                format!("{:.0}", loaded.load_ms),
                loaded.text_load_ms.map_or_else(none, |ms| format!("{ms:.0}")),
                finished.peak_memory_bytes.map_or_else(none, mebibytes),
            ]);
        }
        write!(f, "{table}")
    }
}
