//! Engines are other people's code, and some of it panics: here such a panic becomes an error.

use std::num::NonZeroUsize;

use medclip_core::guard::catch;
use thiserror::Error;

use super::{Engine, EngineFailure, GraphSource, Session, Tensor, TensorView};
use crate::error::LoadError;
use crate::graph::{GraphContract, GraphInfo};
use crate::kind::EngineKind;

/// An engine that fails instead of panicking.
pub(crate) struct GuardedEngine {
    kind: EngineKind,
    engine: Box<dyn Engine>,
}

impl GuardedEngine {
    pub(super) fn new(kind: EngineKind, engine: Box<dyn Engine>) -> Self {
        Self { kind, engine }
    }

    pub(crate) const fn kind(&self) -> EngineKind {
        self.kind
    }

    /// Fails where this machine lacks what the engine needs.
    pub(crate) fn check(&self) -> Result<(), LoadError> {
        guard(|| self.engine.check()).map_err(|source| LoadError::Engine { engine: self.kind, source })
    }

    /// As [`Engine::prepare`].
    pub(crate) fn prepare(
        &self,
        graph: GraphSource<'_>,
        info: &GraphInfo,
        contract: &GraphContract,
        threads: NonZeroUsize,
    ) -> Result<GuardedSession, EngineFailure> {
        guard(|| self.engine.prepare(graph, info, contract, threads)).map(GuardedSession)
    }
}

/// A session that fails instead of panicking.
pub(crate) struct GuardedSession(Box<dyn Session>);

impl GuardedSession {
    /// As [`Session::run`].
    pub(crate) fn run(&self, inputs: &[TensorView<'_>]) -> Result<Vec<Tensor>, EngineFailure> {
        guard(|| self.0.run(inputs))
    }
}

/// An engine's panic.
#[derive(Debug, Error)]
#[error("the engine panicked: {0}")]
struct Panicked(String);

/// Unwind safety: engines keep what calls share behind locks whose poison they ignore, and hand out nothing of a call
/// that failed.
pub(super) fn guard<T>(call: impl FnOnce() -> Result<T, EngineFailure>) -> Result<T, EngineFailure> {
    catch(call).unwrap_or_else(|message| Err(Box::new(Panicked(message))))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fragile;

    impl Engine for Fragile {
        fn check(&self) -> Result<(), EngineFailure> {
            panic!("no {}", "device")
        }

        fn prepare(
            &self,
            _graph: GraphSource<'_>,
            _info: &GraphInfo,
            _contract: &GraphContract,
            _threads: NonZeroUsize,
        ) -> Result<Box<dyn Session>, EngineFailure> {
            Ok(Box::new(Self))
        }
    }

    impl Session for Fragile {
        fn run(&self, _inputs: &[TensorView<'_>]) -> Result<Vec<Tensor>, EngineFailure> {
            panic!("out of bounds")
        }
    }

    #[test]
    fn a_panic_is_an_error_with_its_words() {
        let engine = GuardedEngine::new(EngineKind::Tract, Box::new(Fragile));
        let Err(LoadError::Engine { engine: EngineKind::Tract, source }) = engine.check() else {
            panic!("the check fails")
        };
        assert_eq!(source.to_string(), "the engine panicked: no device");
        let failure = GuardedSession(Box::new(Fragile)).run(&[]).unwrap_err();
        assert_eq!(failure.to_string(), "the engine panicked: out of bounds");
    }
}
