//! [tract](https://github.com/sonos/tract) as an engine.
//!
//! tract is fastest on concrete shapes and gains nothing from batching convolutions, so a session runs every row on its
//! own through one optimised plan per shape of a row. Several rows run side by side on the threads the session may use;
//! a lone row spreads its matrix products over them.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use tract_onnx::pb;
use tract_onnx::prelude::multithread::{Executor, multithread_tract_scope};
use tract_onnx::prelude::{
    Datum, Framework, InferenceFact, InferenceModel, InferenceModelExt, IntoRunnable, IntoTensor, TValue,
    TVec, Tensor as TractTensor, TractError, TractResult, TypedRunnableModel, onnx,
};
use tract_onnx::tract_hir::infer::Factoid;

use super::{Engine, EngineFailure, GraphSource, Session, Tensor, TensorView, Values};
use crate::graph::{Dimension, GraphContract};

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
        contract: &GraphContract,
        threads: NonZeroUsize,
    ) -> Result<Box<dyn Session>, EngineFailure> {
        let model = onnx().model_for_proto_model(&read(graph)?)?;
        let plans = match fixed_row_shapes(contract) {
            Some(shapes) => Plans::Fixed(plan(model, &shapes)?),
            None => Plans::ByShape { model: Box::new(model), cache: Mutex::default() },
        };
        Ok(Box::new(TractSession { plans, threads, pool: OnceLock::new() }))
    }
}

fn read(graph: GraphSource<'_>) -> TractResult<pb::ModelProto> {
    match graph {
        GraphSource::File(path) => onnx().proto_model_for_path(path),
        GraphSource::Bytes(mut bytes) => onnx().proto_model_for_read(&mut bytes),
    }
}

struct TractSession {
    plans: Plans,
    threads: NonZeroUsize,
    /// Shares out the matrix products of a lone row; made when the first one comes.
    pool: OnceLock<Executor>,
}

/// Shapes of one row of every input, its leading axis being 1.
type RowShapes = Vec<Vec<usize>>;
type Plan = Arc<TypedRunnableModel>;

enum Plans {
    /// Every row has the shape the contract fixes; the unoptimised graph and its copy of the weights are gone.
    Fixed(Plan),
    /// Rows differ, as sentences do; a plan is made when its shape is first seen.
    ByShape { model: Box<InferenceModel>, cache: Mutex<HashMap<RowShapes, Plan>> },
}

impl Session for TractSession {
    fn run(&self, inputs: &[TensorView<'_>]) -> Result<Tensor, EngineFailure> {
        let rows = inputs.iter().map(|input| input.shape.first().copied().unwrap_or(0)).min().unwrap_or(0);
        let shapes = inputs.iter().map(|input| row_shape(input.shape)).collect();
        let plan = self.plans.get(shapes)?;
        let outputs = match (rows, self.threads.get()) {
            (1, threads @ 2..) => {
                let pool = self.pool.get_or_init(|| Executor::multithread(threads)).clone();
                vec![multithread_tract_scope(pool, || run_row(&plan, inputs, 0))?]
            }
            (rows, threads) => run_rows(&plan, inputs, rows, threads.min(rows))?,
        };
        let mut shape = outputs.first().map_or_else(Vec::new, |row| row.shape().to_vec());
        if let Some(leading) = shape.first_mut() {
            *leading = rows;
        }
        let mut values = Vec::with_capacity(shape.iter().product());
        for row in &outputs {
            values.extend_from_slice(row.try_as_plain_ram()?.as_slice::<f32>()?);
        }
        Ok(Tensor { shape, values })
    }
}

impl Plans {
    fn get(&self, shapes: RowShapes) -> TractResult<Plan> {
        match self {
            Self::Fixed(plan) => Ok(Arc::clone(plan)),
            Self::ByShape { model, cache } => {
                // Held while a plan is made, so that a shape is never optimised twice.
                let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(plan) = cache.get(&shapes) {
                    return Ok(Arc::clone(plan));
                }
                let made = plan((**model).clone(), &shapes)?;
                cache.insert(shapes, Arc::clone(&made));
                Ok(made)
            }
        }
    }
}

/// Optimises `model` for inputs of exactly these shapes.
fn plan(mut model: InferenceModel, shapes: &RowShapes) -> TractResult<Plan> {
    for (input, shape) in shapes.iter().enumerate() {
        let element = model.input_fact(input)?.datum_type.concretize().unwrap_or_else(f32::datum_type);
        model = model.with_input_fact(input, InferenceFact::dt_shape(element, shape))?;
    }
    model.into_optimized()?.into_runnable()
}

/// One output per row, in order, the rows shared out over `threads` threads.
fn run_rows(
    plan: &Plan,
    inputs: &[TensorView<'_>],
    rows: usize,
    threads: usize,
) -> TractResult<Vec<TractTensor>> {
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

fn run_row(plan: &Plan, inputs: &[TensorView<'_>], row: usize) -> TractResult<TractTensor> {
    let inputs = inputs.iter().map(|input| row_tensor(*input, row)).collect::<TractResult<TVec<_>>>()?;
    let outputs = plan.run(inputs)?;
    let output = outputs.into_iter().next().ok_or_else(|| TractError::msg("the graph gave no output"))?;
    Ok(output.into_tensor())
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

/// The shape of every input's row, when only the leading axis is free.
fn fixed_row_shapes(contract: &GraphContract) -> Option<RowShapes> {
    let size = |(axis, dimension): (usize, &Dimension)| match dimension {
        _ if axis == 0 => Some(1),
        Dimension::Fixed(size) => Some(*size),
        Dimension::Free(_) => None,
    };
    contract.inputs.iter().map(|port| port.shape.iter().enumerate().map(size).collect()).collect()
}
