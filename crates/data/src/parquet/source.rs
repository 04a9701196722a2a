//! Where the bytes of a Parquet file come from: no more is asked for than there is.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};

/// A file, or its bytes.
#[derive(Debug)]
pub(crate) enum Source {
    File(File),
    Bytes(Bytes),
}

impl From<File> for Source {
    fn from(file: File) -> Self {
        Self::File(file)
    }
}

impl From<Vec<u8>> for Source {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl Source {
    /// Bytes of the file; none where the system does not say how many there are.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::File(file) => file.metadata().map_or(0, |metadata| metadata.len()),
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// `length` bytes from `start` on.
    ///
    /// # Errors
    /// `ParquetError` when the file does not have them, before memory is reserved for them, or when reading fails.
    pub(super) fn get(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.checked_add(length as u64).filter(|end| *end <= self.length());
        let Some(end) = end else {
            return Err(ParquetError::EOF(format!(
                "{length} bytes at {start} reach beyond the end of the file"
            )));
        };
        match self {
            Self::File(file) => {
                let mut bytes = Vec::with_capacity(length);
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(start))?;
                file.take(length as u64).read_to_end(&mut bytes)?;
                if bytes.len() != length {
                    return Err(ParquetError::EOF("the file became shorter".to_owned()));
                }
                Ok(bytes.into())
            }
            // The ends are within the bytes, which are in memory.
            Self::Bytes(bytes) => Ok(bytes.slice(start as usize..end as usize)),
        }
    }
}
