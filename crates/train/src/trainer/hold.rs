//! The output of a run, held by one process.

use std::fs;
use std::path::{Path, PathBuf};

use medclip_files::Lock;

use crate::error::TrainError;

/// Name of the lock in the output.
const LOCK: &str = "lock";

/// The output, locked. If the run does not begin, the lock is removed, and the directory with it if it was made for the run.
pub(super) struct Hold {
    lock: Option<Lock>,
    output: PathBuf,
    made_output: bool,
}

impl Hold {
    pub(super) fn take(output: &Path) -> Result<Self, TrainError> {
        let mut made_output = false;
        let make = || {
            made_output |= !output.exists();
            fs::create_dir_all(output).map_err(TrainError::io(output))
        };
        let lock = Lock::acquire_in_made(output.join(LOCK), make, TrainError::Locked)?;
        Ok(Self { lock: Some(lock), output: output.to_owned(), made_output })
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
