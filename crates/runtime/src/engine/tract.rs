//! [tract](https://github.com/sonos/tract) as an engine.
//!
//! tract is fastest on concrete shapes and gains nothing from batching convolutions, so a session runs every row on its
//! own through one optimised plan per shape of a row. Several rows run side by side on the threads the session may use;
//! a lone row spreads its matrix products over them.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;
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

use super::{Engine, EngineFailure, GraphSource, PrepareError, Session, Tensor, TensorView, Values};
use crate::graph::{Dimension, GraphContract, GraphInfo, Port};

/// The engine; it needs nothing of the machine.
#[derive(Debug)]
pub(super) struct TractEngine;

impl Engine for TractEngine {
    fn name(&self) -> &'static str {
        "tract"
    }

    fn check(&self) -> Result<(), EngineFailure> {
        Ok(())
    }

    fn prepare(
        &self,
        graph: GraphSource<'_>,
        contract: &GraphContract,
        threads: NonZeroUsize,
    ) -> Result<Box<dyn Session>, PrepareError> {
        let proto = read(graph).map_err(failure)?;
        let info = describe(&proto);
        contract.verify(&info)?;
        let model = onnx().model_for_proto_model(&proto).map_err(failure)?;
        drop(proto);
        let plans = match fixed_row_shapes(contract) {
            Some(shapes) => Plans::Fixed(plan(model, &shapes).map_err(failure)?),
            None => Plans::ByShape { model: Box::new(model), cache: Mutex::default() },
        };
        Ok(Box::new(TractSession { info, plans, threads, pool: OnceLock::new() }))
    }
}

/// Reads what the file at `graph` says of itself.
pub(crate) fn graph_info(graph: &Path) -> Result<GraphInfo, EngineFailure> {
    read(GraphSource::File(graph)).map(|proto| describe(&proto)).map_err(EngineFailure::from)
}

fn read(graph: GraphSource<'_>) -> TractResult<pb::ModelProto> {
    match graph {
        GraphSource::File(path) => onnx().proto_model_for_path(path),
        GraphSource::Bytes(mut bytes) => onnx().proto_model_for_read(&mut bytes),
    }
}

struct TractSession {
    info: GraphInfo,
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
    fn info(&self) -> &GraphInfo {
        &self.info
    }

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

fn describe(proto: &pb::ModelProto) -> GraphInfo {
    let is_default = |domain: &str| domain.is_empty() || domain == "ai.onnx";
    let opset = proto.opset_import.iter().find(|import| is_default(&import.domain));
    let empty = pb::GraphProto::default();
    let graph = proto.graph.as_ref().unwrap_or(&empty);
    let is_stored = |name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
    let elements =
        |tensor: &pb::TensorProto| tensor.dims.iter().map(|&size| size.max(0) as u64).product::<u64>();
    // A declared output that nothing makes counts as none.
    let is_made = |name: &str| graph.node.iter().any(|node| node.output.iter().any(|output| output == name));
    GraphInfo {
        ir_version: proto.ir_version,
        opset: opset.map_or(0, |import| import.version),
        producer: proto.producer_name.clone(),
        nodes: graph.node.len(),
        parameters: graph.initializer.iter().map(elements).sum(),
        inputs: graph.input.iter().filter(|input| !is_stored(&input.name)).map(port).collect(),
        outputs: graph.output.iter().filter(|output| is_made(&output.name)).map(port).collect(),
        metadata: proto.metadata_props.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect(),
    }
}

fn port(info: &pb::ValueInfoProto) -> Port {
    use pb::tensor_shape_proto::dimension::Value as Size;
    use pb::type_proto::Value::TensorType;
    let tensor = match info.r#type.as_ref().and_then(|r#type| r#type.value.as_ref()) {
        Some(TensorType(tensor)) => tensor,
        None => &pb::type_proto::Tensor::default(),
    };
    let element = pb::tensor_proto::DataType::try_from(tensor.elem_type)
        .map_or_else(|_| "unknown".to_owned(), |element| element.as_str_name().to_lowercase());
    let dimensions = tensor.shape.iter().flat_map(|shape| &shape.dim);
    let shape = dimensions.map(|dimension| match &dimension.value {
        Some(Size::DimValue(size)) if *size > 0 => Dimension::Fixed(*size as usize),
        Some(Size::DimParam(name)) => Dimension::Free(name.clone()),
        _ => Dimension::Free("?".to_owned()),
    });
    Port { name: info.name.clone(), element, shape: shape.collect() }
}

fn failure(error: TractError) -> PrepareError {
    PrepareError::Engine(error.into())
}
