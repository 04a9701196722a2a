//! SHA-256 of bytes, of files, and of what is written.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::open::open_regular;

/// SHA-256 as 64 lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of a file, 64 lower-case hexadecimal digits, a part of it in memory at a time.
///
/// # Errors
/// What the system says, and [`FileFault::NotRegular`](crate::FileFault::NotRegular).
pub fn sha256_of_file(path: &Path) -> io::Result<String> {
    sha256_of_rest(&mut open_regular(path)?)
}

/// SHA-256 of what is left of a file, 64 lower-case hexadecimal digits.
///
/// # Errors
/// What the system says.
pub fn sha256_of_rest(file: &mut File) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// Writes through and sums what it writes.
#[derive(Debug)]
pub struct Summing<W> {
    out: W,
    hasher: Sha256,
    bytes: u64,
}

impl<W: Write> Summing<W> {
    /// Nothing is written yet.
    pub fn new(out: W) -> Self {
        Self { out, hasher: Sha256::new(), bytes: 0 }
    }

    /// How many bytes were written.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// SHA-256 of what was written, 64 lower-case hexadecimal digits.
    pub fn sum(self) -> String {
        hex(&self.hasher.finalize())
    }
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answer() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), expected);
        let mut out = Summing::new(Vec::new());
        out.write_all(b"abc").unwrap();
        assert_eq!((out.bytes(), out.sum().as_str()), (3, expected));
    }
}
