//! A graph loaded by ONNX Runtime.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

use medclip_files::{sha256, sha256_of_file};
use ort::session::builder::SessionBuilder;
use ort::session::{Session as Inner, SessionInputValue};
use ort::value::TensorRef;
use thiserror::Error;

use super::cache;
use super::log::explained;
use super::provider::Provider;
use super::runtime::Loaded;
use crate::engine::pool::Pool;
use crate::engine::{EngineFailure, GraphSource, Session, Tensor, TensorView, Values};
use crate::graph::{GraphContract, GraphInfo};

/// A graph ready to run, for several callers at once.
pub(super) struct OrtSession {
    pool: Pool<Inner>,
    maker: Maker,
    /// Of the graph, where it may have to be loaded again.
    sha256: Option<String>,
    inputs: Vec<String>,
    output: String,
}

impl OrtSession {
    pub(super) fn load(
        runtime: Loaded,
        provider: &Provider,
        graph: GraphSource<'_>,
        contract: &GraphContract,
        threads: NonZeroUsize,
    ) -> Result<Self, EngineFailure> {
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let (path, limit) = match graph {
            GraphSource::File(path) => (Some(path.to_owned()), provider.sessions(cores, threads)),
            // A graph that is in no file cannot be loaded again.
            GraphSource::Bytes(_) => (None, 1),
        };
        let maker = Maker { runtime, provider: provider.clone(), threads, path };
        let is_hashed = limit > 1 || provider.optimized_graph_cache().is_some();
        let sha256 = if is_hashed { Some(hash(graph)?) } else { None };
        Ok(Self {
            pool: Pool::new(maker.make(graph, sha256.as_deref())?, limit),
            sha256,
            maker,
            inputs: contract.inputs.iter().map(|port| port.name.clone()).collect(),
            output: contract.output.name.clone(),
        })
    }
}

impl Session for OrtSession {
    fn run(&self, inputs: &[TensorView<'_>]) -> Result<Tensor, EngineFailure> {
        let call = |session: &mut Inner| {
            explained(|| {
                let named = self.inputs.iter().zip(inputs);
                let values = named.map(|(name, input)| Ok((Cow::from(name), value(*input)?)));
                let outputs = session.run(values.collect::<ort::Result<Vec<_>>>()?)?;
                let missing = || ort::Error::new(format!("the graph gave no {}", self.output));
                let output = outputs.get(&self.output).ok_or_else(missing)?;
                let (shape, values) = output.try_extract_tensor::<f32>()?;
                let shape = shape.iter().map(|&size| size as usize).collect();
                Ok(Tensor { shape, values: values.to_vec() })
            })
        };
        self.pool.with(|| self.maker.make_again(self.sha256.as_deref()), call)
    }
}

fn value(input: TensorView<'_>) -> ort::Result<SessionInputValue<'_>> {
    let shape: Vec<i64> = input.shape.iter().map(|&size| size as i64).collect();
    Ok(match input.values {
        Values::F32(values) => TensorRef::from_array_view((shape, values))?.into(),
        Values::I64(values) => TensorRef::from_array_view((shape, values))?.into(),
    })
}

/// Makes sessions of one graph, all alike.
struct Maker {
    runtime: Loaded,
    provider: Provider,
    threads: NonZeroUsize,
    path: Option<PathBuf>,
}

/// The graph's file is no longer the one that was loaded first.
#[derive(Debug, Error)]
#[error("{} has changed since the model was opened", path.display())]
struct Changed {
    path: PathBuf,
}

impl Maker {
    fn make(&self, graph: GraphSource<'_>, sha256: Option<&str>) -> Result<Inner, EngineFailure> {
        let builder = || self.provider.builder(&self.runtime, self.threads);
        let commit = |builder: &mut SessionBuilder| match graph {
            GraphSource::File(path) => builder.commit_from_file(path),
            GraphSource::Bytes(bytes) => builder.commit_from_memory(bytes),
        };
        match (self.provider.optimized_graph_cache(), sha256) {
            (Some(directory), Some(sha256)) => {
                let kept = cache::place(directory, sha256, self.provider.optimization())?;
                cache::session(&kept, builder, commit)
            }
            _ => explained(|| commit(&mut builder()?)),
        }
    }

    /// One more, of the same graph or not at all.
    fn make_again(&self, sha256: Option<&str>) -> Result<Inner, EngineFailure> {
        let path = self.path.as_deref().ok_or("a graph in memory has one session")?;
        let graph = GraphSource::File(path);
        if sha256 != Some(&hash(graph)?) {
            return Err(Changed { path: path.to_owned() }.into());
        }
        self.make(graph, sha256)
    }
}

/// SHA-256 of the graph, followed by that of the weights beside it.
fn hash(graph: GraphSource<'_>) -> Result<String, EngineFailure> {
    let path = match graph {
        GraphSource::File(path) => path,
        GraphSource::Bytes(bytes) => return Ok(sha256(bytes)),
    };
    let mut sums = sha256_of_file(path)?;
    for data in GraphInfo::read(path)?.external_paths(path)? {
        sums += &sha256_of_file(&data)?;
    }
    Ok(sums)
}
