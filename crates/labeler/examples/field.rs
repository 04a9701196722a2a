//! How many sentences of a table the labeler reads right.
//!
//! ```text
//! cargo run -p medclip-labeler --example field -- TABLE.csv
//! ```
//!
//! The table has the columns `kind`, `text` and `expected`, as `tests/field/own.csv`.

#[path = "../tests/field/table.rs"]
mod table;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use medclip_labeler::Labeler;

/// Count the sentences of a table that the labeler reads right
#[derive(Debug, Parser)]
struct Arguments {
    /// CSV with the columns kind, text and expected
    table: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let file =
        File::open(&arguments.table).with_context(|| format!("cannot open {}", arguments.table.display()))?;
    let rows = table::rows(file)?;
    let labeler = Labeler::new();
    let mut out = std::io::stdout().lock();
    let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let (mut right, mut denied) = (0, 0);
    for row in &rows {
        let labels = labeler.report(&row.text).labels;
        let faults = row.faults(&labels);
        let count = kinds.entry(&row.kind).or_default();
        count.1 += 1;
        denied += row.denied_but_present(&labels).len();
        if faults.is_empty() {
            right += 1;
            count.0 += 1;
        } else {
            writeln!(out, "[{}] {:?}\n    {}", row.kind, row.text, faults.join(", "))?;
        }
    }
    writeln!(out)?;
    for (kind, (right, all)) in kinds {
        writeln!(out, "{kind}: {right} of {all}")?;
    }
    writeln!(out, "all: {right} of {} right, {denied} denied findings present", rows.len())?;
    Ok(())
}
