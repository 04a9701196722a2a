//! The one seam between medclip and whatever runs its graphs.
//!
//! A new engine is one file here that implements [`Engine`] and [`Session`], a variant of [`EngineKind`](crate::EngineKind), and one of
//! [`EngineOptions`].

mod choice;
mod guard;
#[cfg(feature = "ort")]
mod ort;
#[cfg(any(feature = "ort", feature = "rten"))]
mod pool;
#[cfg(feature = "rten")]
mod rten;
#[cfg(feature = "tract")]
mod tract;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::Path;

pub use choice::{ChoiceError, EngineChoice, Preferred};
pub(crate) use guard::{GuardedEngine, GuardedSession};
#[cfg(feature = "ort")]
pub use ort::OnnxRuntime;
#[cfg(feature = "ort")]
use ort::{OrtEngine, Provider};

use crate::error::LoadError;
use crate::graph::{GraphContract, GraphInfo};
use crate::options::EngineOptions;

/// What an engine reports when it fails; the concrete type is the engine's own and not part of the API.
pub(crate) type EngineFailure = Box<dyn std::error::Error + Send + Sync>;

/// The engine asked for, or an error when this build lacks it or it cannot run here.
pub(crate) fn engine(options: &EngineOptions) -> Result<GuardedEngine, LoadError> {
    let kind = options.kind();
    let engine: Option<Box<dyn Engine>> = match options {
        #[cfg(feature = "tract")]
        EngineOptions::Tract => Some(Box::new(tract::TractEngine)),
        #[cfg(feature = "rten")]
        EngineOptions::Rten(options) => Some(Box::new(rten::RtenEngine::new(*options))),
        #[cfg(feature = "ort")]
        EngineOptions::OrtCpu(options) => Some(Box::new(OrtEngine::new(Provider::Cpu(options.clone())))),
        #[cfg(feature = "cuda")]
        EngineOptions::Cuda(options) => Some(Box::new(OrtEngine::new(Provider::Cuda(*options)))),
        #[cfg(feature = "tensorrt")]
        EngineOptions::TensorRt(options) => {
            Some(Box::new(OrtEngine::new(Provider::TensorRt(options.clone()))))
        }
        #[cfg(not(all(feature = "tract", feature = "rten", feature = "tensorrt")))]
        _ => None,
    };
    let engine = engine.ok_or(LoadError::NotBuilt { engine: kind });
    let engine = GuardedEngine::new(kind, engine?);
    engine.check()?;
    Ok(engine)
}

/// Runs graphs: asked for by name, it runs them or fails; it never falls back to another.
pub(crate) trait Engine: Send + Sync {
    /// Whether this machine has what the engine needs.
    fn check(&self) -> Result<(), EngineFailure>;

    /// Loads a graph that meets `contract` and is what `info` says; a session may use up to `threads` threads in one call.
    fn prepare(
        &self,
        graph: GraphSource<'_>,
        info: &GraphInfo,
        contract: &GraphContract,
        threads: NonZeroUsize,
    ) -> Result<Box<dyn Session>, EngineFailure>;
}

/// A loaded graph, usable from many threads at once.
pub(crate) trait Session: Send + Sync {
    /// Runs the graph on inputs in the contract's order.
    ///
    /// Gives what the contract has [computed](GraphContract::computed), in its order. The first axis of every input and output
    /// counts rows, and a row of an output depends on the same row of the inputs only, so an engine may run rows together
    /// or apart.
    fn run(&self, inputs: &[TensorView<'_>]) -> Result<Vec<Tensor>, EngineFailure>;
}

/// Where an ONNX graph is.
#[derive(Clone, Copy)]
pub enum GraphSource<'a> {
    /// In a file, which the engine reads.
    File(&'a Path),
    /// In memory: the contents of such a file.
    Bytes(&'a [u8]),
}

impl fmt::Debug for GraphSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Bytes(bytes) => f.debug_tuple("Bytes").field(&bytes.len()).finish(),
        }
    }
}

/// Borrowed input, row-major.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(any(feature = "tract", feature = "rten", feature = "ort")),
    allow(dead_code, reason = "no engine reads it")
)]
pub(crate) struct TensorView<'a> {
    pub(crate) shape: &'a [usize],
    pub(crate) values: Values<'a>,
}

/// Elements of an input.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(any(feature = "tract", feature = "rten", feature = "ort")),
    allow(dead_code, reason = "no engine reads it")
)]
pub(crate) enum Values<'a> {
    F32(&'a [f32]),
    I64(&'a [i64]),
}

/// Owned output, row-major.
#[derive(Debug, Default)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// Outputs of some rows after each other as outputs of all `rows`.
#[cfg(any(feature = "tract", feature = "rten"))]
fn joined(parts: Vec<Vec<Tensor>>, rows: usize) -> Vec<Tensor> {
    let mut parts = parts.into_iter();
    let mut outputs = parts.next().unwrap_or_default();
    for part in parts {
        for (output, part) in outputs.iter_mut().zip(part) {
            output.values.extend_from_slice(&part.values);
        }
    }
    for output in &mut outputs {
        if let Some(leading) = output.shape.first_mut() {
            *leading = rows;
        }
    }
    outputs
}
