//! What weights determine besides embeddings, in a bundle and in the weights it was made of.

use std::io::Write;

use medclip_core::terminal::Escaped;
use serde::Serialize;

use crate::output::{plain_table, write_table};

/// One setting on both sides.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Agreement {
    /// What is compared.
    pub(super) what: String,
    /// What the bundle says.
    pub(super) bundle: String,
    /// What the weights say.
    pub(super) weights: String,
    pub(super) agrees: bool,
}

#[cfg(feature = "train")]
impl Agreement {
    /// Of values that agree when they are equal.
    pub(super) fn of(what: impl Into<String>, bundle: impl Into<String>, weights: impl Into<String>) -> Self {
        let (bundle, weights) = (bundle.into(), weights.into());
        Self { what: what.into(), agrees: bundle == weights, bundle, weights }
    }
}

/// A table of what was compared, and what was not.
pub(super) fn write_text(out: &mut impl Write, compared: &[Agreement], not: &[String]) -> anyhow::Result<()> {
    if !compared.is_empty() {
        let mut table = plain_table(&["Compared", "Bundle", "Weights", ""], &[]);
        for Agreement { what, bundle, weights, agrees } in compared {
            let verdict = if *agrees { "agree" } else { "DIFFER" };
            table.add_row([what.as_str(), bundle.as_str(), weights.as_str(), verdict]);
        }
        writeln!(out)?;
        write_table(out, table)?;
    }
    for reason in not {
        writeln!(out, "not compared: {}", Escaped(reason))?;
    }
    if !compared.is_empty() || !not.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}
