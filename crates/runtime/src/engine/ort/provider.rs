//! ONNX Runtime's providers: what is set up for each before a session is made.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

#[cfg(feature = "cuda")]
use ort::ep::CUDA;
#[cfg(feature = "tensorrt")]
use ort::ep::TensorRT;
use ort::ep::{CPU, ExecutionProviderDispatch};
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use thiserror::Error;

use super::log::explained;
use super::runtime::Loaded;
use crate::engine::EngineFailure;
#[cfg(feature = "cuda")]
use crate::options::CudaOptions;
#[cfg(feature = "tensorrt")]
use crate::options::TensorRtOptions;
use crate::options::{GraphOptimization, OrtOptions};

/// A provider with its options.
#[derive(Debug, Clone)]
pub(in crate::engine) enum Provider {
    Cpu(OrtOptions),
    #[cfg(feature = "cuda")]
    Cuda(CudaOptions),
    #[cfg(feature = "tensorrt")]
    TensorRt(TensorRtOptions),
}

/// What errors of a device's provider end with.
#[cfg(feature = "cuda")]
const WHAT_DEVICES_NEED: &str = "; it needs ONNX Runtime's GPU build (`pip install onnxruntime-gpu`, or a release \
    named `gpu`), the CUDA and cuDNN libraries of that build on LD_LIBRARY_PATH, and an NVIDIA device with its driver";

/// Why a provider cannot run here.
#[derive(Debug, Error)]
#[error("{} cannot set it up: {reason}{needs}", library.display())]
struct ProviderError {
    library: PathBuf,
    reason: EngineFailure,
    needs: &'static str,
}

/// An ONNX model of one `Identity` from `x` to `y`, both `float [1]`.
const IDENTITY: &[u8] = b"\x08\x08:7\n\x10\n\x01x\x12\x01y\"\x08Identity\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01\
    b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r";

impl Provider {
    /// Fails where the provider cannot be registered, or its device not be opened, as the smallest session does.
    pub(super) fn check(&self, runtime: &Loaded) -> Result<(), EngineFailure> {
        let made = explained(|| self.builder(runtime, NonZeroUsize::MIN)?.commit_from_memory(IDENTITY));
        let failed = |reason| ProviderError { library: runtime.path.clone(), reason, needs: self.needs() };
        made.map(drop).map_err(|reason| failed(reason).into())
    }

    fn needs(&self) -> &'static str {
        match self {
            Self::Cpu(_) => "",
            #[cfg(feature = "cuda")]
            _ => WHAT_DEVICES_NEED,
        }
    }

    /// A session's settings: `threads` threads that sleep when idle, and this provider or an error.
    pub(super) fn builder(&self, runtime: &Loaded, threads: NonZeroUsize) -> ort::Result<SessionBuilder> {
        let builder = Session::builder(&runtime.environment)?
            .with_intra_threads(threads.get())?
            .with_intra_op_spinning(false)?
            .with_optimization_level(level(self.optimization()))?;
        self.register(builder)
    }

    /// Sessions worth having at once on `cores` cores: callers beyond that wait.
    pub(super) fn sessions(&self, cores: NonZeroUsize, threads: NonZeroUsize) -> usize {
        match self {
            Self::Cpu(_) => (cores.get() / threads.get()).max(1),
            // They would share the device and each hold the weights on it.
            #[cfg(feature = "cuda")]
            _ => 1,
        }
    }

    pub(super) fn optimization(&self) -> GraphOptimization {
        match self {
            Self::Cpu(options) => options.optimization,
            #[cfg(feature = "cuda")]
            Self::Cuda(options) => options.optimization,
            #[cfg(feature = "tensorrt")]
            Self::TensorRt(_) => GraphOptimization::All,
        }
    }

    pub(super) fn optimized_graph_cache(&self) -> Option<&Path> {
        match self {
            Self::Cpu(options) => options.optimized_graph_cache.as_deref(),
            #[cfg(feature = "cuda")]
            _ => None,
        }
    }

    /// Registers in order of preference; every one must register.
    fn register(&self, builder: SessionBuilder) -> ort::Result<SessionBuilder> {
        let providers = match self {
            Self::Cpu(options) => vec![CPU::default().with_arena_allocator(options.arena).build()],
            #[cfg(feature = "cuda")]
            Self::Cuda(options) => vec![cuda(options.device)],
            #[cfg(feature = "tensorrt")]
            Self::TensorRt(options) => vec![tensorrt(options)?, cuda(options.device)],
        };
        let strict: Vec<_> = providers.into_iter().map(ExecutionProviderDispatch::error_on_failure).collect();
        Ok(builder.with_execution_providers(strict)?)
    }
}

#[cfg(feature = "cuda")]
fn cuda(device: u32) -> ExecutionProviderDispatch {
    CUDA::default().with_device_id(device as i32).build()
}

#[cfg(feature = "tensorrt")]
fn tensorrt(options: &TensorRtOptions) -> ort::Result<ExecutionProviderDispatch> {
    let mut provider = TensorRT::default().with_device_id(options.device as i32).with_fp16(options.fp16);
    if let Some(directory) = &options.engine_cache {
        medclip_files::make_private(directory).map_err(ort::Error::wrap)?;
        let path = directory.to_str().filter(|path| !path.contains('\0'));
        let path = path.ok_or_else(|| ort::Error::new("the path of the engine cache is no text"))?;
        provider = provider.with_engine_cache(true).with_engine_cache_path(path);
    }
    Ok(provider.build())
}

fn level(optimization: GraphOptimization) -> GraphOptimizationLevel {
    match optimization {
        GraphOptimization::None => GraphOptimizationLevel::Disable,
        GraphOptimization::Basic => GraphOptimizationLevel::Level1,
        GraphOptimization::Extended => GraphOptimizationLevel::Level2,
        GraphOptimization::All => GraphOptimizationLevel::All,
    }
}
