//! A graph in operators that candle-onnx evaluates as ONNX defines them.
//!
//! candle-onnx 0.11 lacks `GlobalAveragePool`, `LayerNormalization` and `Max`, refuses padding, and evaluates a few others
//! otherwise than ONNX does: `ReduceMean` takes no axes from an input and then averages over everything, `Unsqueeze` inserts
//! several axes in the wrong places, `Shape` has its end inclusive. Each of these becomes operators whose evaluation was compared
//! with a direct computation. An operator that is neither among those nor in [`AS_IT_IS`] is refused by name.

mod border;
mod builder;
mod maximum;
mod normalize;
mod reduce;
mod shape;

use candle_onnx::onnx::ModelProto;

use crate::verify::error::CandleError;
use builder::Builder;

/// Operators of bundles' graphs that candle-onnx evaluates rightly.
const AS_IT_IS: [&str; 18] = [
    "Add",
    "Cast",
    "Clip",
    "Concat",
    "Conv",
    "Div",
    "Flatten",
    "Gather",
    "Gelu",
    "MatMul",
    "Mul",
    "Relu",
    "Reshape",
    "Slice",
    "Softmax",
    "Sqrt",
    "Sub",
    "Transpose",
];

/// Rewrites every node that needs it.
///
/// # Errors
/// [`CandleError::Operator`].
pub(super) fn rewrite(mut model: ModelProto) -> Result<ModelProto, CandleError> {
    let Some(graph) = &mut model.graph else { return Ok(model) };
    let nodes = std::mem::take(&mut graph.node);
    let mut builder = Builder::new(std::mem::take(&mut graph.initializer));
    for node in nodes {
        match node.op_type.as_str() {
            "GlobalAveragePool" => reduce::global_average(&mut builder, &node)?,
            "LayerNormalization" => normalize::layer(&mut builder, &node)?,
            "Max" => maximum::maximum(&mut builder, &node)?,
            "MaxPool" => border::max_pool(&mut builder, node)?,
            "Pad" => border::pad(&mut builder, &node)?,
            "ReduceL2" => reduce::l2(&mut builder, &node)?,
            "ReduceMean" => reduce::mean(&mut builder, node)?,
            "ReduceSum" => reduce::sum(&mut builder, node)?,
            "Shape" => shape::shape(&mut builder, node)?,
            "Split" => shape::split(&mut builder, node)?,
            "Unsqueeze" => shape::unsqueeze(&mut builder, &node)?,
            operator if AS_IT_IS.contains(&operator) => builder.keep(node),
            _ => return Err(builder::refuse(&node, "it is not among those that were checked")),
        }
    }
    (graph.node, graph.initializer) = builder.finish();
    Ok(model)
}
