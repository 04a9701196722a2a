//! How a model is to be run.

use std::num::NonZeroUsize;
use std::thread;

use crate::engine::EngineKind;

/// What [`Model::open_with`](crate::Model::open_with) may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelOptions {
    /// What runs the graphs; the one asked for or an error, never another.
    pub engine: EngineKind,
    /// Threads one call may use; by default all the machine offers. Calls from several threads each use as many.
    pub threads: NonZeroUsize,
}

impl Default for ModelOptions {
    fn default() -> Self {
        let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { engine: EngineKind::default(), threads }
    }
}
