//! Why nothing could be compared.

#[cfg(feature = "train")]
mod against;
#[cfg(feature = "candle-onnx")]
mod candle;

use medclip_core::preprocess::PreprocessError;
use medclip_core::stop::Stopped;
use medclip_phantom::PhantomError;
use medclip_runtime::{BundleError, EncodeError, EngineKind, LoadError};
use thiserror::Error;

#[cfg(feature = "train")]
pub use against::AgainstError;
#[cfg(feature = "candle-onnx")]
pub use candle::CandleError;

use super::evaluator::Evaluator;

/// Why nothing could be compared. Differences are no errors.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The caller asked it to stop.
    #[error("stopped before the end, as was asked")]
    Stopped(#[from] Stopped),
    /// The bundle was copied without its text tower.
    #[error(transparent)]
    Incomplete(BundleError),
    /// The text graph cannot be read.
    #[error(transparent)]
    Graph(#[from] LoadError),
    /// No radiograph can be drawn.
    #[error(transparent)]
    Phantom(#[from] PhantomError),
    /// Images cannot be made the model's input.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// One engine has nothing to be compared with.
    #[error("nothing to compare: one engine runs here ({engine})")]
    OneEngine {
        /// The engine.
        engine: Evaluator,
    },
    /// This build lacks the referee.
    #[error("engine {evaluator} is not in this build; build with feature `{}`", evaluator.feature())]
    NotBuilt {
        /// The referee.
        evaluator: Evaluator,
    },
    /// The referee cannot evaluate the model.
    #[cfg(feature = "candle-onnx")]
    #[error(transparent)]
    Candle(#[from] CandleError),
    /// No engine at all.
    #[error("no engine of this build can run here")]
    NoEngine,
    /// The model cannot be loaded with an engine.
    #[error("cannot load the model")]
    Load(#[source] LoadError),
    /// An engine cannot run the model.
    #[error("{engine} fails")]
    Run {
        /// The engine.
        engine: EngineKind,
        /// Why.
        source: EncodeError,
    },
    /// An engine cannot run the golden inputs.
    #[error("cannot run the self-test")]
    SelfTest(#[source] EncodeError),
    /// The weights cannot be compared with.
    #[cfg(feature = "train")]
    #[error(transparent)]
    Weights(#[from] AgainstError),
    /// The certificate cannot be written.
    #[cfg(feature = "train")]
    #[error("cannot write the certificate")]
    Certificate(#[source] BundleError),
}
