//! A pipe that was opened without waiting.

use std::fs::File;
use std::io::{self, Read};
use std::thread;
use std::time::{Duration, Instant};

use super::FileFault;

/// How long a writer may take to open the pipe: shells start it before the reader.
const GRACE: Duration = Duration::from_secs(1);

/// How long to wait before the pipe is looked at again.
const NAP: Duration = Duration::from_millis(1);

/// Reads a pipe: waits for bytes as long as somebody holds it open for writing, and a second for somebody to do so.
#[derive(Debug)]
pub struct Pipe {
    file: File,
    opened: Instant,
    /// Whether somebody holds it open for writing, or did.
    has_writer: bool,
}

impl Pipe {
    pub(super) fn new(file: File) -> Self {
        Self { file, opened: Instant::now(), has_writer: false }
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self.file.read(buffer) {
                // The end of a pipe, and a pipe that nobody has opened yet, read the same.
                Ok(0) if !self.has_writer && self.opened.elapsed() >= GRACE => {
                    return Err(FileFault::NoWriter.into());
                }
                Ok(0) if !self.has_writer => {}
                Ok(count) => {
                    self.has_writer = true;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.has_writer = true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            thread::sleep(NAP);
        }
    }
}
