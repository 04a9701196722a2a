//! Where the bytes of a Parquet file come from: no more is asked for than there is.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

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

impl Length for Source {
    fn len(&self) -> u64 {
        match self {
            Self::File(file) => Length::len(file),
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }
}

impl ChunkReader for Source {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        match self {
            Self::File(file) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(start))?;
                Ok(Box::new(BufReader::with_capacity(512, file)))
            }
            Self::Bytes(bytes) => {
                let mut reader = Cursor::new(bytes.clone());
                reader.set_position(start);
                Ok(Box::new(reader))
            }
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.checked_add(length as u64).filter(|end| *end <= Length::len(self));
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
