//! [tract](https://github.com/sonos/tract) as an engine.
//!
//! tract gains nothing from batching convolutions, so a session runs every row on its own, through one optimized plan in
//! which an axis that differs between rows, as the tokens of sentences do, has a symbol for its size. Several rows run side
//! by side on the threads the session may use; a lone row spreads its matrix products over them.

#[cfg(target_arch = "x86_64")]
mod depthwise;
mod file;
mod plan;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use tract_onnx::prelude::multithread::{Executor, multithread_tract_scope};
use tract_onnx::prelude::{
    Framework, TValue, TVec, Tensor as TractTensor, TractError, TractResult, TypedRunnableModel, onnx,
};

use super::{Engine, EngineFailure, GraphSource, Session, Tensor, TensorView, Values, joined};
use crate::graph::{GraphContract, GraphInfo};

/// The engine; it needs nothing of the machine.
#[derive(Debug)]
pub(super) struct TractEngine;

impl Engine for TractEngine {
    fn check(&self) -> Result<(), EngineFailure> {
        Ok(())
    }

    fn prepare(
        &self,
        graph: GraphSource<'_>,
        _info: &GraphInfo,
        contract: &GraphContract,
        threads: NonZeroUsize,
    ) -> Result<Box<dyn Session>, EngineFailure> {
        let model = match graph {
            GraphSource::File(path) => file::load(path)?,
            GraphSource::Bytes(mut bytes) => onnx().model_for_read(&mut bytes)?,
        };
        Ok(Box::new(TractSession { plan: plan::plan(model, contract)?, threads, pool: OnceLock::new() }))
    }
}

struct TractSession {
    plan: Arc<TypedRunnableModel>,
    threads: NonZeroUsize,
    /// Shares out the matrix products of a lone row; made when the first one comes.
    pool: OnceLock<Executor>,
}

impl Session for TractSession {
    fn run(&self, inputs: &[TensorView<'_>]) -> Result<Vec<Tensor>, EngineFailure> {
        let rows = inputs.iter().map(|input| input.shape.first().copied().unwrap_or(0)).min().unwrap_or(0);
        let parts = match (rows, self.threads.get()) {
            (1, threads @ 2..) => {
                let pool = self.pool.get_or_init(|| Executor::multithread(threads)).clone();
                vec![multithread_tract_scope(pool, || run_row(&self.plan, inputs, 0))?]
            }
            (rows, threads) => run_rows(&self.plan, inputs, rows, threads.min(rows))?,
        };
        Ok(joined(parts, rows))
    }
}

/// One output per row, in order, the rows shared out over `threads` threads.
fn run_rows(
    plan: &Arc<TypedRunnableModel>,
    inputs: &[TensorView<'_>],
    rows: usize,
    threads: usize,
) -> TractResult<Vec<Vec<Tensor>>> {
    if threads <= 1 {
        return (0..rows).map(|row| run_row(plan, inputs, row)).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let row = next.fetch_add(1, Ordering::Relaxed);
            if row >= rows {
                return done;
            }
            done.push((row, run_row(plan, inputs, row)));
        }
    };
    let mut done: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for worker in workers {
            match worker.join() {
                Ok(rows) => done.extend(rows),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(row, _)| *row);
    done.into_iter().map(|(_, output)| output).collect()
}

fn run_row(
    plan: &Arc<TypedRunnableModel>,
    inputs: &[TensorView<'_>],
    row: usize,
) -> TractResult<Vec<Tensor>> {
    let inputs = inputs.iter().map(|input| row_tensor(*input, row)).collect::<TractResult<TVec<_>>>()?;
    plan.run(inputs)?
        .into_iter()
        .map(|output| {
            let values = output.try_as_plain_ram()?.as_slice::<f32>()?.to_vec();
            Ok(Tensor { shape: output.shape().to_vec(), values })
        })
        .collect()
}

fn row_tensor(input: TensorView<'_>, row: usize) -> TractResult<TValue> {
    let shape = row_shape(input.shape);
    let tensor = match input.values {
        Values::F32(values) => TractTensor::from_shape(&shape, nth_row(values, row, &shape)?),
        Values::I64(values) => TractTensor::from_shape(&shape, nth_row(values, row, &shape)?),
    };
    tensor.map(TValue::from)
}

fn nth_row<'a, T>(values: &'a [T], row: usize, shape: &[usize]) -> TractResult<&'a [T]> {
    let len: usize = shape.iter().product();
    let found = values.get(row * len..(row + 1) * len);
    found
        .ok_or_else(|| TractError::msg(format!("row {row} of {shape:?} lies beyond {} values", values.len())))
}

fn row_shape(shape: &[usize]) -> Vec<usize> {
    let mut shape = shape.to_vec();
    if let Some(leading) = shape.first_mut() {
        *leading = 1;
    }
    shape
}
