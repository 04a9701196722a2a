//! The output of a run, held by one process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use medclip_files::{Lock, LockError};

use crate::error::TrainError;

/// Name of the lock in the output.
const LOCK: &str = "lock";

/// Between two attempts another process may have given up and removed the directory.
const ATTEMPTS: usize = 50;

/// The output, locked. If the run does not begin, the lock is removed, and the directory with it if it was made for the run.
pub(super) struct Hold {
    lock: Option<Lock>,
    output: PathBuf,
    made_output: bool,
}

impl Hold {
    pub(super) fn take(output: &Path) -> Result<Self, TrainError> {
        let mut made_output = false;
        for _ in 0..ATTEMPTS {
            made_output |= !output.exists();
            fs::create_dir_all(output).map_err(TrainError::io(output))?;
            match Lock::acquire(output.join(LOCK)) {
                Err(LockError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                lock => return Ok(Self { lock: Some(lock?), output: output.to_owned(), made_output }),
            }
        }
        Err(TrainError::invalid(output, "other trainings begin and end here all the time"))
    }

    /// The run has begun.
    pub(super) fn keep(mut self) -> Option<Lock> {
        self.lock.take()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take() {
            // What cannot be removed is in nobody's way.
            let _ = lock.remove();
            if self.made_output {
                let _ = fs::remove_dir(&self.output);
            }
        }
    }
}
