//! What runs a model, and on how many threads.

mod choice;

use std::num::NonZeroUsize;

use clap::Args;
use medclip_runtime::{EngineKind, EngineOptions, LoadError, ModelOptions};

use crate::one_line;
pub(crate) use choice::{Choice, preferred};

/// Which engine to use.
#[derive(Debug, Args)]
pub(crate) struct EngineArgs {
    /// What runs the model: tract, rten, ort-cpu, cuda, tensorrt, or auto
    ///
    /// tract and rten need nothing. The others need an ONNX Runtime library, which is taken from `ORT_DYLIB_PATH`, from
    /// beside the program, from an installed Python package `onnxruntime` or from the system; `medclip doctor` says what
    /// is found. An engine that cannot run is an error: none takes the place of another. auto takes the first of ort-cpu, rten
    /// and tract that can run here and says which and why; if that one then fails, so does the command.
    #[arg(long, value_name = "ENGINE", default_value_t)]
    engine: Choice,
    /// Threads to use [default: all]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl EngineArgs {
    /// Threads to use in all.
    pub(crate) fn threads(&self) -> NonZeroUsize {
        self.threads.unwrap_or(ModelOptions::default().threads)
    }

    /// A model that uses `threads` in one call; an engine that was left to this program is named on standard error.
    ///
    /// # Errors
    /// When the engine was left to this program and none can run here.
    pub(crate) fn options(&self, threads: NonZeroUsize) -> anyhow::Result<ModelOptions> {
        let engine = self.engine.resolve()?.into();
        Ok(ModelOptions { engine, threads, ..ModelOptions::default() })
    }
}

/// Every engine that can run here.
pub(crate) fn runnable() -> Vec<EngineKind> {
    let kinds = EngineKind::ALL.iter().copied();
    kinds.filter(|&kind| EngineOptions::from(kind).check().is_ok()).collect()
}

/// An error's causes on one line; what an engine lacks without the words that it cannot run.
pub(crate) fn reason(error: LoadError) -> String {
    match error {
        LoadError::Engine { source, .. } => one_line(&anyhow::Error::from_boxed(source)),
        other => one_line(&other.into()),
    }
}
