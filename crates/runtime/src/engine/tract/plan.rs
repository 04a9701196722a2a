//! From a graph as it was read to the plan that runs it.

use std::sync::Arc;

use tract_onnx::prelude::{
    Datum, DatumType, InferenceFact, InferenceModel, InferenceModelExt, IntoRunnable, SpecialOps, TDim, TVec,
    TractResult, TypedModel, TypedModelPatch, TypedRunnableModel,
};
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_hir::infer::Factoid;

use crate::graph::{Dimension, GraphContract};

/// Optimizes `model` for one row of every input.
pub(super) fn plan(
    mut model: InferenceModel,
    contract: &GraphContract,
) -> TractResult<Arc<TypedRunnableModel>> {
    let symbols = model.symbols.clone();
    for (input, port) in contract.inputs.iter().enumerate() {
        let size = |(axis, dimension): (usize, &Dimension)| match dimension {
            _ if axis == 0 => TDim::from(1),
            Dimension::Fixed(size) => TDim::from(*size),
            Dimension::Free(name) => symbols.sym(name).into(),
        };
        let shape: TVec<TDim> = port.shape.iter().enumerate().map(size).collect();
        let element = model.input_fact(input)?.datum_type.concretize().unwrap_or_else(f32::datum_type);
        model = model.with_input_fact(input, InferenceFact::dt_shape(element, shape))?;
    }
    model.select_outputs_by_name(contract.computed())?;
    let mut model = model.into_typed()?;
    widen_stored_weights(&mut model)?;
    model.into_optimized()?.into_runnable()
}

/// Makes single precision of weights that are stored in half precision. tract folds nothing that grows by it, and would
/// widen them in every call.
fn widen_stored_weights(model: &mut TypedModel) -> TractResult<()> {
    for node in 0..model.nodes().len() {
        let cast = model.node(node);
        if cast.op_as::<Cast>().is_none_or(|cast| cast.to != DatumType::F32) {
            continue;
        }
        let stored = model.outlet_fact(cast.inputs[0])?.konst.clone();
        let Some(stored) = stored.filter(|stored| stored.datum_type() == DatumType::F16) else { continue };
        let name = cast.name.clone();
        let mut patch = TypedModelPatch::default();
        let wide = patch.add_const(name, stored.cast_to::<f32>()?.into_owned())?;
        patch.shunt_outside(model, node.into(), wide)?;
        patch.apply(model)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use medclip_core::architecture::TextPooling;
    use medclip_core::graph::IMAGE_EMBEDDINGS;
    use medclip_export::{Checkpoint, GraphOptions, image_graph};
    use medclip_tests::{random_checkpoint, tiny_config, tiny_published_configs};
    use tempfile::TempDir;
    use tract_onnx::prelude::{DatumExt, Framework, IntoTensor, Tensor, f16, onnx, tvec};
    use tract_onnx::tract_core::ops::math::add;

    use super::*;

    /// More than tract folds by itself.
    const WEIGHTS: usize = 3 << 19;

    fn biased() -> TypedModel {
        let mut model = TypedModel::default();
        let values = Tensor::from_shape(&[1, WEIGHTS], &vec![0.5_f32; WEIGHTS]).unwrap();
        let stored = model.add_const("stored", values.cast_to::<f16>().unwrap().into_owned()).unwrap();
        let pixels = model.add_source("pixels", f32::fact([1, WEIGHTS])).unwrap();
        let wide = model.wire_node("wide", Cast { to: DatumType::F32 }, &[stored]).unwrap();
        let sum = model.wire_node("sum", add(), &[pixels, wide[0]]).unwrap();
        model.select_output_outlets(&sum).unwrap();
        model
    }

    fn casts(model: &TypedModel) -> usize {
        model.nodes().iter().filter(|node| node.op_is::<Cast>()).count()
    }

    #[test]
    fn a_map_that_is_not_asked_for_leaves_nothing_in_the_plan() {
        let [swin, resnet] = tiny_published_configs();
        for config in [tiny_config(TextPooling::Masked), swin, resnet] {
            let directory = TempDir::new().unwrap();
            random_checkpoint(directory.path(), &config, 7);
            let checkpoint = Checkpoint::open(directory.path()).unwrap();
            let (architecture, preprocess) = (&config.architecture, &config.preprocess);
            let graph = image_graph(architecture, preprocess, checkpoint.weights(), &GraphOptions::default());
            let whole = graph.unwrap().into_bytes();
            let without = medclip_onnx::select(&whole, &[IMAGE_EMBEDDINGS]).unwrap();
            let operators = |mut graph: &[u8], contract: &GraphContract| -> Vec<String> {
                let plan = plan(onnx().model_for_read(&mut graph).unwrap(), contract).unwrap();
                plan.model().nodes().iter().map(|node| node.op.name().into_owned()).collect()
            };
            let contract = GraphContract::image(&config);
            let what = format!("{:?}", architecture.image);
            assert_eq!(operators(&whole, &contract), operators(&without, &contract), "{what}");
            let mapped = operators(&whole, &contract.clone().with_map());
            assert!(mapped.len() > operators(&whole, &contract).len(), "{what}");
        }
    }

    #[test]
    fn half_precision_is_widened_once() {
        assert_eq!(casts(&biased().into_optimized().unwrap()), 1, "tract does it by itself now");
        let mut model = biased();
        widen_stored_weights(&mut model).unwrap();
        let model = model.into_optimized().unwrap();
        assert_eq!(casts(&model), 0);
        let pixels = Tensor::from_shape(&[1, WEIGHTS], &vec![1.0_f32; WEIGHTS]).unwrap();
        let sums = model.into_runnable().unwrap().run(tvec![pixels.into()]).unwrap().remove(0).into_tensor();
        assert!(sums.try_as_plain_ram().unwrap().as_slice::<f32>().unwrap().iter().all(|&sum| sum == 1.5));
    }
}
