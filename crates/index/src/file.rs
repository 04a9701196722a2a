//! The form of an index on disk.
//!
//! | bytes | hold |
//! |---|---|
//! | 0–7 | `MEDCLIPV` |
//! | 8–11 | version, 2; 1 in files without options |
//! | 12–15 | length of the header |
//! | 16–… | the header, JSON: model, its id, width, rows, lists, lists a query reads, bytes of names, options |
//! | from the next multiple of 64 | vectors of length 1, `[rows, dim]`, f32 |
//! | then | centers, `[lists, dim]`, f32 |
//! | then | padding to a multiple of 8 |
//! | then | where lists begin, `[lists + 1]`, u64; nothing without lists |
//! | then | where names end, `[rows]`, u64 |
//! | then | names, UTF-8, one after the other |
//! | last 32 | SHA-256 of all before |
//!
//! Numbers are little-endian.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use medclip_files::{StagingError, replace_file_with};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::lists::Clustering;

pub(crate) const MAGIC: [u8; 8] = *b"MEDCLIPV";
pub(crate) const VERSION: u32 = 2;

/// Versions that are read.
pub(crate) const READ: std::ops::RangeInclusive<u32> = 1..=VERSION;
pub(crate) const PREFIX: usize = 16;
const ALIGNMENT: usize = 64;
pub(crate) const SUM: usize = 32;

/// Longest header accepted, in bytes.
pub(crate) const MAX_HEADER: usize = 1 << 16;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) model: String,
    pub(crate) model_id: String,
    pub(crate) dim: usize,
    pub(crate) rows: usize,
    pub(crate) lists: usize,
    pub(crate) probes: usize,
    pub(crate) name_bytes: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) options: Option<BTreeMap<String, String>>,
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

/// Offsets of the parts, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) vectors: usize,
    pub(crate) centers: usize,
    pub(crate) starts: usize,
    pub(crate) ends: usize,
    pub(crate) names: usize,
    pub(crate) sum: usize,
}

impl Parts {
    /// None where a size overflows.
    pub(crate) fn new(header: &Header, header_len: usize) -> Option<Self> {
        let width = header.dim.checked_mul(4)?;
        let vectors = PREFIX.checked_add(header_len)?.checked_next_multiple_of(ALIGNMENT)?;
        let centers = vectors.checked_add(header.rows.checked_mul(width)?)?;
        let starts = centers.checked_add(header.lists.checked_mul(width)?)?.checked_next_multiple_of(8)?;
        let bounds = if header.lists == 0 { 0 } else { header.lists.checked_add(1)? };
        let ends = starts.checked_add(bounds.checked_mul(8)?)?;
        let names = ends.checked_add(header.rows.checked_mul(8)?)?;
        let sum = names.checked_add(header.name_bytes)?;
        Some(Self { vectors, centers, starts, ends, names, sum })
    }
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
        out.numbers(&clustering.centers)?;
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
