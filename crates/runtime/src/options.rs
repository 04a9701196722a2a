//! How a model is to be run.

mod engine;
pub(crate) mod precision;

use std::num::NonZeroUsize;
use std::thread;

pub use engine::{
    CudaOptions, EngineOptions, GraphOptimization, OrtOptions, Prepack, RtenOptions, TensorRtOptions,
};
pub use precision::PrecisionChoice;

/// What [`Model::open_with`](crate::Model::open_with) may be told.
///
/// ```
/// use medclip_runtime::{EngineKind, ModelOptions};
///
/// let options = ModelOptions { engine: EngineKind::OrtCpu.into(), ..ModelOptions::default() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelOptions {
    /// What runs the graphs, with its own options; the one asked for or an error, never another.
    pub engine: EngineOptions,
    /// Threads one call may use; by default all the machine offers. Calls from several threads each use as many.
    pub threads: NonZeroUsize,
    /// Whether each tower, when it is loaded, must reproduce the embeddings that the bundle was written with; a tower
    /// that does not is an error. Not by default: it costs running two images, or four sentences.
    pub self_test: bool,
    /// Which of the bundle's graphs are run; by default of each tower the one that the engine runs fastest. A precision that
    /// is named is the image tower's, or opening fails; the text tower has it where the bundle holds it, and else is the
    /// model's own.
    pub precision: PrecisionChoice,
}

impl Default for ModelOptions {
    fn default() -> Self {
        let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { engine: EngineOptions::default(), threads, self_test: false, precision: PrecisionChoice::Auto }
    }
}
