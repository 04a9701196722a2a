//! What runs a model, and on how many threads.

use std::num::NonZeroUsize;

use clap::Args;
use medclip_runtime::{EngineKind, EngineOptions, ModelOptions};

/// Which engine to use.
#[derive(Debug, Args)]
pub(crate) struct EngineArgs {
    /// What runs the model: tract, ort-cpu, cuda or tensorrt
    ///
    /// tract needs nothing. The others need an ONNX Runtime library, which is taken from `ORT_DYLIB_PATH`, from beside
    /// the program, from an installed Python package `onnxruntime` or from the system; `medclip doctor` says what is
    /// found. An engine that cannot run is an error: none takes the place of another.
    #[arg(long, value_name = "ENGINE", default_value_t)]
    engine: EngineKind,
    /// Threads to use [default: all]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl EngineArgs {
    /// Threads to use in all.
    pub(crate) fn threads(&self) -> NonZeroUsize {
        self.threads.unwrap_or(ModelOptions::default().threads)
    }

    /// A model that uses `threads` in one call.
    pub(crate) fn options(&self, threads: NonZeroUsize) -> ModelOptions {
        ModelOptions { engine: self.engine.into(), threads, ..ModelOptions::default() }
    }
}

/// Every engine that can run here.
pub(crate) fn runnable() -> Vec<EngineKind> {
    let kinds = EngineKind::ALL.iter().copied();
    kinds.filter(|&kind| EngineOptions::from(kind).check().is_ok()).collect()
}
