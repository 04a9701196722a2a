//! A graph loaded by ONNX Runtime.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

use medclip_files::{read_regular, sha256, sha256_of_file};
use medclip_onnx::select;
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
    outputs: Vec<String>,
}

impl OrtSession {
    pub(super) fn load(
        runtime: Loaded,
        provider: &Provider,
        graph: GraphSource<'_>,
        info: &GraphInfo,
        contract: &GraphContract,
        threads: NonZeroUsize,
    ) -> Result<Self, EngineFailure> {
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let (path, limit) = match graph {
            GraphSource::File(path) => (Some(path.to_owned()), provider.sessions(cores, threads)),
            // A graph that is in no file cannot be loaded again.
            GraphSource::Bytes(_) => (None, 1),
        };
        let outputs: Vec<String> = contract.computed().into_iter().map(str::to_owned).collect();
        // Weights in a file of their own are found from the graph's path, so such a graph is loaded as it is.
        let is_part = outputs.len() < info.outputs.len() && info.external_files.is_empty();
        let part = is_part.then(|| outputs.clone());
        let maker = Maker { runtime, provider: provider.clone(), threads, path, part };
        let is_hashed = limit > 1 || provider.optimized_graph_cache().is_some();
        let sha256 = if is_hashed { Some(hash(graph)?) } else { None };
        Ok(Self {
            pool: Pool::new(maker.make(graph, sha256.as_deref())?, limit),
            sha256,
            maker,
            inputs: contract.inputs.iter().map(|port| port.name.clone()).collect(),
            outputs,
        })
    }
}

impl Session for OrtSession {
    fn run(&self, inputs: &[TensorView<'_>]) -> Result<Vec<Tensor>, EngineFailure> {
        let call = |session: &mut Inner| {
            explained(|| {
                let named = self.inputs.iter().zip(inputs);
                let values = named.map(|(name, input)| Ok((Cow::from(name), value(*input)?)));
                let outputs = session.run(values.collect::<ort::Result<Vec<_>>>()?)?;
                let tensor = |name: &String| {
                    let missing = || ort::Error::new(format!("the graph gave no {name}"));
                    let (shape, values) =
                        outputs.get(name).ok_or_else(missing)?.try_extract_tensor::<f32>()?;
                    let shape = shape.iter().map(|&size| size as usize).collect();
                    Ok(Tensor { shape, values: values.to_vec() })
                };
                self.outputs.iter().map(tensor).collect()
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
    /// The outputs to compute, where the graph has others too.
    part: Option<Vec<String>>,
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
        let part = self.part(graph)?;
        let commit = |builder: &mut SessionBuilder| match (graph, &part) {
            (_, Some(part)) => builder.commit_from_memory(part),
            (GraphSource::File(path), None) => builder.commit_from_file(path),
            (GraphSource::Bytes(bytes), None) => builder.commit_from_memory(bytes),
        };
        match (self.provider.optimized_graph_cache(), sha256) {
            (Some(directory), Some(sha256)) => {
                let key = if part.is_some() { format!("{sha256}-part") } else { sha256.to_owned() };
                let kept = cache::place(directory, &key, self.provider.optimization())?;
                cache::session(&kept, builder, commit)
            }
            _ => explained(|| commit(&mut builder()?)),
        }
    }

    /// What is computed of a graph that has more.
    fn part(&self, graph: GraphSource<'_>) -> Result<Option<Vec<u8>>, EngineFailure> {
        let Some(outputs) = &self.part else { return Ok(None) };
        let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
        Ok(Some(match graph {
            GraphSource::File(path) => select(&read_regular(path, u64::MAX)?, &outputs)?,
            GraphSource::Bytes(bytes) => select(bytes, &outputs)?,
        }))
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
