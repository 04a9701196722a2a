//! Results on standard output, each as soon as it comes.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

use crate::output::{Format, Stdout, csv_stdout, locked_stdout, write_json_line};

/// Writes results to standard output; `C` writes CSV.
pub(crate) enum Printer<C> {
    Table(Stdout),
    Json(Stdout),
    Csv(Box<C>),
}

impl<C> Printer<C> {
    /// `csv` makes what writes CSV.
    pub(crate) fn new<E>(
        format: Format,
        csv: impl FnOnce(BufWriter<Box<dyn Write>>) -> Result<C, E>,
    ) -> Result<Self, E> {
        Ok(match format {
            Format::Table => Self::Table(locked_stdout()),
            Format::Json => Self::Json(locked_stdout()),
            Format::Csv => Self::Csv(Box::new(csv(csv_stdout())?)),
        })
    }

    /// Writes a result by `table` or `csv`, or as JSON. What is no CSV reaches the reader before the next is written.
    pub(crate) fn write<E>(
        &mut self,
        result: &impl Serialize,
        table: impl FnOnce(&mut Stdout) -> io::Result<()>,
        csv: impl FnOnce(&mut C) -> Result<(), E>,
    ) -> anyhow::Result<()>
    where
        anyhow::Error: From<E>,
    {
        match self {
            Self::Csv(out) => return Ok(csv(out)?),
            Self::Table(out) => table(out)?,
            Self::Json(out) => write_json_line(out, result)?,
        }
        self.end(|_| Ok(()))
    }

    /// Ends with what `table` has to say for people.
    pub(crate) fn end(&mut self, table: impl FnOnce(&mut Stdout) -> io::Result<()>) -> anyhow::Result<()> {
        match self {
            Self::Csv(_) => {}
            Self::Json(out) => out.flush()?,
            Self::Table(out) => {
                table(out)?;
                out.flush()?;
            }
        }
        Ok(())
    }
}
