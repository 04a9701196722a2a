//! Rows read back, as they were written: what a run needs to put better rows in the place of some.

mod csv;
mod json;
#[cfg(feature = "parquet")]
mod parquet;

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::Format;
use crate::run::Settings;
use medclip_qc::Code;
use medclip_scorer::{Remark, Report, Schema};

impl Format {
    /// The rows of a file, a shard of them at a time.
    ///
    /// # Errors
    /// The system's error, `InvalidData` for rows of other settings, and errors of `sink`.
    pub(crate) fn read(
        self,
        settings: &Settings,
        file: &Path,
        sink: &mut dyn FnMut(Vec<Report>) -> io::Result<()>,
    ) -> io::Result<()> {
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet => parquet::read(settings, file, sink),
            #[cfg(not(feature = "parquet"))]
            Self::Parquet => Err(super::left_out()),
            Self::Csv => csv::read(settings, file, &mut Shards::new(settings, sink)),
            Self::Jsonl => json::read(settings, file, &mut Shards::new(settings, sink)),
        }
    }
}

/// Collects rows to shards.
struct Shards<'a> {
    schema: Arc<Schema>,
    size: usize,
    rows: Vec<Report>,
    sink: &'a mut dyn FnMut(Vec<Report>) -> io::Result<()>,
}

impl<'a> Shards<'a> {
    fn new(settings: &Settings, sink: &'a mut dyn FnMut(Vec<Report>) -> io::Result<()>) -> Self {
        Self {
            schema: Arc::new(settings.schema.clone()),
            size: settings.shard_size.get() as usize,
            rows: Vec::new(),
            sink,
        }
    }

    fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema)
    }

    fn push(&mut self, row: Report) -> io::Result<()> {
        self.rows.push(row);
        if self.rows.len() == self.size { (self.sink)(std::mem::take(&mut self.rows)) } else { Ok(()) }
    }

    fn end(&mut self) -> io::Result<()> {
        if self.rows.is_empty() { Ok(()) } else { (self.sink)(std::mem::take(&mut self.rows)) }
    }
}

fn codes(names: &[String]) -> io::Result<Vec<Code>> {
    names.iter().map(|name| name.parse().map_err(|_| unfit("a code is none of a check"))).collect()
}

fn remarks(codes: Vec<String>) -> Vec<Remark> {
    codes.into_iter().map(Remark::of_code).collect()
}

fn unfit(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("its rows are not those of this run: {reason}"))
}
