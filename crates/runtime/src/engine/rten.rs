//! [rten](https://github.com/robertknight/rten) as an engine.
//!
//! A batch is one call, of any size: nothing of a loaded graph depends on it. A call runs on a pool of threads of its own,
//! so callers from several threads get several pools, up to as many as the processor's cores allow with the threads of one.
//! What is computed once, while a graph is loaded, rten computes on another pool: one thread for each physical core, or as
//! many as `RTEN_NUM_THREADS` says.
//!
//! rten has no 64-bit integers and no half precision: tokens are narrowed, and it widens weights when it reads them.

use std::env;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use rten::{
    Model, ModelOptions, NodeId, OpRegistry, RunOptions, ThreadPool, Value, ValueOrView, ValueView,
    op_registry,
};
use thiserror::Error;

use super::pool::Pool;
use super::{Engine, EngineFailure, GraphSource, Session, Tensor, TensorView, Values};
use crate::graph::GraphContract;
use crate::options::RtenOptions;

/// rten's own switches for reports of what it does. They go to standard output, from another thread: they would mix with
/// results, and wait for ever while a caller holds the lock.
const REPORTS: [&str; 3] = ["RTEN_TIMING", "RTEN_OPTIMIZER_DEBUG", "RTEN_INFER_SHAPES_DEBUG"];

/// The engine; it needs nothing of the machine.
#[derive(Debug)]
pub(super) struct RtenEngine {
    options: RtenOptions,
}

impl RtenEngine {
    pub(super) fn new(options: RtenOptions) -> Self {
        Self { options }
    }
}

impl Engine for RtenEngine {
    fn check(&self) -> Result<(), EngineFailure> {
        match REPORTS.into_iter().find(|name| env::var_os(name).is_some()) {
            Some(name) => Err(Box::new(Reports(name))),
            None => Ok(()),
        }
    }

    fn prepare(
        &self,
        graph: GraphSource<'_>,
        contract: &GraphContract,
        threads: NonZeroUsize,
    ) -> Result<Box<dyn Session>, EngineFailure> {
        let mut options = ModelOptions::with_ops(operators());
        options.enable_optimization(self.options.optimize).prepack_weights(self.options.prepack);
        let model = match graph {
            GraphSource::File(path) => options.load_file(path)?,
            GraphSource::Bytes(bytes) => options.load(bytes.to_vec())?,
        };
        let inputs = contract.inputs.iter().map(|port| model.node_id(&port.name));
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Ok(Box::new(RtenSession {
            inputs: inputs.collect::<Result<_, _>>()?,
            output: model.node_id(&contract.output.name)?,
            model,
            threads,
            pools: Pool::new(threads_of(threads), (cores.get() / threads.get()).max(1)),
        }))
    }
}

/// The operators of the graphs that medclip writes and, in the last line, of their quantised forms. rten's others are left
/// out of the program.
fn operators() -> OpRegistry {
    op_registry!(
        Add,
        Cast,
        Clip,
        Concat,
        Conv,
        Div,
        Flatten,
        Gather,
        Gelu,
        Gemm,
        GlobalAveragePool,
        Identity,
        LayerNormalization,
        MatMul,
        Max,
        MaxPool,
        Mul,
        Pad,
        ReduceL2,
        ReduceMean,
        ReduceSum,
        Relu,
        Reshape,
        Shape,
        Slice,
        Softmax,
        Split,
        Squeeze,
        Sub,
        Transpose,
        Unsqueeze,
        ConvInteger,
        DequantizeLinear,
        DynamicQuantizeLinear,
        MatMulInteger,
        QuantizeLinear
    )
}

struct RtenSession {
    model: Model,
    inputs: Vec<NodeId>,
    output: NodeId,
    threads: NonZeroUsize,
    pools: Pool<Arc<ThreadPool>>,
}

impl Session for RtenSession {
    fn run(&self, inputs: &[TensorView<'_>]) -> Result<Tensor, EngineFailure> {
        let call = |pool: &mut Arc<ThreadPool>| {
            let named = self.inputs.iter().zip(inputs);
            let values = named.map(|(&id, input)| Ok((id, value(*input)?)));
            let values = values.collect::<Result<Vec<_>, EngineFailure>>()?;
            let options = RunOptions::default().with_thread_pool(Some(Arc::clone(pool)));
            let [output] = self.model.run_n(values, [self.output], Some(options))?;
            let (shape, values) = output.into_shape_vec::<f32, 2>()?;
            Ok(Tensor { shape: shape.to_vec(), values })
        };
        self.pools.with(|| Ok(threads_of(self.threads)), call)
    }
}

fn threads_of(count: NonZeroUsize) -> Arc<ThreadPool> {
    Arc::new(ThreadPool::with_num_threads(count.get()))
}

fn value(input: TensorView<'_>) -> Result<ValueOrView<'_>, EngineFailure> {
    Ok(match input.values {
        Values::F32(values) => ValueView::from_shape(input.shape, values)?.into(),
        Values::I64(values) => Value::from_shape(input.shape, narrowed(values)?)?.into(),
    })
}

/// A switch of [`REPORTS`] that is set.
#[derive(Debug, Error)]
#[error("{0} is set, and rten would print its report among the results; unset it")]
struct Reports(&'static str);

/// A number that does not fit into 32 bits.
#[derive(Debug, PartialEq, Error)]
#[error("{0} does not fit into 32 bits, and rten has no wider integers")]
struct TooWide(i64);

fn narrowed(values: &[i64]) -> Result<Vec<i32>, TooWide> {
    values.iter().map(|&value| i32::try_from(value).map_err(|_| TooWide(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_narrowed_or_refused_but_never_cut() {
        let widest = [i64::from(i32::MIN), -1, 0, i64::from(i32::MAX)];
        assert_eq!(narrowed(&widest), Ok(vec![i32::MIN, -1, 0, i32::MAX]));
        let beyond = i64::from(i32::MAX) + 1;
        assert_eq!(narrowed(&[0, beyond]), Err(TooWide(beyond)));
    }
}
