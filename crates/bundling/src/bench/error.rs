//! Why nothing was measured.

use std::io;

use medclip_core::precision::UnknownPrecision;
use medclip_core::preprocess::PreprocessError;
use medclip_phantom::PhantomError;
use medclip_runtime::{EncodeError, EngineKind, LoadError, UnknownEngine};
use thiserror::Error;

/// Why nothing was measured.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BenchError {
    /// No engine, or nothing else to measure.
    #[error("no engine of this build can run here")]
    Nothing,
    /// An engine that was asked for cannot run.
    #[error(transparent)]
    Engine(LoadError),
    /// A process cannot be started.
    #[error("cannot start a measuring process")]
    Start(#[source] io::Error),
    /// A process failed.
    #[error("{engine} on {threads} threads")]
    Process {
        /// The engine it runs.
        engine: EngineKind,
        /// Threads it may use.
        threads: usize,
        /// What is wrong.
        source: ProcessError,
    },
    /// The model cannot be loaded.
    #[error("cannot load the model")]
    Load(#[source] LoadError),
    /// An engine cannot run the model.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// No radiograph can be drawn.
    #[error(transparent)]
    Phantom(#[from] PhantomError),
    /// Images cannot be made the model's input.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// A measuring process was asked for an engine that it does not know.
    #[error(transparent)]
    UnknownEngine(#[from] UnknownEngine),
    /// Or for a precision.
    #[error(transparent)]
    UnknownPrecision(#[from] UnknownPrecision),
    /// The two processes do not understand each other.
    #[error("cannot speak to the other process")]
    Pipe(#[from] ProcessError),
}

/// What is wrong between the process that measures and the one that asks it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// It is gone.
    #[error("the measuring process ended early")]
    Ended,
    /// Nothing comes through.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It says something else.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}
