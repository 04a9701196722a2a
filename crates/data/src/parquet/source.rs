//! Where the bytes of a Parquet file come from: no more is asked for than there is.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use super::general;
use super::thrift::{STRUCT, Thrift};

/// So many bytes are looked at for the header of a page, then so many; it may hold the smallest and the largest text of the page.
const HEADER_WINDOWS: [u64; 3] = [4 << 10, 256 << 10, 32 << 20];

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

impl Source {
    /// Whether a structure of Thrift begins at `start` whose lists have their elements.
    fn check_header(&self, start: u64) -> Result<()> {
        let left = Length::len(self).saturating_sub(start);
        for window in HEADER_WINDOWS {
            let bytes = self.get_bytes(start, left.min(window) as usize)?;
            if Thrift::new(&bytes).skip(STRUCT).is_some() {
                return Ok(());
            }
            if left <= window {
                break;
            }
        }
        Err(general("the header of a page is damaged"))
    }
}

impl ChunkReader for Source {
    type T = Box<dyn Read>;

    /// The library reads headers of pages this way, and nothing else.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        self.check_header(start)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_pages_are_walked_before_they_are_read() {
        let header = |bytes: &[u8]| Source::from([&[0; 7][..], bytes].concat()).get_read(7).map(drop);
        // A structure of one number, and one with a text of 300 KB.
        assert!(header(&[0x15, 0x02, 0x00]).is_ok());
        let text = [&[0x18, 0xe0, 0xa7, 0x12][..], &vec![b'a'; 300_000], &[0x00]].concat();
        assert!(header(&text).is_ok());
        // A list of two billion truth values, and structures that do not end.
        for damaged in
            [&[0x19, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00][..], &[0x15, 0x02], &[0x1c; 200], &text[..9]]
        {
            assert!(header(damaged).is_err(), "{:?}", &damaged[..2]);
        }
    }
}
