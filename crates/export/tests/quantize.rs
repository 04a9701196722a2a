//! Quantized graphs of the golden checkpoint: what is in them, which layers stay, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

mod support;

use std::fs;
use std::path::PathBuf;

use medclip_export::quantize::{
    Calibrator, ChooseError, Measured, QuantizeError, Quantizer, RangeMethod, ReadGraphError, choose, half,
};
use medclip_export::{GraphOptions, OnnxFile};
use support::{checkpoint, run, values};
use tempfile::TempDir;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::{Framework, Tensor};

/// The golden image and text graphs in files.
struct Graphs {
    directory: TempDir,
}

impl Graphs {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let checkpoint = checkpoint();
        let options = GraphOptions::default();
        for (name, graph) in
            [("image.onnx", checkpoint.image_graph(&options)), ("text.onnx", checkpoint.text_graph(&options))]
        {
            fs::write(directory.path().join(name), graph.unwrap().into_bytes()).unwrap();
        }
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Calibrated on a few images of seeded noise.
    fn fixed(&self, method: RangeMethod) -> Quantizer {
        let mut calibrator = Calibrator::open(&self.path("image.onnx")).unwrap();
        let (probe, width) = calibrator.probe().unwrap();
        let probe = probe.into_bytes();
        let rows: Vec<Vec<f32>> = (0..4).map(|seed| values(&run(&probe, &[&noise(seed)])).to_vec()).collect();
        assert_eq!(rows[0].len(), width);
        for row in &rows {
            calibrator.widen(row).unwrap();
        }
        for row in &rows {
            calibrator.count(row).unwrap();
        }
        calibrator.finish(method).unwrap()
    }
}

/// One image of 32 × 32 pixels.
fn noise(seed: u64) -> Tensor {
    let mut state = seed * 2 + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let pixels: Vec<f32> = (0..32 * 32).map(|_| next()).collect();
    Tensor::from_shape(&[1, 1, 32, 32], &pixels).unwrap()
}

fn parse(graph: &[u8]) -> ModelProto {
    tract_onnx::onnx().proto_model_for_read(&mut &*graph).unwrap()
}

fn count(model: &ModelProto, operator: &str) -> usize {
    model.graph.as_ref().unwrap().node.iter().filter(|node| node.op_type == operator).count()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn convolutions_are_between_whole_numbers_and_compute_nearly_the_same() {
    let graphs = Graphs::new();
    let full = fs::read(graphs.path("image.onnx")).unwrap();
    // Of so few values entropy leaves much out.
    for (method, least) in
        [(RangeMethod::default(), 0.97), (RangeMethod::Extremes, 0.97), (RangeMethod::Entropy, 0.8)]
    {
        let quantizer = graphs.fixed(method);
        let whole = quantizer.graph(|_| true).unwrap().into_bytes();
        let model = parse(&whole);
        let layers = quantizer.layers().len();
        // The product that makes the map is no layer.
        assert_eq!(count(&model, "Conv") + count(&model, "MatMul"), layers + 1);
        assert_eq!(count(&parse(&full), "Conv"), count(&model, "Conv"));
        assert!(count(&model, "QuantizeLinear") >= layers / 2 && count(&model, "DequantizeLinear") > layers);
        assert!(whole.len() < full.len(), "{} of {}", whole.len(), full.len());
        for seed in 0..3 {
            let (found, expected) = (run(&whole, &[&noise(seed)]), run(&full, &[&noise(seed)]));
            let cosine = cosine(values(&found), values(&expected));
            assert!(cosine > least, "{method}: {cosine}");
        }
    }
}

#[test]
fn dense_layers_find_the_range_of_their_input_and_attention_stays_as_it_was() {
    let graphs = Graphs::new();
    let full = fs::read(graphs.path("text.onnx")).unwrap();
    let quantizer = Quantizer::dynamic(&graphs.path("text.onnx")).unwrap();
    let whole = quantizer.graph(|_| true).unwrap().into_bytes();
    let (before, after) = (parse(&full), parse(&whole));
    let layers = quantizer.layers().len();
    assert_eq!(count(&after, "MatMulInteger"), layers);
    assert_eq!(count(&after, "MatMul"), count(&before, "MatMul") - layers, "products of activations");
    assert!(count(&after, "MatMul") > 0 && count(&after, "DynamicQuantizeLinear") <= layers);
    let ids = Tensor::from_shape(&[1, 5], &[2_i64, 8, 12, 15, 3]).unwrap();
    let mask = Tensor::from_shape(&[1, 5], &[1_i64; 5]).unwrap();
    let (found, expected) = (run(&whole, &[&ids, &mask]), run(&full, &[&ids, &mask]));
    let cosine = cosine(values(&found), values(&expected));
    assert!(cosine > 0.99 && cosine < 1.0, "{cosine}");
}

#[test]
fn a_graph_without_quantized_layers_is_the_graph_it_was() {
    let graphs = Graphs::new();
    for (name, quantizer) in [
        ("text.onnx", Quantizer::dynamic(&graphs.path("text.onnx")).unwrap()),
        ("image.onnx", graphs.fixed(RangeMethod::Extremes)),
    ] {
        let none = quantizer.graph(|_| false).unwrap().into_bytes();
        assert_eq!(none, fs::read(graphs.path(name)).unwrap(), "{name}");
    }
}

#[test]
fn half_precision_halves_the_file() {
    let graphs = Graphs::new();
    for name in ["image.onnx", "text.onnx"] {
        let full = fs::read(graphs.path(name)).unwrap();
        let halved = half(&graphs.path(name)).unwrap().into_bytes();
        assert!(halved.len() < full.len(), "{name}: {} of {}", halved.len(), full.len());
        assert!(count(&parse(&halved), "Cast") > count(&parse(&full), "Cast"));
    }
    let full = run(&fs::read(graphs.path("image.onnx")).unwrap(), &[&noise(1)]);
    let halved = run(&half(&graphs.path("image.onnx")).unwrap().into_bytes(), &[&noise(1)]);
    assert!(cosine(values(&full), values(&halved)) > 0.999_99);
}

/// Whether a layer is quantized in a graph of fixed ranges.
fn holds(graph: &[u8], layer: &str) -> bool {
    let whole = format!("{layer}.weight.q");
    parse(graph).graph.unwrap().initializer.iter().any(|constant| constant.name == whole)
}

/// Makes of a graph what it costs that these layers are quantized; none of them may be.
fn price(layers: &[String], bad: [(usize, f64); 2]) -> impl Fn(OnnxFile) -> Result<Measured, QuantizeError> {
    let bad = bad.map(|(index, cost)| (layers[index].clone(), cost));
    move |graph| {
        let graph = graph.into_bytes();
        let cost: f64 = bad.iter().filter(|(layer, _)| holds(&graph, layer)).map(|(_, cost)| cost).sum();
        Ok(Measured { mean_cosine: 1.0 - cost, passes: cost == 0.0 })
    }
}

#[test]
fn the_first_layers_stay_in_single_precision_where_that_is_enough() {
    let quantizer = Graphs::new().fixed(RangeMethod::default());
    let layers = quantizer.layers();
    let choice = choose(&quantizer, 4, price(layers, [(1, 0.1), (2, 0.3)])).unwrap();
    let kept: Vec<&str> = choice.kept.iter().map(|cost| cost.layer.as_str()).collect();
    assert_eq!(kept, [&layers[2], &layers[1], &layers[0]]);
    assert_eq!(choice.layers, layers.len() - 3);
    let graph = choice.graph.into_bytes();
    assert!(!holds(&graph, &layers[0]) && holds(&graph, &layers[3]));
}

#[test]
fn otherwise_the_layers_that_cost_most_do() {
    let quantizer = Graphs::new().fixed(RangeMethod::default());
    let layers = quantizer.layers().to_vec();
    let costs = price(&layers, [(2, 0.1), (4, 0.3)]);
    let choice = choose(&quantizer, 3, &costs).unwrap();
    let kept: Vec<&str> = choice.kept.iter().map(|cost| cost.layer.as_str()).collect();
    assert_eq!(kept, [layers[4].as_str(), layers[2].as_str()]);
    assert_eq!(choice.layers, layers.len() - 2);
    let graph = choice.graph.into_bytes();
    assert!(!holds(&graph, &layers[4]) && holds(&graph, &layers[3]));

    let error = choose(&quantizer, 1, &costs).unwrap_err();
    assert!(matches!(&error, ChooseError::Hopeless { worst, max_kept: 1, .. } if worst.layer == layers[4]));
    assert!(error.to_string().contains(&layers[4]), "{error}");
}

#[test]
fn other_files_and_other_rows_are_refused() {
    let graphs = Graphs::new();
    let path = graphs.path("other.onnx");
    fs::write(&path, b"not a graph").unwrap();
    assert!(matches!(
        Quantizer::dynamic(&path),
        Err(QuantizeError::Read(ReadGraphError::NotOnnx { .. } | ReadGraphError::Foreign { .. }))
    ));
    fs::write(&path, b"").unwrap();
    assert!(matches!(half(&path), Err(QuantizeError::Read(ReadGraphError::Foreign { .. }))));
    assert!(matches!(half(&graphs.path("absent")), Err(QuantizeError::Read(ReadGraphError::Read { .. }))));
    let mut calibrator = Calibrator::open(&graphs.path("image.onnx")).unwrap();
    assert!(matches!(calibrator.widen(&[0.0]), Err(QuantizeError::Activations { actual: 1, .. })));
    assert!(matches!(calibrator.finish(RangeMethod::Extremes), Err(QuantizeError::Uncalibrated)));
    assert!(Calibrator::open(&graphs.path("text.onnx")).is_err(), "not a tower of convolutions");
}

#[test]
fn weights_beside_a_graph_are_read_and_missing_ones_refused() {
    let graphs = Graphs::new();
    let (graph, data) = checkpoint().text_graph(&GraphOptions::default()).unwrap().detach("apart.data");
    fs::write(graphs.path("apart.onnx"), graph.into_bytes()).unwrap();
    let apart = graphs.path("apart.onnx");
    assert!(matches!(half(&apart), Err(QuantizeError::Read(ReadGraphError::Read { .. }))));
    let mut bytes = Vec::new();
    data.write_to(&mut bytes).unwrap();
    fs::write(graphs.path("apart.data"), &bytes).unwrap();
    let whole = half(&graphs.path("text.onnx")).unwrap().into_bytes();
    assert_eq!(half(&apart).unwrap().into_bytes(), whole);
    fs::write(graphs.path("apart.data"), &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(half(&apart), Err(QuantizeError::Read(ReadGraphError::Values { .. }))));
}
