//! A builder of ONNX graphs whose values know their element type and rank.
//!
//! Operators ([`crate::op`]) are functions from values to values; what they may be applied to is checked by the
//! compiler, so building cannot fail. Only stored numbers can be at fault (not finite, or too large for half
//! precision): the first such fault is kept and returned by [`Graph::finish`].

pub(crate) mod attribute;
mod external;
mod file;
pub(crate) mod stored;
pub(crate) mod value;

use std::collections::HashSet;

use half::f16;

pub use external::ExternalData;
pub use file::OnnxFile;
pub(crate) use value::{Dimension, Element, Value, ValueId};

use crate::error::ExportError;
use crate::metadata::ModelInfo;
use crate::op::cast;
use crate::options::Storage;
use crate::tensor::Tensor;
use medclip_onnx::{AttributeProto, GraphProto, NodeProto, TensorProto};

/// A graph under construction. The same calls give the same bytes.
#[derive(Debug)]
pub(crate) struct Graph {
    storage: Storage,
    proto: GraphProto,
    /// Name of every value, by [`ValueId`].
    value_names: Vec<String>,
    /// The value of every initializer, in their order.
    initializer_values: Vec<ValueId>,
    taken_names: HashSet<String>,
    fault: Option<ExportError>,
}

impl Graph {
    /// An empty graph that stores its weights as `storage` says.
    pub(crate) fn new(name: &str, storage: Storage) -> Self {
        Self {
            storage,
            proto: GraphProto { name: Some(name.to_owned()), ..GraphProto::default() },
            value_names: Vec::new(),
            initializer_values: Vec::new(),
            taken_names: HashSet::new(),
            fault: None,
        }
    }

    /// How matrices and kernels are stored.
    pub(crate) const fn storage(&self) -> Storage {
        self.storage
    }

    /// Adds an input with the given sizes.
    pub(crate) fn input<T: Element, const RANK: usize>(
        &mut self,
        name: &str,
        shape: [Dimension; RANK],
        doc: &str,
    ) -> Value<T, RANK> {
        let id = self.new_value(name);
        let info = value::info::<T>(self.name(id), &shape, doc);
        self.proto.input.push(info);
        Value::new(id)
    }

    /// Makes `value` an output under `name`.
    pub(crate) fn output<T: Element, const RANK: usize>(
        &mut self,
        name: &str,
        value: Value<T, RANK>,
        shape: [Dimension; RANK],
        doc: &str,
    ) {
        let output = self.unique(name);
        self.proto.output.push(value::info::<T>(&output, &shape, doc));
        let old = std::mem::replace(&mut self.value_names[value.id().0], output.clone());
        for edge in self.proto.node.iter_mut().flat_map(|node| node.input.iter_mut().chain(&mut node.output))
        {
            if *edge == old {
                edge.clone_from(&output);
            }
        }
    }

    /// A constant, shared with an earlier one of equal type, shape and bytes.
    pub(crate) fn constant<T: Element, const RANK: usize>(
        &mut self,
        name: &str,
        tensor: &Tensor<T, RANK>,
    ) -> Value<T, RANK> {
        let dims: Vec<i64> = tensor.shape().iter().map(|&size| size as i64).collect();
        let mut bytes = Vec::with_capacity(size_of_val(tensor.data()));
        tensor.data().iter().for_each(|&element| element.append_to(&mut bytes));
        let data_type = Some(T::DATA_TYPE as i32);
        let equal = |known: &TensorProto| {
            known.data_type == data_type && known.dims == dims && known.raw_data.as_deref() == Some(&bytes)
        };
        if let Some((_, &id)) =
            self.proto.initializer.iter().zip(&self.initializer_values).find(|(known, _)| equal(known))
        {
            return Value::new(id);
        }
        let id = self.new_value(name);
        self.initializer_values.push(id);
        self.proto.initializer.push(TensorProto {
            dims,
            data_type,
            name: Some(self.name(id).to_owned()),
            raw_data: Some(bytes),
            ..TensorProto::default()
        });
        Value::new(id)
    }

    /// A trained single-precision constant that stays in single precision: biases, scales and offsets.
    pub(crate) fn parameter<const RANK: usize>(
        &mut self,
        name: &str,
        tensor: &Tensor<f32, RANK>,
    ) -> Value<f32, RANK> {
        if let Some(index) = tensor.data().iter().position(|value| !value.is_finite()) {
            self.fail(ExportError::NotFinite { name: name.to_owned(), index });
        }
        self.constant(name, tensor)
    }

    /// A matrix or kernel, stored as the options say and widened to single precision by a `Cast`, which
    /// engines fold while loading.
    pub(crate) fn weight<const RANK: usize>(
        &mut self,
        name: &str,
        tensor: &Tensor<f32, RANK>,
    ) -> Value<f32, RANK> {
        match self.storage {
            Storage::F32 => self.parameter(name, tensor),
            Storage::F16 => {
                let half = self.half(name, tensor);
                cast::to_f32(self, &format!("{name}.widened"), half)
            }
        }
    }

    /// The constant rounded to half precision.
    pub(crate) fn half<const RANK: usize>(
        &mut self,
        name: &str,
        tensor: &Tensor<f32, RANK>,
    ) -> Value<f16, RANK> {
        let half = tensor.map(|&value| f16::from_f32(value));
        let overflow = half.data().iter().zip(tensor.data()).find(|(half, _)| !half.is_finite());
        if let Some((_, &value)) = overflow {
            self.fail(ExportError::HalfOverflow { name: name.to_owned(), value });
        }
        self.constant(name, &half)
    }

    /// Applies `operator`, giving one value named `name`.
    pub(crate) fn node<T: Element, const RANK: usize>(
        &mut self,
        name: &str,
        operator: &str,
        inputs: &[ValueId],
        attributes: Vec<AttributeProto>,
    ) -> Value<T, RANK> {
        let [value] = self.node_with_outputs(name, operator, inputs, attributes);
        value
    }

    /// Applies `operator`, giving `N` values of one type.
    pub(crate) fn node_with_outputs<T: Element, const RANK: usize, const N: usize>(
        &mut self,
        name: &str,
        operator: &str,
        inputs: &[ValueId],
        attributes: Vec<AttributeProto>,
    ) -> [Value<T, RANK>; N] {
        let outputs: [ValueId; N] = std::array::from_fn(|index| {
            if N == 1 { self.new_value(name) } else { self.new_value(&format!("{name}.{index}")) }
        });
        let names = |ids: &[ValueId]| ids.iter().map(|&id| self.name(id).to_owned()).collect();
        let node = NodeProto {
            input: names(inputs),
            output: names(&outputs),
            name: outputs.first().map(|&id| self.name(id).to_owned()),
            op_type: Some(operator.to_owned()),
            attribute: attributes,
        };
        self.proto.node.push(node);
        outputs.map(Value::new)
    }

    /// The `.onnx` file.
    ///
    /// # Errors
    /// The first [`ExportError::NotFinite`] or [`ExportError::HalfOverflow`] met while building;
    /// [`ExportError::TooLarge`] beyond what protobuf can hold.
    pub(crate) fn finish(self, info: ModelInfo) -> Result<OnnxFile, ExportError> {
        match self.fault {
            Some(fault) => Err(fault),
            None => OnnxFile::new(self.proto, info),
        }
    }

    fn fail(&mut self, fault: ExportError) {
        self.fault.get_or_insert(fault);
    }

    fn name(&self, id: ValueId) -> &str {
        &self.value_names[id.0]
    }

    fn new_value(&mut self, name: &str) -> ValueId {
        let name = self.unique(name);
        self.value_names.push(name);
        ValueId(self.value_names.len() - 1)
    }

    fn unique(&mut self, name: &str) -> String {
        let mut unique = name.to_owned();
        let mut count = 1;
        while !self.taken_names.insert(unique.clone()) {
            count += 1;
            unique = format!("{name}.{count}");
        }
        unique
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use medclip_onnx::{Message, ModelProto};

    fn finish(graph: Graph) -> Vec<u8> {
        graph.finish(ModelInfo::default()).unwrap().into_bytes()
    }

    fn decode(graph: Graph) -> GraphProto {
        ModelProto::decode(&finish(graph)[..]).unwrap().graph.unwrap()
    }

    fn sample() -> Graph {
        let mut graph = Graph::new("sample", Storage::F32);
        let x: Value<f32, 2> = graph.input("x", [Dimension::Symbol("batch"), Dimension::Fixed(2)], "input");
        let one = graph.constant("one", &Tensor::vector(vec![1.0_f32, 1.0]));
        let again = graph.constant("uno", &Tensor::vector(vec![1.0_f32, 1.0]));
        assert_eq!(one.id(), again.id());
        let y: Value<f32, 2> = graph.node("sum", "Add", &[x.id(), one.id()], vec![]);
        let z: Value<f32, 2> = graph.node("sum", "Add", &[y.id(), again.id()], vec![]);
        graph.output("z", z, [Dimension::Symbol("batch"), Dimension::Fixed(2)], "output");
        graph
    }

    #[test]
    fn equal_constants_are_stored_once_and_names_stay_unique() {
        let proto = decode(sample());
        assert_eq!(proto.initializer.len(), 1);
        assert_eq!(proto.node[0].output, ["sum"]);
        assert_eq!(proto.node[1].input, ["sum", "one"]);
        assert_eq!(proto.node[1].output, ["z"], "an output renames its value");
        assert_eq!(proto.node[1].name.as_deref(), Some("sum.2"));
    }

    #[test]
    fn constants_of_other_type_or_shape_are_kept_apart() {
        let mut graph = Graph::new("sample", Storage::F32);
        let flat = graph.constant("c", &Tensor::vector(vec![0_i64]));
        let scalar = graph.constant("c", &Tensor::scalar(0_i64));
        let float = graph.constant("c", &Tensor::new([1], vec![0.0_f32]).unwrap());
        assert!(flat.id() != scalar.id() && scalar.id() != float.id() && flat.id() != float.id());
    }

    #[test]
    fn the_same_calls_give_the_same_bytes() {
        assert_eq!(finish(sample()), finish(sample()));
    }

    #[test]
    fn bad_numbers_fail_by_name() {
        let mut graph = Graph::new("sample", Storage::F16);
        graph.weight("big", &Tensor::vector(vec![1.0, 1e6]));
        graph.parameter("later", &Tensor::vector(vec![f32::NAN]));
        let error = graph.finish(ModelInfo::default()).unwrap_err();
        assert!(
            matches!(error, ExportError::HalfOverflow { ref name, value } if name == "big" && value == 1e6)
        );

        let mut graph = Graph::new("sample", Storage::F32);
        graph.weight("w", &Tensor::vector(vec![0.0, f32::INFINITY]));
        let error = graph.finish(ModelInfo::default()).unwrap_err();
        assert!(matches!(error, ExportError::NotFinite { ref name, index: 1 } if name == "w"));
    }

    #[test]
    fn half_storage_widens_through_a_cast() {
        let mut graph = Graph::new("sample", Storage::F16);
        let weight = graph.weight("w", &Tensor::vector(vec![0.1]));
        graph.output("y", weight, [Dimension::Fixed(1)], "output");
        let proto = decode(graph);
        assert_eq!(proto.initializer[0].raw_data.as_deref(), Some(&f16::from_f32(0.1).to_le_bytes()[..]));
        assert_eq!(proto.node[0].op_type.as_deref(), Some("Cast"));
    }
}
