//! [ONNX Runtime](https://onnxruntime.ai) as an engine: its CPU, CUDA and TensorRT providers.
//!
//! The library is loaded when it is first needed, so a build runs without it; [`library`] says where it is looked for. A
//! batch is one call of ONNX Runtime. Its sessions take one call at a time, so several callers get several sessions, up to
//! as many as the processor's cores allow with the threads of one; see [`Pool`](super::pool::Pool).

mod cache;
mod library;
mod log;
mod provider;
mod runtime;
mod session;

use std::num::NonZeroUsize;

use super::{Engine, EngineFailure, GraphSource, Session};
use crate::graph::{GraphContract, GraphInfo};
pub(super) use provider::Provider;
pub use runtime::OnnxRuntime;
use session::OrtSession;

/// The engine: one of ONNX Runtime's providers.
#[derive(Debug)]
pub(super) struct OrtEngine {
    provider: Provider,
}

impl OrtEngine {
    pub(super) fn new(provider: Provider) -> Self {
        Self { provider }
    }
}

impl Engine for OrtEngine {
    fn check(&self) -> Result<(), EngineFailure> {
        let runtime = runtime::loaded()?;
        self.provider.check(&runtime)
    }

    fn prepare(
        &self,
        graph: GraphSource<'_>,
        info: &GraphInfo,
        contract: &GraphContract,
        threads: NonZeroUsize,
    ) -> Result<Box<dyn Session>, EngineFailure> {
        let runtime = runtime::loaded()?;
        Ok(Box::new(OrtSession::load(runtime, &self.provider, graph, info, contract, threads)?))
    }
}
