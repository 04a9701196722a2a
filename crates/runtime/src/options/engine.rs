//! Each engine with the options it heeds; what an engine has no use for cannot be asked of it.

use std::path::PathBuf;

use crate::engine;
use crate::error::LoadError;
use crate::kind::EngineKind;

/// An engine and its options.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineOptions {
    /// As [`EngineKind::Tract`].
    Tract,
    /// As [`EngineKind::Rten`].
    Rten(RtenOptions),
    /// As [`EngineKind::OrtCpu`].
    OrtCpu(OrtOptions),
    /// As [`EngineKind::Cuda`].
    Cuda(CudaOptions),
    /// As [`EngineKind::TensorRt`].
    TensorRt(TensorRtOptions),
}

impl EngineOptions {
    /// The engine asked for.
    pub const fn kind(&self) -> EngineKind {
        match self {
            Self::Tract => EngineKind::Tract,
            Self::Rten(_) => EngineKind::Rten,
            Self::OrtCpu(_) => EngineKind::OrtCpu,
            Self::Cuda(_) => EngineKind::Cuda,
            Self::TensorRt(_) => EngineKind::TensorRt,
        }
    }

    /// Whether this build has the engine and this machine what it needs: libraries are loaded and devices opened.
    ///
    /// # Errors
    /// [`LoadError::NotBuilt`] or [`LoadError::Engine`].
    pub fn check(&self) -> Result<(), LoadError> {
        engine::engine(self).map(drop)
    }
}

impl Default for EngineOptions {
    /// The default engine with default options.
    fn default() -> Self {
        EngineKind::default().into()
    }
}

impl From<EngineKind> for EngineOptions {
    /// The engine with default options.
    fn from(kind: EngineKind) -> Self {
        match kind {
            EngineKind::Tract => Self::Tract,
            EngineKind::Rten => Self::Rten(RtenOptions::default()),
            EngineKind::OrtCpu => Self::OrtCpu(OrtOptions::default()),
            EngineKind::Cuda => Self::Cuda(CudaOptions::default()),
            EngineKind::TensorRt => Self::TensorRt(TensorRtOptions::default()),
        }
    }
}

/// Options of rten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtenOptions {
    /// Whether nodes are fused and constants folded when a graph is loaded.
    pub optimize: bool,
    /// Which weights are kept a second time, arranged as matrix products want them: loading takes longer, calls less.
    pub prepack: Prepack,
}

impl Default for RtenOptions {
    fn default() -> Self {
        Self { optimize: true, prepack: Prepack::default() }
    }
}

/// Weights that rten arranges when it loads a graph, and not in every call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prepack {
    /// Those of graphs with 8-bit matrix products: arranging them takes a quarter of a call, and they are small.
    #[default]
    EightBit,
    /// All.
    All,
    /// None.
    None,
}

/// Options of ONNX Runtime on the CPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrtOptions {
    /// How far graphs are optimized when they are loaded.
    pub optimization: GraphOptimization,
    /// Whether working memory is kept between calls: faster, and the peak stays allocated.
    pub arena: bool,
    /// Directory that keeps optimized graphs, so that loading one again skips the optimization; made if missing.
    ///
    /// Each is a directory named by the graph's SHA-256, the library and the processor. They are loaded without further checks:
    /// keep the directory as safe from others as the bundle.
    pub optimized_graph_cache: Option<PathBuf>,
}

impl Default for OrtOptions {
    fn default() -> Self {
        Self { optimization: GraphOptimization::default(), arena: true, optimized_graph_cache: None }
    }
}

/// How far ONNX Runtime optimizes a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GraphOptimization {
    /// Only what the providers require.
    None,
    /// Redundant nodes removed, constants folded.
    Basic,
    /// And nodes fused.
    Extended,
    /// And memory layouts chosen for the processor.
    #[default]
    All,
}

/// Options of ONNX Runtime's CUDA provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CudaOptions {
    /// The device's number, from 0, among those CUDA shows.
    pub device: u32,
    /// How far graphs are optimized when they are loaded.
    pub optimization: GraphOptimization,
}

/// Options of ONNX Runtime's TensorRT provider; what TensorRT does not take of a graph runs on CUDA.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TensorRtOptions {
    /// The device's number, from 0, among those CUDA shows.
    pub device: u32,
    /// Whether TensorRT may compute in half precision; scores then differ from those of other engines.
    pub fp16: bool,
    /// Directory that keeps built engines, which take minutes to build; made if missing.
    pub engine_cache: Option<PathBuf>,
}
