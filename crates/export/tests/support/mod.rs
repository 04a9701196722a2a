//! The golden checkpoint, and tract to run its graphs.

use std::path::{Path, PathBuf};

use medclip_export::Checkpoint;
use tract_onnx::prelude::*;

pub(crate) fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file)
}

pub(crate) fn checkpoint() -> Checkpoint {
    Checkpoint::open(golden("checkpoint")).unwrap()
}

/// Runs the graph with the shapes of its inputs known, as the runtime does.
pub(crate) fn run(graph: &[u8], inputs: &[&Tensor]) -> Tensor {
    let mut model = onnx().model_for_read(&mut &*graph).unwrap();
    for (index, input) in inputs.iter().enumerate() {
        model.set_input_fact(index, InferenceFact::dt_shape(input.datum_type(), input.shape())).unwrap();
    }
    run_optimized(model, inputs)
}

/// Runs the graph with batch and sequence left open.
#[allow(dead_code, reason = "not every test needs it")]
pub(crate) fn run_symbolic(graph: &[u8], inputs: &[&Tensor]) -> Tensor {
    run_optimized(onnx().model_for_read(&mut &*graph).unwrap(), inputs)
}

fn run_optimized(model: InferenceModel, inputs: &[&Tensor]) -> Tensor {
    let plan = model.into_optimized().unwrap().into_runnable().unwrap();
    let inputs = inputs.iter().map(|&input| input.clone().into()).collect();
    plan.run(inputs).unwrap().remove(0).into_tensor()
}

pub(crate) fn values(tensor: &Tensor) -> &[f32] {
    tensor.try_as_plain_ram().unwrap().as_slice().unwrap()
}
