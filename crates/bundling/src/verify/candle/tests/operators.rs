//! Each rewritten operator on its own.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use candle_onnx::onnx::attribute_proto::AttributeType;
use candle_onnx::onnx::tensor_proto::DataType;
use candle_onnx::onnx::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};
use candle_onnx::simple_eval;

use crate::verify::candle::rewrite::rewrite;
use crate::verify::error::CandleError;

fn node(operator: &str, inputs: &[&str], outputs: &[&str], attributes: Vec<AttributeProto>) -> NodeProto {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    NodeProto {
        name: "the node".to_owned(),
        op_type: operator.to_owned(),
        input: owned(inputs),
        output: owned(outputs),
        attribute: attributes,
        ..NodeProto::default()
    }
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Int as i32,
        i,
        ..AttributeProto::default()
    }
}

fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    let r#type = AttributeType::Ints as i32;
    AttributeProto { name: name.to_owned(), r#type, ints: ints.to_vec(), ..AttributeProto::default() }
}

fn text(name: &str, s: &str) -> AttributeProto {
    let r#type = AttributeType::String as i32;
    AttributeProto { name: name.to_owned(), r#type, s: s.as_bytes().to_vec(), ..AttributeProto::default() }
}

fn whole(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        data_type: DataType::Int64 as i32,
        dims: vec![values.len() as i64],
        int64_data: values.to_vec(),
        ..TensorProto::default()
    }
}

fn model(node: NodeProto, constants: Vec<TensorProto>) -> ModelProto {
    let port = |name: &String| ValueInfoProto { name: name.clone(), ..ValueInfoProto::default() };
    let output = node.output.iter().map(port).collect();
    let graph = GraphProto { node: vec![node], initializer: constants, output, ..GraphProto::default() };
    ModelProto { graph: Some(graph), ..ModelProto::default() }
}

fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
    Tensor::from_slice(values, shape, &Device::Cpu).unwrap()
}

/// Numbers that are all different, some negative.
fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|index| ((index * 7919 % 97) as f32 - 48.0) / 16.0).collect()
}

fn evaluate(model: ModelProto, inputs: &[(&str, &Tensor)]) -> HashMap<String, Tensor> {
    let inputs = inputs.iter().map(|&(name, value)| (name.to_owned(), value.clone())).collect();
    simple_eval(&rewrite(model).unwrap(), inputs).unwrap()
}

/// The output `y` of one node on input `x`.
fn run(node: NodeProto, constants: Vec<TensorProto>, x: &Tensor) -> Tensor {
    evaluate(model(node, constants), &[("x", x)]).remove("y").unwrap()
}

fn assert_close(found: &Tensor, shape: &[usize], expected: &[f32]) {
    assert_eq!(found.dims(), shape);
    let found = found.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{found} for {expected}");
    }
}

#[test]
fn global_average_pool_is_the_mean_of_every_channel() {
    let values = numbers(2 * 3 * 5 * 4);
    let x = tensor(&[2, 3, 5, 4], &values);
    let means: Vec<f32> = values.chunks(20).map(|channel| channel.iter().sum::<f32>() / 20.0).collect();
    assert_close(&run(node("GlobalAveragePool", &["x"], &["y"], vec![]), vec![], &x), &[2, 3, 1, 1], &means);
}

#[test]
fn layer_normalization_has_mean_and_variance_of_the_last_axis() {
    let values = numbers(2 * 3 * 7);
    let (scale, offset) = (numbers(14)[7..].to_vec(), numbers(21)[14..].to_vec());
    let epsilon = 0.01;
    let expected: Vec<f32> = values
        .chunks(7)
        .flat_map(|row| {
            let mean = row.iter().sum::<f32>() / 7.0;
            let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 7.0;
            let normal = row.iter().map(move |value| (value - mean) / (variance + epsilon).sqrt());
            normal.zip(scale.iter().zip(&offset)).map(|(value, (scale, offset))| value * scale + offset)
        })
        .collect();
    let r#type = AttributeType::Float as i32;
    let f = AttributeProto { name: "epsilon".to_owned(), r#type, f: epsilon, ..AttributeProto::default() };
    let node = node("LayerNormalization", &["x", "scale", "offset"], &["y"], vec![int("axis", -1), f]);
    let x = tensor(&[2, 3, 7], &values);
    let inputs = [("x", &x), ("scale", &tensor(&[7], &scale)), ("offset", &tensor(&[7], &offset))];
    assert_close(&evaluate(model(node, vec![]), &inputs)["y"], &[2, 3, 7], &expected);
}

#[test]
fn max_is_exact_and_broadcasts() {
    let x = tensor(&[2, 3], &[1.0, -1e-12, 0.1, -4.0, 1e-13, f32::MAX]);
    let b = tensor(&[3], &[0.5, 1e-12, 0.1]);
    let found = evaluate(model(node("Max", &["x", "b"], &["y"], vec![]), vec![]), &[("x", &x), ("b", &b)]);
    let rows = found["y"].to_vec2::<f32>().unwrap();
    assert_eq!(rows, [[1.0, 1e-12, 0.1], [0.5, 1e-12, f32::MAX]]);
}

#[test]
fn means_and_sums_are_over_the_axes_that_an_input_gives() {
    let values = numbers(2 * 3 * 4);
    let x = tensor(&[2, 3, 4], &values);
    let rows: Vec<f32> = values.chunks(4).map(|row| row.iter().sum()).collect();
    let squares: Vec<f32> =
        values.chunks(4).map(|row| row.iter().map(|v| v * v).sum::<f32>().sqrt()).collect();
    let last = || vec![whole("axes", &[-1])];
    let of = |operator: &str, keep: i64| node(operator, &["x", "axes"], &["y"], vec![int("keepdims", keep)]);
    assert_close(&run(of("ReduceSum", 1), last(), &x), &[2, 3, 1], &rows);
    assert_close(&run(of("ReduceL2", 1), last(), &x), &[2, 3, 1], &squares);
    let means: Vec<f32> = rows.iter().map(|sum| sum / 4.0).collect();
    assert_close(&run(of("ReduceMean", 0), last(), &x), &[2, 3], &means);
    let middle: Vec<f32> = (0..8)
        .map(|place| (0..3).map(|row| values[place / 4 * 12 + row * 4 + place % 4]).sum::<f32>() / 3.0)
        .collect();
    assert_close(&run(of("ReduceMean", 0), vec![whole("axes", &[1])], &x), &[2, 4], &middle);
    let all = vec![whole("axes", &[-2, -1])];
    let sums: Vec<f32> = values.chunks(12).map(|image| image.iter().sum()).collect();
    assert_close(&run(of("ReduceSum", 1), all, &x), &[2, 1, 1], &sums);
}

#[test]
fn a_padded_pool_leaves_its_border_out() {
    // Every number is negative: zeros in the border would win.
    let x = tensor(&[1, 1, 3, 3], &[-9.0, -8.0, -7.0, -6.0, -5.0, -4.0, -3.0, -2.0, -1.0]);
    let attributes =
        vec![ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])];
    let found = run(node("MaxPool", &["x"], &["y"], attributes), vec![], &x);
    assert_close(&found, &[1, 1, 2, 2], &[-5.0, -4.0, -2.0, -1.0]);
}

#[test]
fn zeros_are_put_where_they_are_asked_for() {
    let x = tensor(&[1, 2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let found =
        run(node("Pad", &["x", "pads"], &["y"], vec![]), vec![whole("pads", &[0, 1, 0, 0, 0, 2])], &x);
    let expected = [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0];
    assert_close(&found, &[1, 3, 4], &expected);
}

#[test]
fn axes_are_inserted_where_the_result_has_them() {
    let x = tensor(&[2, 3], &numbers(6));
    let found = run(node("Unsqueeze", &["x", "axes"], &["y"], vec![]), vec![whole("axes", &[1, 2])], &x);
    assert_close(&found, &[2, 1, 1, 3], &numbers(6));
}

#[test]
fn a_part_of_a_shape_ends_before_its_end() {
    let x = tensor(&[5, 3, 2], &numbers(30));
    let found = run(node("Shape", &["x"], &["y"], vec![int("start", 1), int("end", 2)]), vec![], &x);
    assert_eq!(found.to_vec1::<i64>().unwrap(), [3]);
}

#[test]
fn parts_can_be_multiplied() {
    let values = numbers(2 * 6 * 4);
    let x = tensor(&[2, 6, 4], &values);
    let node = node("Split", &["x"], &["a", "b"], vec![int("axis", 1), int("num_outputs", 2)]);
    let found = evaluate(model(node, vec![]), &[("x", &x)]);
    let part = |first: usize| [&values[first..first + 12], &values[first + 24..first + 36]].concat();
    for (name, first) in [("a", 0), ("b", 12)] {
        assert!(found[name].is_contiguous());
        assert_close(&found[name], &[2, 3, 4], &part(first));
    }
}

#[test]
fn what_would_be_evaluated_otherwise_is_refused_by_name() {
    let pads = || vec![whole("pads", &[0, -1])];
    for (refused, constants, reason) in [
        (node("MatMulInteger", &["x", "b"], &["y"], vec![]), vec![], "not among those"),
        (node("LayerNormalization", &["x", "b"], &["y"], vec![int("axis", 1)]), vec![], "last axis"),
        (node("LayerNormalization", &["x", "b"], &["y", "mean"], vec![]), vec![], "outputs"),
        (node("MaxPool", &["x"], &["y"], vec![int("ceil_mode", 1)]), vec![], "rounds sizes up"),
        (node("Pad", &["x", "pads"], &["y"], vec![]), pads(), "cuts"),
        (node("Pad", &["x", "pads"], &["y"], vec![text("mode", "edge")]), pads(), "more than one number"),
        (node("Pad", &["x", "other"], &["y"], vec![]), pads(), "no constant"),
        (node("ReduceMean", &["x", "other"], &["y"], vec![]), vec![], "no constant"),
        (node("Shape", &["x"], &["y"], vec![int("start", -1)]), vec![], "from the last"),
        (node("Unsqueeze", &["x", "axes"], &["y"], vec![]), vec![whole("axes", &[-1])], "from the last"),
    ] {
        let operator = refused.op_type.clone();
        let Err(error @ CandleError::Operator { .. }) = rewrite(model(refused, constants)) else {
            panic!("{operator} is refused")
        };
        let said = error.to_string();
        assert!(said.contains(&operator) && said.contains("the node") && said.contains(reason), "{said}");
    }
}
