//! Files that strangers made, opened without waiting and read within limits.

mod fault;
mod pipe;
mod positioned;

use std::fs::{self, File, Metadata};
use std::io::{self, BufRead, Read, Seek};
use std::path::Path;

pub use fault::FileFault;
pub use pipe::Pipe;
pub use positioned::{FromOffset, read_exact_at};

/// Most bytes of a text that describes a model or a run: `model.toml`, `SHA256SUMS`, a configuration.
pub const MAX_TEXT_BYTES: u64 = 4 << 20;

/// Most bytes of a line that names an input. Systems take paths of 4 KiB at most; escapes in names need room.
pub const MAX_NAME_BYTES: usize = 32 << 10;

/// Opens a file that was found, or that another file names.
///
/// # Errors
/// [`FileFault::NotRegular`] for a directory, pipe, socket or device, and what the system says.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let check = |metadata: &Metadata| match kind(metadata) {
        None => Ok(()),
        Some(kind) => Err(io::Error::from(FileFault::NotRegular { kind })),
    };
    // Looked at before it is opened, as opening makes some devices act, and after it: only that is the file that is read.
    check(&fs::metadata(path)?)?;
    let file = open_at_once(path)?;
    check(&file.metadata()?)?;
    Ok(file)
}

/// Opens a file or pipe that a person typed.
///
/// # Errors
/// [`FileFault::NotReadable`] for a directory, socket or device, and what the system says.
pub fn open_typed(path: &Path) -> io::Result<Typed> {
    let check = |metadata: &Metadata| match kind(metadata) {
        None | Some(PIPE) => Ok(()),
        Some(kind) => Err(io::Error::from(FileFault::NotReadable { kind })),
    };
    check(&fs::metadata(path)?)?;
    let file = open_at_once(path)?;
    let metadata = file.metadata()?;
    check(&metadata)?;
    Ok(if metadata.is_file() { Typed::File(file) } else { Typed::Pipe(Pipe::new(file)) })
}

/// Whether a path leads to a pipe, which can be read only once.
pub fn is_pipe(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| kind(&metadata) == Some(PIPE))
}

/// What a path leads to if that is neither a regular file nor a directory: `a named pipe`, `a device` …
pub fn special_kind(metadata: &Metadata) -> Option<&'static str> {
    kind(metadata).filter(|_| !metadata.is_dir())
}

/// All of a file that was found, or that another file names.
///
/// # Errors
/// As [`open_regular`] and [`read_at_most`].
pub fn read_regular(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_at_most(open_regular(path)?, limit)
}

/// The first bytes of a regular file as text; bytes that are not UTF-8 are replaced.
///
/// # Errors
/// As [`open_regular`], and what the system says.
pub fn start_of(path: &Path, bytes: u64) -> io::Result<String> {
    let mut start = Vec::new();
    open_regular(path)?.take(bytes).read_to_end(&mut start)?;
    Ok(String::from_utf8_lossy(&start).into_owned())
}

/// All of a file or pipe that a person typed.
///
/// # Errors
/// As [`open_typed`] and [`read_at_most`].
pub fn read_typed(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_at_most(open_typed(path)?, limit)
}

/// All that a reader gives, if that is not more than `limit` bytes. Memory grows with what arrives.
///
/// # Errors
/// [`FileFault::TooLarge`], and what the reader says.
pub fn read_at_most(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(FileFault::TooLarge { limit }.into()) } else { Ok(bytes) }
}

/// Bytes as text.
///
/// # Errors
/// Of kind [`io::ErrorKind::InvalidData`] where they are not UTF-8.
pub fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

/// Reads line `number` of a list of names into `line`, without its end; false after the last line.
///
/// # Errors
/// [`FileFault::LongLine`] and [`FileFault::Nul`], and what the reader says.
pub fn read_name(reader: &mut dyn BufRead, number: u64, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let limit = MAX_NAME_BYTES;
    let read = reader.take(limit as u64 + 2).read_until(b'\n', line)?;
    if line.contains(&0) {
        return Err(FileFault::Nul { line: number }.into());
    }
    while line.last().is_some_and(|byte| [b'\n', b'\r'].contains(byte)) {
        line.pop();
    }
    if line.len() > limit {
        return Err(FileFault::LongLine { line: number, limit }.into());
    }
    Ok(read > 0)
}

/// A file or pipe that a person typed.
#[derive(Debug)]
pub enum Typed {
    /// A regular file.
    File(File),
    /// A pipe.
    Pipe(Pipe),
}

impl Typed {
    /// The file, at its start.
    ///
    /// # Errors
    /// [`FileFault::NotRegular`] for a pipe, which has no places to go to, and what the system says.
    pub fn into_file(self) -> io::Result<File> {
        match self {
            Self::File(mut file) => file.rewind().map(|()| file),
            Self::Pipe(_) => Err(FileFault::NotRegular { kind: PIPE }.into()),
        }
    }
}

impl Read for Typed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Pipe(pipe) => pipe.read(buffer),
        }
    }
}

/// What a pipe is called.
const PIPE: &str = "a pipe";

/// What something is that is not a regular file.
fn kind(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return None;
    }
    Some(if kind.is_dir() { "a directory" } else { special(kind) })
}

#[cfg(unix)]
fn special(kind: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        PIPE
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn special(_kind: fs::FileType) -> &'static str {
    "not a file"
}

/// Opens for reading; of a pipe, without waiting for a writer.
#[cfg(unix)]
fn open_at_once(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

#[cfg(not(unix))]
fn open_at_once(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(test)]
mod tests;
