//! Reading at a place of a file, by any number of threads at once.

use std::fs::File;
use std::io;

/// Fills `buffer` with the bytes from `offset` on.
///
/// # Errors
/// Of kind [`io::ErrorKind::UnexpectedEof`] where the file ends before, and what the system says.
#[cfg(unix)]
pub fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

/// Fills `buffer` with the bytes from `offset` on.
///
/// # Errors
/// Of kind [`io::ErrorKind::UnexpectedEof`] where the file ends before, and what the system says.
#[cfg(windows)]
pub fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !buffer.is_empty() {
        match file.seek_read(buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                buffer = buffer.get_mut(count..).unwrap_or_default();
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads a file from a place on, whatever other readers do with it.
#[derive(Debug)]
pub struct FromOffset<'a> {
    file: &'a File,
    offset: u64,
}

impl<'a> FromOffset<'a> {
    /// A reader of the bytes of `file` from `offset` on.
    pub const fn new(file: &'a File, offset: u64) -> Self {
        Self { file, offset }
    }
}

impl io::Read for FromOffset<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let count = std::os::unix::fs::FileExt::read_at(self.file, buffer, self.offset)?;
        #[cfg(windows)]
        let count = std::os::windows::fs::FileExt::seek_read(self.file, buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}
