//! What a written file says of itself: inputs and outputs, versions, metadata, and how little is left in it.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use medclip_core::architecture::Architecture;
use medclip_core::preprocess::PreprocessConfig;
use medclip_export::{
    CONFIG_KEY, Checkpoint, GraphOptions, Storage, WEIGHTS_KEY, Weights, image_graph, names,
};
use tract_onnx::pb::tensor_shape_proto::dimension::Value;
use tract_onnx::pb::{ModelProto, ValueInfoProto, type_proto};
use tract_onnx::prelude::Framework;

fn checkpoint() -> Checkpoint {
    Checkpoint::open("tests/golden/checkpoint").unwrap()
}

fn parse(graph: &[u8]) -> ModelProto {
    tract_onnx::onnx().proto_model_for_read(&mut &*graph).unwrap()
}

/// Sizes of a graph's input or output, symbols by name.
fn shape(info: &ValueInfoProto) -> Vec<String> {
    let type_proto::Value::TensorType(tensor) = info.r#type.as_ref().unwrap().value.as_ref().unwrap();
    let sizes = tensor.shape.as_ref().unwrap().dim.iter().map(|dim| match dim.value.as_ref().unwrap() {
        Value::DimValue(size) => size.to_string(),
        Value::DimParam(symbol) => symbol.clone(),
    });
    sizes.collect()
}

fn ports(infos: &[ValueInfoProto]) -> Vec<(&str, Vec<String>)> {
    infos.iter().map(|info| (info.name.as_str(), shape(info))).collect()
}

fn count(model: &ModelProto, operator: &str) -> usize {
    model.graph.as_ref().unwrap().node.iter().filter(|node| node.op_type == operator).count()
}

fn metadata<'a>(model: &'a ModelProto, key: &str) -> &'a str {
    &model.metadata_props.iter().find(|entry| entry.key == key).unwrap().value
}

#[test]
fn ports_are_the_contracts() {
    let checkpoint = checkpoint();
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let image = parse(&checkpoint.image_graph(&GraphOptions::default()).unwrap().into_bytes()).graph.unwrap();
    assert_eq!(ports(&image.input), [(names::PIXELS, words("batch 1 32 32"))]);
    let expected = [(names::IMAGE_EMBEDDINGS, words("batch 16")), (names::IMAGE_MAP, words("batch 2 2 16"))];
    assert_eq!(ports(&image.output), expected);
    let text = parse(&checkpoint.text_graph(&GraphOptions::default()).unwrap().into_bytes()).graph.unwrap();
    let sequence = words("batch sequence");
    assert_eq!(ports(&text.input), [(names::TOKENS, sequence.clone()), (names::MASK, sequence)]);
    assert_eq!(ports(&text.output), [(names::TEXT_EMBEDDINGS, words("batch 16"))]);
    assert!(image.value_info.is_empty() && text.value_info.is_empty(), "tract takes them for constraints");
}

#[test]
fn metadata_names_the_configuration_and_the_weights() {
    let checkpoint = checkpoint();
    let model = parse(&checkpoint.text_graph(&GraphOptions::default()).unwrap().into_bytes());
    assert_eq!((model.ir_version, model.opset_import[0].version), (9, 20));
    assert_eq!(model.producer_name, "medclip-export");
    assert_eq!(metadata(&model, WEIGHTS_KEY), checkpoint.weights().sha256());
    let config: serde_json::Value = serde_json::from_str(metadata(&model, CONFIG_KEY)).unwrap();
    assert_eq!(config["text"], serde_json::to_value(&checkpoint.config().architecture.text).unwrap());
    let model = parse(&checkpoint.image_graph(&GraphOptions::default()).unwrap().into_bytes());
    let config: serde_json::Value = serde_json::from_str(metadata(&model, CONFIG_KEY)).unwrap();
    assert_eq!(config["preprocess"], serde_json::to_value(&checkpoint.config().preprocess).unwrap());
    assert_eq!(config["embedding_dim"], 16);
}

#[test]
fn nothing_is_left_that_can_be_folded() {
    let checkpoint = checkpoint();
    let image = parse(&checkpoint.image_graph(&GraphOptions::default()).unwrap().into_bytes());
    assert_eq!((count(&image, "BatchNormalization"), count(&image, "Pad"), count(&image, "Cast")), (0, 0, 0));
    assert_eq!((count(&image, "Conv"), count(&image, "Clip")), (19, 13));
    let text = parse(&checkpoint.text_graph(&GraphOptions::default()).unwrap().into_bytes());
    // A layer: merged projections, scores, context, output, two of the feed-forward; then pooling and projection.
    assert_eq!((count(&text, "MatMul"), count(&text, "Softmax"), count(&text, "Gelu")), (4 * 6 + 2, 4, 4));
    assert_eq!((count(&text, "Shape"), count(&text, "Gather"), count(&text, "Cast")), (1, 1, 1));
}

#[test]
fn a_swin_moves_tokens_once_a_block_and_computes_no_shapes() {
    let golden = |file: &str| std::path::Path::new("tests/golden").join(file);
    let tower = std::fs::read_to_string(golden("swin.toml")).unwrap();
    let weights = Weights::open(golden("swin.safetensors")).unwrap();
    let text = checkpoint().config().architecture.text.clone();
    let architecture = Architecture { embedding_dim: 5, image: toml::from_str(&tower).unwrap(), text };
    let graph = |side| {
        let preprocess = PreprocessConfig::medclip(side, 1);
        parse(
            &image_graph(&architecture, &preprocess, &weights, &GraphOptions::default())
                .unwrap()
                .into_bytes(),
        )
    };
    // Maps of 12 and 6 tokens: into windows, shifted, merged, shifted; then back to raster order for the map.
    let whole = graph(24);
    assert_eq!((count(&whole, "Gather"), count(&whole, "Pad"), count(&whole, "Shape")), (5, 0, 0));
    // A block: query, key, value, scores, context, output, two of the feed-forward; then merging, projection and map.
    assert_eq!((count(&whole, "MatMul"), count(&whole, "Softmax"), count(&whole, "Gelu")), (4 * 8 + 3, 4, 4));
    let masks = whole.graph.as_ref().unwrap().initializer.iter().filter(|t| t.name.ends_with("biased.mask"));
    assert_eq!(masks.count(), 2, "one for each size of map");
    let nodes = whole.graph.as_ref().unwrap().node.len();
    assert!(nodes < 4 * 35 + 20, "{nodes} nodes");
    // Maps of 13 and 7 tokens: in and out of padded windows in every block, and a padded merge.
    let padded = graph(25);
    assert_eq!((count(&padded, "Gather"), count(&padded, "Pad"), count(&padded, "Shape")), (9, 5, 0));
}

#[test]
fn half_storage_halves_the_file() {
    let checkpoint = checkpoint();
    let len = |storage| checkpoint.text_graph(&GraphOptions { storage }).unwrap().encoded_len();
    assert!(len(Storage::F16) * 10 < len(Storage::F32) * 7, "small towers have many biases");
}
