//! The form of an index on disk.
//!
//! | bytes | hold |
//! |---|---|
//! | 0–7 | `MEDCLIPV` |
//! | 8–11 | version, 2; 1 in files without options |
//! | 12–15 | length of the header |
//! | 16–… | the header, JSON: model, its id, width, rows, lists, lists a query reads, bytes of names, options |
//! | from the next multiple of 64 | vectors of length 1, `[rows, dim]`, f32 |
//! | then | centres, `[lists, dim]`, f32 |
//! | then | padding to a multiple of 8 |
//! | then | where lists begin, `[lists + 1]`, u64; nothing without lists |
//! | then | where names end, `[rows]`, u64 |
//! | then | names, UTF-8, one after the other |
//! | last 32 | SHA-256 of all before |
//!
//! Numbers are little-endian. The file is mapped: pages are read when a query comes to them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use medclip_files::{StagingError, replace_file_with};
use memmap2::Mmap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::lists::Clustering;

const MAGIC: [u8; 8] = *b"MEDCLIPV";
const VERSION: u32 = 2;

/// Versions that are read.
const READ: std::ops::RangeInclusive<u32> = 1..=VERSION;
const PREFIX: usize = 16;
const ALIGNMENT: usize = 64;
const SUM: usize = 32;

/// Longest header accepted, in bytes.
const MAX_HEADER: usize = 1 << 16;

/// Why an index was refused.
#[derive(Debug, Error)]
#[error("{}: {reason}", path.display())]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: OpenReason,
}

/// What is wrong with an index.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenReason {
    /// The system could not read it.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Not an index.
    #[error("is not an index of medclip")]
    NotAnIndex,
    /// Of another version.
    #[error("is of version {0}, this program reads 1 to {VERSION}: build it again")]
    Version(u32),
    /// Its parts do not fit.
    #[error("is damaged: {0}")]
    Damaged(&'static str),
    /// A byte has changed.
    #[error("has changed since it was written (its SHA-256 differs): build it again")]
    Changed,
    /// A machine whose numbers have another byte order.
    #[error("cannot be read on a big-endian machine")]
    ByteOrder,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    model: String,
    model_id: String,
    dim: usize,
    rows: usize,
    lists: usize,
    probes: usize,
    name_bytes: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    options: Option<BTreeMap<String, String>>,
}

/// What is written.
pub(crate) struct Contents<'a> {
    pub(crate) model: String,
    pub(crate) model_id: String,
    pub(crate) options: Option<BTreeMap<String, String>>,
    pub(crate) dim: usize,
    pub(crate) vectors: &'a [f32],
    pub(crate) ids: &'a [String],
    pub(crate) clustering: Clustering,
}

/// An index on disk, mapped.
#[derive(Debug)]
pub struct Index {
    header: Header,
    parts: Parts,
    map: Mmap,
    clustering: Clustering,
}

/// Offsets of the parts, in bytes.
#[derive(Debug, Clone, Copy)]
struct Parts {
    vectors: usize,
    centres: usize,
    starts: usize,
    ends: usize,
    names: usize,
    sum: usize,
}

impl Parts {
    /// None where a size overflows.
    fn new(header: &Header, header_len: usize) -> Option<Self> {
        let width = header.dim.checked_mul(4)?;
        let vectors = PREFIX.checked_add(header_len)?.checked_next_multiple_of(ALIGNMENT)?;
        let centres = vectors.checked_add(header.rows.checked_mul(width)?)?;
        let starts = centres.checked_add(header.lists.checked_mul(width)?)?.checked_next_multiple_of(8)?;
        let bounds = if header.lists == 0 { 0 } else { header.lists.checked_add(1)? };
        let ends = starts.checked_add(bounds.checked_mul(8)?)?;
        let names = ends.checked_add(header.rows.checked_mul(8)?)?;
        let sum = names.checked_add(header.name_bytes)?;
        Some(Self { vectors, centres, starts, ends, names, sum })
    }
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
        let open = || {
            let map = map(&File::open(path)?)?;
            let index = Self::new(map)?;
            if verify {
                index.verify()?;
            }
            Ok(index)
        };
        open().map_err(|reason| OpenError { path: path.to_owned(), reason })
    }

    fn new(map: Mmap) -> Result<Self, OpenReason> {
        if cfg!(target_endian = "big") {
            return Err(OpenReason::ByteOrder);
        }
        let prefix: Option<&[u8; PREFIX]> = map.first_chunk();
        let Some([magic @ .., a, b, c, d, e, f, g, h]) = prefix else { return Err(OpenReason::NotAnIndex) };
        if *magic != MAGIC {
            return Err(OpenReason::NotAnIndex);
        }
        let version = u32::from_le_bytes([*a, *b, *c, *d]);
        let header_len = u32::from_le_bytes([*e, *f, *g, *h]);
        if !READ.contains(&version) {
            return Err(OpenReason::Version(version));
        }
        let header_len = header_len as usize;
        let header = map.get(PREFIX..PREFIX + header_len).filter(|_| header_len <= MAX_HEADER);
        let header = header.ok_or(OpenReason::Damaged("its header is cut off"))?;
        let header: Header =
            serde_json::from_slice(header).map_err(|_| OpenReason::Damaged("its header makes no sense"))?;
        let parts = Parts::new(&header, header_len).ok_or(OpenReason::Damaged("its sizes overflow"))?;
        if header.dim == 0 || parts.sum.checked_add(SUM) != Some(map.len()) {
            return Err(OpenReason::Damaged("its length is not what its header says"));
        }
        let mut index = Self { header, parts, map, clustering: Clustering::default() };
        index.clustering = index.read_clustering()?;
        index.check_names()?;
        Ok(index)
    }

    /// Lists are small beside the vectors; they are kept in memory.
    fn read_clustering(&self) -> Result<Clustering, OpenReason> {
        let Parts { centres, starts, ends, .. } = self.parts;
        let padded: &[f32] = self.cast(centres..centres + 4 * self.header.lists * self.header.dim);
        let bounds: &[u64] = self.cast(starts..ends);
        let is_rising = bounds.is_sorted() && bounds.first().is_none_or(|first| *first == 0);
        if !is_rising || bounds.last().is_some_and(|last| *last != self.header.rows as u64) {
            return Err(OpenReason::Damaged("its lists make no sense"));
        }
        Ok(Clustering { centres: padded.to_vec(), starts: bounds.to_vec(), probes: self.header.probes })
    }

    fn check_names(&self) -> Result<(), OpenReason> {
        let ends: &[u64] = self.cast(self.parts.ends..self.parts.names);
        let names = std::str::from_utf8(&self.map[self.parts.names..self.parts.sum]);
        let names = names.map_err(|_| OpenReason::Damaged("its names are not UTF-8"))?;
        let is_whole = ends.last().map_or(0, |end| *end) == names.len() as u64;
        let is_split = ends.iter().all(|end| names.is_char_boundary(*end as usize));
        if is_whole && is_split && ends.is_sorted() {
            Ok(())
        } else {
            Err(OpenReason::Damaged("its names make no sense"))
        }
    }

    fn verify(&self) -> Result<(), OpenReason> {
        let (bytes, sum) = self.map.split_at(self.parts.sum);
        if Sha256::digest(bytes).as_slice() == sum { Ok(()) } else { Err(OpenReason::Changed) }
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

    /// Name of a vector.
    ///
    /// # Panics
    /// When `row` is not below [`Index::len`].
    pub fn id(&self, row: usize) -> &str {
        let ends: &[u64] = self.cast(self.parts.ends..self.parts.names);
        let start = if row == 0 { 0 } else { ends[row - 1] };
        let bytes = &self.map[self.parts.names + start as usize..self.parts.names + ends[row] as usize];
        // Checked when it was opened.
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// `[rows, dim]`.
    pub fn vectors(&self) -> &[f32] {
        self.cast(self.parts.vectors..self.parts.centres)
    }

    pub(crate) const fn clustering(&self) -> &Clustering {
        &self.clustering
    }

    /// A part as numbers. Parts are within the map and aligned: a map begins at a page.
    fn cast<T: bytemuck::AnyBitPattern>(&self, part: std::ops::Range<usize>) -> &[T] {
        bytemuck::cast_slice(&self.map[part])
    }
}

#[allow(unsafe_code, reason = "a mapping is only as good as its file, which the compiler cannot see")]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: an index is replaced under another name and never written in place; whoever truncates it all the same
    // ends the program, not more.
    unsafe { Mmap::map(file) }
}

/// Writes an index, whole or not at all.
pub(crate) fn write(path: &Path, contents: &Contents<'_>) -> Result<(), StagingError> {
    let Contents { model, model_id, options, dim, vectors, ids, clustering } = contents;
    let header = Header {
        model: model.clone(),
        model_id: model_id.clone(),
        dim: *dim,
        rows: ids.len(),
        lists: clustering.lists(),
        probes: clustering.probes,
        name_bytes: ids.iter().map(String::len).sum(),
        options: options.clone(),
    };
    replace_file_with(path, |out| {
        let json = serde_json::to_vec(&header)?;
        let parts = Parts::new(&header, json.len()).ok_or_else(|| io::Error::other("sizes overflow"))?;
        if json.len() > MAX_HEADER {
            return Err(io::Error::other("the model's name and the options are too long"));
        }
        let mut out = Summed { out, hasher: Sha256::new(), written: 0 };
        out.write_all(&MAGIC)?;
        out.write_all(&VERSION.to_le_bytes())?;
        out.write_all(&(json.len() as u32).to_le_bytes())?;
        out.write_all(&json)?;
        out.pad_to(parts.vectors)?;
        out.numbers(vectors)?;
        out.numbers(&clustering.centres)?;
        out.pad_to(parts.starts)?;
        out.numbers(&clustering.starts)?;
        let mut end = 0;
        for id in *ids {
            end += id.len() as u64;
            out.numbers(&[end])?;
        }
        for id in *ids {
            out.write_all(id.as_bytes())?;
        }
        let Summed { out, hasher, .. } = out;
        out.write_all(&hasher.finalize())
    })
}

/// Hashes what it hands on.
struct Summed<'a> {
    out: &'a mut (dyn Write + Send),
    hasher: Sha256,
    written: usize,
}

impl Summed<'_> {
    fn pad_to(&mut self, offset: usize) -> io::Result<()> {
        self.write_all(&vec![0; offset - self.written])
    }

    fn numbers<T: bytemuck::NoUninit>(&mut self, values: &[T]) -> io::Result<()> {
        if cfg!(target_endian = "big") {
            return Err(io::Error::other("cannot be written on a big-endian machine"));
        }
        self.write_all(bytemuck::cast_slice(values))
    }
}

impl Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.written += count;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
