//! A tower's graph with all its values, from the files that were verified.

use std::ops::Range;

use candle_onnx::onnx::tensor_proto::DataLocation;
use candle_onnx::onnx::{ModelProto, TensorProto};
use medclip_runtime::{Bundle, BundleFile, Precision, TowerKind};
use prost::Message;

use super::graph::Graph;
use crate::verify::error::CandleError;

/// Reads a tower.
///
/// # Errors
/// [`CandleError`] where the bundle lacks it, a file changed, or the graph is none that candle evaluates.
pub(super) fn tower(bundle: &Bundle, tower: TowerKind, precision: Precision) -> Result<Graph, CandleError> {
    if !bundle.has(tower, precision) {
        return Err(CandleError::NoSuchPrecision { tower, precision });
    }
    let [graph, weights] = BundleFile::tower(tower, precision);
    let bytes = bundle.read(graph).map_err(CandleError::Bundle)?;
    let mut model = ModelProto::decode(&*bytes).map_err(|source| CandleError::NotOnnx { tower, source })?;
    let tensors = model.graph.iter_mut().flat_map(|graph| &mut graph.initializer);
    let outside: Vec<_> = tensors.filter(|tensor| tensor.data_location() == DataLocation::External).collect();
    if !outside.is_empty() {
        let values = bundle.read(weights).map_err(CandleError::Bundle)?;
        for tensor in outside {
            let found = range(tensor, weights.file_name()).and_then(|range| values.get(range));
            let Some(found) = found else {
                return Err(CandleError::ExternalData { tower, name: tensor.name.clone() });
            };
            tensor.raw_data = found.to_vec();
            tensor.external_data.clear();
            tensor.set_data_location(DataLocation::Default);
        }
    }
    Graph::new(model)
}

/// Where the values of a tensor lie in the file called `file`.
fn range(tensor: &TensorProto, file: &str) -> Option<Range<usize>> {
    let told = |key: &str| tensor.external_data.iter().find(|entry| entry.key == key);
    let number = |key: &str| told(key)?.value.parse::<usize>().ok();
    let start = if told("offset").is_some() { number("offset")? } else { 0 };
    let is_there = told("location").is_some_and(|entry| entry.value == file);
    is_there.then_some(start..start.checked_add(number("length")?)?)
}
