//! The bytes of a pickle, never more of them in memory than there are.

use std::io::{self, Read, Take};

use crate::error::PickleFault;

/// Bytes of a pickle.
const MAX_BYTES: u64 = 1 << 26;
/// Bytes of the name of a global.
const MAX_NAME: usize = 256;

type Result<T> = std::result::Result<T, PickleFault>;

/// A reader that stops at [`MAX_BYTES`].
pub(super) struct Input<R>(Take<R>);

impl<'a, R: Read> Input<&'a mut R> {
    pub(super) fn new(reader: &'a mut R) -> Self {
        Self(reader.take(MAX_BYTES))
    }
}

impl<R: Read> Input<R> {
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).map_err(|error| self.fault(error))?;
        Ok(bytes)
    }

    /// A length of one byte.
    pub(super) fn byte(&mut self) -> Result<u64> {
        let [byte] = self.array()?;
        Ok(byte.into())
    }

    /// A length of four bytes.
    pub(super) fn size(&mut self) -> Result<u64> {
        Ok(u32::from_le_bytes(self.array()?).into())
    }

    /// `len` bytes. Memory grows with what arrives, not with what is announced.
    pub(super) fn vec(&mut self, len: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.0.by_ref().take(len).read_to_end(&mut bytes)?;
        if bytes.len() as u64 == len {
            Ok(bytes)
        } else {
            Err(self.fault(io::ErrorKind::UnexpectedEof.into()))
        }
    }

    pub(super) fn text(&mut self, len: u64) -> Result<String> {
        let bytes = self.vec(len)?;
        String::from_utf8(bytes).map_err(|_| PickleFault::Malformed("a string is not UTF-8".to_owned()))
    }

    /// An integer of up to 255 bytes; none when it needs more than eight.
    pub(super) fn long(&mut self) -> Result<Option<i64>> {
        let len = self.byte()?;
        let bytes = self.vec(len)?;
        if bytes.len() > 8 {
            return Ok(None);
        }
        let sign = bytes.last().map_or(0, |last| if last & 0x80 == 0 { 0 } else { 0xff });
        let mut extended = [sign; 8];
        for (to, from) in extended.iter_mut().zip(bytes) {
            *to = from;
        }
        Ok(Some(i64::from_le_bytes(extended)))
    }

    /// A part of the name of a global, up to the end of the line.
    pub(super) fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        loop {
            match self.array()? {
                [b'\n'] => return Ok(String::from_utf8_lossy(&line).into_owned()),
                [byte] => line.push(byte),
            }
            if line.len() > MAX_NAME {
                return Err(PickleFault::Malformed("the name of a global does not end".to_owned()));
            }
        }
    }

    fn fault(&self, error: io::Error) -> PickleFault {
        if self.0.limit() == 0 {
            PickleFault::TooLarge { limit: MAX_BYTES, unit: "bytes" }
        } else {
            error.into()
        }
    }
}
