//! An index on disk, opened, verified and read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use medclip_files::{FromOffset, open_regular, read_exact_at};
use sha2::{Digest, Sha256};

use crate::file::{Header, MAGIC, MAX_HEADER, PREFIX, Parts, READ, SUM};
use crate::lists::Clustering;

mod error;

pub use error::{OpenError, OpenReason, ReadError};

/// Longest name of a vector, in bytes.
const MAX_NAME: usize = 1 << 20;

/// Bytes that are read at a time: they stay in a core's cache until they are used.
const BLOCK: usize = 1 << 18;

/// An index on disk. Vectors and names stay there: a query reads what it compares, and notices a file that became shorter.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    header: Header,
    parts: Parts,
    file: File,
    clustering: Clustering,
}

impl Index {
    /// Opens an index and verifies every byte of it.
    ///
    /// # Errors
    /// [`OpenError`] naming the file and what is wrong with it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_with(path.as_ref(), true)
    }

    /// Opens an index without reading all of it: the header, lists and names are checked, the vectors are not.
    ///
    /// # Errors
    /// As [`Index::open`], but a changed vector is not noticed.
    pub fn open_unverified(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_with(path.as_ref(), false)
    }

    fn open_with(path: &Path, verify: bool) -> Result<Self, OpenError> {
        let open = || -> Result<Self, OpenReason> {
            let index = Self::new(path, open_regular(path)?)?;
            if verify {
                index.verify()?;
            }
            Ok(index)
        };
        open().map_err(|reason: OpenReason| OpenError { path: path.to_owned(), reason: reason.explained() })
    }

    fn new(path: &Path, file: File) -> Result<Self, OpenReason> {
        if cfg!(target_endian = "big") {
            return Err(OpenReason::ByteOrder);
        }
        let mut prefix = [0; PREFIX];
        if !is_there(read_exact_at(&file, &mut prefix, 0))? {
            return Err(OpenReason::NotAnIndex);
        }
        let [magic @ .., a, b, c, d, e, f, g, h] = prefix;
        if magic != MAGIC {
            return Err(OpenReason::NotAnIndex);
        }
        let version = u32::from_le_bytes([a, b, c, d]);
        let header_len = u32::from_le_bytes([e, f, g, h]) as usize;
        if !READ.contains(&version) {
            return Err(OpenReason::Version(version));
        }
        let mut header = vec![0; header_len.min(MAX_HEADER)];
        if header_len > MAX_HEADER || !is_there(read_exact_at(&file, &mut header, PREFIX as u64))? {
            return Err(OpenReason::Damaged("its header is cut off"));
        }
        let header: Header =
            serde_json::from_slice(&header).map_err(|_| OpenReason::Damaged("its header makes no sense"))?;
        let parts = Parts::new(&header, header_len).ok_or(OpenReason::Damaged("its sizes overflow"))?;
        let length = parts.sum.checked_add(SUM).map(|length| length as u64);
        if header.dim == 0 || length != Some(file.metadata()?.len()) {
            return Err(OpenReason::Damaged("its length is not what its header says"));
        }
        let mut index =
            Self { path: path.to_owned(), header, parts, file, clustering: Clustering::default() };
        index.clustering = index.read_clustering()?;
        index.check_names()?;
        Ok(index)
    }

    /// Lists are small beside the vectors; they are kept in memory.
    fn read_clustering(&self) -> Result<Clustering, OpenReason> {
        let Parts { centers, starts, ends, .. } = self.parts;
        let padded: Vec<f32> = self.numbers(centers, self.header.lists * self.header.dim)?;
        let bounds: Vec<u64> = self.numbers(starts, (ends - starts) / 8)?;
        let is_rising = bounds.is_sorted() && bounds.first().is_none_or(|first| *first == 0);
        if !is_rising || bounds.last().is_some_and(|last| *last != self.header.rows as u64) {
            return Err(OpenReason::Damaged("its lists make no sense"));
        }
        Ok(Clustering { centers: padded, starts: bounds, probes: self.header.probes })
    }

    /// One name in memory at a time.
    fn check_names(&self) -> Result<(), OpenReason> {
        let from =
            |offset: usize| BufReader::with_capacity(BLOCK, FromOffset::new(&self.file, offset as u64));
        let (mut ends, mut names) = (from(self.parts.ends), from(self.parts.names));
        let (mut name, mut start) = (Vec::new(), 0);
        for _ in 0..self.header.rows {
            let mut end = [0; 8];
            ends.read_exact(&mut end)?;
            let end = usize::try_from(u64::from_le_bytes(end)).unwrap_or(usize::MAX);
            let length = end.checked_sub(start).filter(|_| end <= self.header.name_bytes);
            let Some(length) = length.filter(|length| *length <= MAX_NAME) else {
                return Err(OpenReason::Damaged("its names make no sense"));
            };
            name.resize(length, 0);
            names.read_exact(&mut name)?;
            if std::str::from_utf8(&name).is_err() {
                return Err(OpenReason::Damaged("its names are not UTF-8"));
            }
            start = end;
        }
        if start == self.header.name_bytes {
            Ok(())
        } else {
            Err(OpenReason::Damaged("its names make no sense"))
        }
    }

    fn verify(&self) -> Result<(), OpenReason> {
        let mut hasher = Sha256::new();
        let mut block = vec![0; BLOCK];
        let mut reader = FromOffset::new(&self.file, 0);
        let mut left = self.parts.sum;
        while left > 0 {
            let (part, _) = block.split_at_mut(left.min(BLOCK));
            reader.read_exact(part)?;
            hasher.update(&*part);
            left -= part.len();
        }
        let mut sum = [0; SUM];
        reader.read_exact(&mut sum)?;
        if hasher.finalize().as_slice() == sum { Ok(()) } else { Err(OpenReason::Changed) }
    }

    /// Vectors.
    pub const fn len(&self) -> usize {
        self.header.rows
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.header.rows == 0
    }

    /// Width of a vector.
    pub const fn dim(&self) -> usize {
        self.header.dim
    }

    /// Name of the model that made the vectors.
    pub fn model(&self) -> &str {
        &self.header.model
    }

    /// What names that model's whole content. Vectors of another are no queries here.
    pub fn model_id(&self) -> &str {
        &self.header.model_id
    }

    /// How its films were shown and which of them were let in: options by name, as whoever built it gave them. None where it
    /// does not say, as indexes of version 1.
    pub const fn options(&self) -> Option<&BTreeMap<String, String>> {
        self.header.options.as_ref()
    }

    /// Lists, and how many a query reads; 0 of a flat index.
    pub fn lists(&self) -> (usize, usize) {
        (self.clustering.lists(), self.clustering.probes)
    }

    /// Reads the name of a vector; empty where `row` is not below [`Index::len`].
    ///
    /// # Errors
    /// [`ReadError`] when the file was cut off or changed since it was opened.
    pub fn id(&self, row: usize) -> Result<String, ReadError> {
        if row >= self.header.rows {
            return Ok(String::new());
        }
        let failed = |error| self.failed(&error);
        let first = row.saturating_sub(1);
        let bounds: Vec<u64> = self.numbers(self.parts.ends + 8 * first, row - first + 1).map_err(failed)?;
        let (start, end) = match bounds.as_slice() {
            [start, end] => (*start, *end),
            bounds => (0, bounds.first().copied().unwrap_or_default()),
        };
        let changed = || ReadError::Changed { path: self.path.clone() };
        let length = end.checked_sub(start).filter(|_| end <= self.header.name_bytes as u64);
        let length = length.filter(|length| *length <= MAX_NAME as u64).ok_or_else(changed)?;
        let bytes = self.numbers(self.parts.names + start as usize, length as usize).map_err(failed)?;
        String::from_utf8(bytes).map_err(|_| changed())
    }

    /// Reads vectors a block at a time and hands each block on, with the row of its first vector.
    ///
    /// # Shapes
    /// - a block: `[rows, dim]`
    ///
    /// # Errors
    /// [`ReadError`] when the file was cut off since it was opened, or cannot be read.
    pub fn each_block(
        &self,
        rows: Range<usize>,
        buffer: &mut Vec<f32>,
        each: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<(), ReadError> {
        let dim = self.header.dim;
        let step = rows_of_block(dim);
        let end = rows.end.min(self.header.rows);
        for first in (rows.start..end).step_by(step) {
            buffer.resize(step.min(end - first) * dim, 0.0);
            let offset = (self.parts.vectors + 4 * first * dim) as u64;
            let read = read_exact_at(&self.file, bytemuck::cast_slice_mut(buffer), offset);
            read.map_err(|error| self.failed(&error))?;
            each(first, buffer);
        }
        Ok(())
    }

    pub(crate) const fn clustering(&self) -> &Clustering {
        &self.clustering
    }

    /// `count` numbers from `offset` on. Parts are within the file's length when it was opened.
    fn numbers<T: bytemuck::Pod>(&self, offset: usize, count: usize) -> io::Result<Vec<T>> {
        let mut numbers = vec![T::zeroed(); count];
        read_exact_at(&self.file, bytemuck::cast_slice_mut(&mut numbers), offset as u64)?;
        Ok(numbers)
    }

    fn failed(&self, error: &io::Error) -> ReadError {
        let path = self.path.clone();
        match error.kind() {
            io::ErrorKind::UnexpectedEof => ReadError::Truncated { path },
            _ => ReadError::Io { path, reason: error.to_string() },
        }
    }
}

/// Rows that are read at a time.
pub(crate) const fn rows_of_block(dim: usize) -> usize {
    let rows = BLOCK / 4 / dim;
    if rows == 0 { 1 } else { rows }
}

/// Whether the file was long enough.
fn is_there(read: io::Result<()>) -> io::Result<bool> {
    match read {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
