//! What runs a model, and on how many threads.

use std::num::NonZeroUsize;
use std::path::Path;

use clap::Args;
use medclip_runtime::{EngineChoice, EngineKind, ModelOptions, PrecisionChoice};

use crate::say;

/// Which engine to use.
#[derive(Debug, Args)]
pub(crate) struct EngineArgs {
    /// What runs the model: tract, rten, ort-cpu, cuda, tensorrt, or auto
    ///
    /// tract and rten need nothing. The others need an ONNX Runtime library, which is taken from `ORT_DYLIB_PATH`, from
    /// beside the program, from an installed Python package `onnxruntime` or from the system; `medclip doctor` says what
    /// is found. An engine that cannot run is an error: none takes the place of another. auto takes the first of ort-cpu, tract
    /// and rten that can run here, for Swin and ResNet rten before tract, and says which and why; if that one then fails, so
    /// does the command.
    #[arg(long, value_name = "ENGINE", default_value_t = default())]
    engine: EngineChoice,
    /// Precision of the model: fp32, fp16, int8, or auto for the one this engine runs fastest of those the bundle holds
    ///
    /// One that is named runs or is an error. It is the image tower's; the text tower has it where the bundle holds it.
    #[arg(long, value_name = "PRECISION", default_value_t)]
    precision: PrecisionChoice,
    /// Threads to use [default: all]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl EngineArgs {
    /// Threads to use in all.
    pub(crate) fn threads(&self) -> NonZeroUsize {
        self.threads.unwrap_or(ModelOptions::default().threads)
    }

    /// Precision that was asked for.
    pub(crate) const fn precision(&self) -> PrecisionChoice {
        self.precision
    }

    /// Takes the precision of what is compared with, whatever was chosen.
    #[cfg(feature = "search")]
    pub(crate) fn set_precision(&mut self, precision: PrecisionChoice) {
        self.precision = precision;
    }

    /// The engine to use for a bundle; one that was left to this program is told on standard error, with what kept preferred ones
    /// out.
    ///
    /// # Errors
    /// When it was left to this program and none can run here, or the bundle does not say what it is.
    pub(crate) fn settle(&self, bundle: &Path) -> anyhow::Result<EngineKind> {
        let (kind, chosen) = self.engine.resolve(bundle)?;
        if let Some(chosen) = chosen {
            say(&format!("engine: {chosen}"));
        }
        Ok(kind)
    }

    /// How to load a bundle so that it uses `threads` in one call.
    ///
    /// # Errors
    /// As [`EngineArgs::settle`].
    #[cfg(any(feature = "eval", feature = "search"))]
    pub(crate) fn options(&self, bundle: &Path, threads: NonZeroUsize) -> anyhow::Result<ModelOptions> {
        let engine = self.settle(bundle)?.into();
        Ok(ModelOptions { engine, threads, precision: self.precision, ..ModelOptions::default() })
    }
}

/// The default engine or, in a program for devices that lacks it, the one it has.
fn default() -> EngineChoice {
    EngineChoice::Named(EngineKind::first_built().unwrap_or_default())
}
