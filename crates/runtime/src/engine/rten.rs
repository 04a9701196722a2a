//! [rten](https://github.com/robertknight/rten) as an engine.
//!
//! Nothing of a loaded graph depends on the size of a batch. Where several threads may be used, a batch is cut into as many
//! parts, each on one thread; a lone row has all of them. Callers from several threads get threads of their own, up to as
//! many as the processor has cores. What is computed once, while a graph is loaded, rten computes on a pool of its own: one
//! thread for each physical core, or as many as `RTEN_NUM_THREADS` says.
//!
//! rten has no 64-bit integers and no half precision: tokens are narrowed, and it widens weights when it reads them.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::{env, iter, thread};

use rten::{
    Model, ModelOptions, NodeId, OpRegistry, RunOptions, ThreadPool, Value, ValueOrView, ValueView,
    op_registry,
};
use thiserror::Error;

use super::pool::Pool;
use super::{Engine, EngineFailure, GraphSource, Session, Tensor, TensorView, Values, joined};
use crate::graph::{GraphContract, GraphInfo};
use crate::options::{Prepack, RtenOptions};

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
        info: &GraphInfo,
        contract: &GraphContract,
        threads: NonZeroUsize,
    ) -> Result<Box<dyn Session>, EngineFailure> {
        let mut options = ModelOptions::with_ops(operators());
        let prepack = match self.options.prepack {
            Prepack::EightBit => info.integer_products > 0,
            Prepack::All => true,
            Prepack::None => false,
        };
        options.enable_optimization(self.options.optimize).prepack_weights(prepack);
        let model = match graph {
            GraphSource::File(path) => options.load_file(path)?,
            GraphSource::Bytes(bytes) => options.load(bytes.to_vec())?,
        };
        let inputs = contract.inputs.iter().map(|port| model.node_id(&port.name));
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Ok(Box::new(RtenSession {
            inputs: inputs.collect::<Result<_, _>>()?,
            outputs: contract
                .computed()
                .into_iter()
                .map(|name| model.node_id(name))
                .collect::<Result<_, _>>()?,
            model,
            threads,
            together: Pool::empty((cores.get() / threads.get()).max(1)),
            apart: Pool::empty(cores.max(threads).get()),
        }))
    }
}

/// The operators of the graphs that medclip writes and, the last five, of their quantized forms. rten's others are left out of
/// the program.
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
    outputs: Vec<NodeId>,
    threads: NonZeroUsize,
    /// Of as many threads as one call may use.
    together: Pool<Arc<ThreadPool>>,
    /// Of one thread each.
    apart: Pool<Arc<ThreadPool>>,
}

impl Session for RtenSession {
    fn run(&self, inputs: &[TensorView<'_>]) -> Result<Vec<Tensor>, EngineFailure> {
        let rows = inputs.iter().map(|input| input.shape.first().copied().unwrap_or(0)).min().unwrap_or(0);
        let parts = rows.min(self.threads.get());
        if parts < 2 {
            return self.together.with(|| Ok(pool_of(self.threads)), |pool| self.call(pool, inputs, 0..rows));
        }
        let part = |index: usize| {
            let rows = rows * index / parts..rows * (index + 1) / parts;
            self.apart.with(|| Ok(pool_of(NonZeroUsize::MIN)), |pool| self.call(pool, inputs, rows.clone()))
        };
        let outputs = thread::scope(|scope| {
            let part = &part;
            let others: Vec<_> = (1..parts).map(|index| scope.spawn(move || part(index))).collect();
            let first = part(0);
            let others =
                others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
            iter::once(first).chain(others).collect::<Vec<_>>()
        });
        let outputs = outputs.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(joined(outputs, rows))
    }
}

impl RtenSession {
    /// Runs some rows of the inputs on `pool`.
    fn call(
        &self,
        pool: &Arc<ThreadPool>,
        inputs: &[TensorView<'_>],
        rows: Range<usize>,
    ) -> Result<Vec<Tensor>, EngineFailure> {
        let named = self.inputs.iter().zip(inputs);
        let values = named.map(|(&id, input)| Ok((id, value(*input, rows.clone())?)));
        let values = values.collect::<Result<Vec<_>, EngineFailure>>()?;
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(pool)));
        let outputs = self.model.run(values, &self.outputs, Some(options))?;
        // The embeddings have rows and columns, maps have two axes more.
        let tensor = |(index, output): (usize, Value)| {
            let (shape, values) = if index == 0 {
                let (shape, values) = output.into_shape_vec::<f32, 2>()?;
                (shape.to_vec(), values)
            } else {
                let (shape, values) = output.into_shape_vec::<f32, 4>()?;
                (shape.to_vec(), values)
            };
            Ok(Tensor { shape, values })
        };
        outputs.into_iter().enumerate().map(tensor).collect()
    }
}

fn pool_of(threads: NonZeroUsize) -> Arc<ThreadPool> {
    Arc::new(ThreadPool::with_num_threads(threads.get()))
}

/// Some rows of an input.
fn value(input: TensorView<'_>, rows: Range<usize>) -> Result<ValueOrView<'_>, EngineFailure> {
    let mut shape = input.shape.to_vec();
    if let Some(leading) = shape.first_mut() {
        *leading = rows.len();
    }
    let length: usize = shape.iter().skip(1).product();
    let part = rows.start * length..rows.end * length;
    let missing = || format!("rows {rows:?} of {:?} lie beyond the values", input.shape);
    Ok(match input.values {
        Values::F32(values) => ValueView::from_shape(shape, values.get(part).ok_or_else(missing)?)?.into(),
        Values::I64(values) => {
            Value::from_shape(shape, narrowed(values.get(part).ok_or_else(missing)?)?)?.into()
        }
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
