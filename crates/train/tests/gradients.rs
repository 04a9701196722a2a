//! Every differentiable operation, and the whole model, against finite differences.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;

use candle_core::{Device, Result, Tensor, Var};
use medclip_core::Finding;
use medclip_train::checkpoint::StoredModel;
use medclip_train::op::{
    Activation, BatchNormMode, BatchStatistics, Geometry, Padding, Rectifier, add_relu, attention_softmax,
    batch_norm, bias_activation, depthwise_conv, filter_rows, layer_norm, max_pool, move_tokens, patches,
    window_softmax,
};
use medclip_train::tuning::{ClassTexts, ContextConfig, ContextPrompts, masked_cross_entropy};
use medclip_train::{LabelSimilarity, Objective};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Compares the gradient of `Σ weights · f(inputs)` with central differences, entry by entry.
///
/// The step is 10⁻², so the comparison allows for the third-order term and for `f32` rounding: 2 % of the largest
/// entry. An operation without a backward pass has gradient zero or none and fails.
fn check(name: &str, inputs: &[Tensor], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    const STEP: f32 = 1e-2;
    let vars: Vec<Var> = inputs.iter().map(|t| Var::from_tensor(t).unwrap()).collect();
    let tensors = |vars: &[Var]| vars.iter().map(|v| v.as_tensor().clone()).collect::<Vec<_>>();
    let output = f(&tensors(&vars)).unwrap();
    let weights = random(output.dims(), 99);
    let objective = |vars: &[Var]| -> f64 {
        let product = (f(&tensors(vars)).unwrap() * &weights).unwrap().flatten_all().unwrap();
        product.to_vec1::<f32>().unwrap().into_iter().map(f64::from).sum()
    };
    let gradients = (&output * &weights).unwrap().sum_all().unwrap().backward().unwrap();
    for (index, var) in vars.iter().enumerate() {
        let gradient = gradients.get(var).unwrap_or_else(|| panic!("{name}: input {index} has no gradient"));
        let gradient: Vec<f32> = gradient.flatten_all().unwrap().to_vec1().unwrap();
        let start: Vec<f32> = var.flatten_all().unwrap().to_vec1().unwrap();
        let set = |values: &[f32]| {
            var.set(&Tensor::from_slice(values, var.dims(), &Device::Cpu).unwrap()).unwrap();
        };
        let mut numeric = Vec::new();
        for entry in 0..start.len() {
            let mut moved = start.clone();
            moved[entry] = start[entry] + STEP;
            set(&moved);
            let above = objective(&vars);
            moved[entry] = start[entry] - STEP;
            set(&moved);
            let below = objective(&vars);
            numeric.push((above - below) / (2.0 * f64::from(STEP)));
        }
        set(&start);
        let largest = numeric.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        assert!(largest > 1e-3, "{name}: input {index} does not matter, the check would be empty");
        for (entry, (analytic, numeric)) in gradient.iter().zip(&numeric).enumerate() {
            assert!(
                (f64::from(*analytic) - numeric).abs() <= 0.02 * largest,
                "{name}: input {index} entry {entry}: backward {analytic}, differences {numeric}"
            );
        }
    }
}

fn random(shape: &[usize], seed: u64) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

#[test]
fn depthwise_conv_for_every_kernel_and_stride() {
    for (kernel, stride, height, width) in [(3, 1, 5, 4), (3, 2, 6, 5), (5, 1, 4, 6), (5, 2, 7, 6)] {
        let geometry = Geometry { batch: 2, height, width, kernel, stride, padding: Padding::Same };
        // 18 channels: one whole vector block and a remainder.
        let x = random(&[2 * height * width, 18], 1);
        let w = random(&[18, 1, kernel, kernel], 2);
        check("depthwise", &[x, w], |t| depthwise_conv(&t[0], &t[1], geometry));
    }
}

#[test]
fn depthwise_conv_equals_a_padded_grouped_convolution() {
    for (kernel, stride, height, width) in [(3, 1, 5, 4), (3, 2, 6, 5), (5, 2, 7, 6), (5, 2, 8, 8)] {
        let geometry = Geometry { batch: 2, height, width, kernel, stride, padding: Padding::Same };
        let (channels, pads) = (18, geometry.pad_before());
        let x = random(&[2 * height * width, channels], 3);
        let w = random(&[channels, 1, kernel, kernel], 4);
        let ours = depthwise_conv(&x, &w, geometry).unwrap();
        let after = |out: usize, size: usize, before: usize| {
            ((out - 1) * stride + kernel).saturating_sub(size + before)
        };
        let image = x.reshape((2, height, width, channels)).unwrap().permute((0, 3, 1, 2)).unwrap();
        let image = image
            .pad_with_zeros(2, pads.0, after(geometry.out_height(), height, pads.0))
            .unwrap()
            .pad_with_zeros(3, pads.1, after(geometry.out_width(), width, pads.1))
            .unwrap();
        let reference = image.contiguous().unwrap().conv2d(&w, 0, stride, 1, channels).unwrap();
        let reference = reference.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap();
        let reference = reference.reshape(ours.dims()).unwrap();
        let difference =
            (ours - reference).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(difference < 1e-5, "kernel {kernel} stride {stride}: {difference}");
    }
}

#[test]
fn batch_norm_through_its_statistics_and_not() {
    let x = random(&[40, 17], 5);
    let (w, b) = (random(&[17], 6), random(&[17], 7));
    let fixed = BatchStatistics { mean: vec![0.1; 17], variance: vec![0.4; 17] };
    for mode in [BatchNormMode::Batch, BatchNormMode::Fixed(fixed)] {
        check("batch norm", &[x.clone(), w.clone(), b.clone()], |t| {
            Ok(batch_norm(&t[0], &t[1], &t[2], 1e-3, mode.clone(), Rectifier::None)?.0)
        });
    }
}

#[test]
fn batch_norm_with_relu6_away_from_its_corners() {
    // β = 3 and a small γ keep every value inside (0, 6); the corners have no derivative to compare with.
    let x = random(&[40, 17], 8);
    let w = random(&[17], 9).affine(0.5, 0.0).unwrap();
    let b = Tensor::full(3.0_f32, 17, &Device::Cpu).unwrap();
    check("batch norm relu6", &[x.clone(), w.clone(), b], |t| {
        Ok(batch_norm(&t[0], &t[1], &t[2], 1e-3, BatchNormMode::Batch, Rectifier::Relu6)?.0)
    });
    let closed = Var::from_tensor(&Tensor::full(-30.0_f32, 17, &Device::Cpu).unwrap()).unwrap();
    let (y, _) = batch_norm(&x, &w, &closed, 1e-3, BatchNormMode::Batch, Rectifier::Relu6).unwrap();
    let gradient = y.sum_all().unwrap().backward().unwrap();
    let gradient: Vec<f32> = gradient.get(&closed).unwrap().to_vec1().unwrap();
    assert_eq!(gradient, vec![0.0; 17], "nothing passes a closed ReLU6");
}

#[test]
fn layer_norm_over_rows() {
    let inputs = [random(&[35, 19], 10), random(&[19], 11), random(&[19], 12)];
    check("layer norm", &inputs, |t| layer_norm(&t[0], &t[1], &t[2], 1e-5));
}

#[test]
fn attention_softmax_with_padding() {
    let mask = [1, 1, 1, 1, 1, 1, 1, 0, 0, 0];
    check("softmax", &[random(&[2, 3, 4, 5], 13)], |t| attention_softmax(&t[0], &mask, 0.7));
    let y = attention_softmax(&random(&[2, 3, 4, 5], 13), &mask, 0.7).unwrap();
    let padded = y.narrow(0, 1, 1).unwrap().narrow(3, 2, 3).unwrap().max_all().unwrap();
    assert!(padded.to_scalar::<f32>().unwrap() < 1e-30, "padding gets no attention");
}

#[test]
fn bias_and_gelu() {
    for activation in [Activation::Identity, Activation::Gelu] {
        let inputs = [random(&[70, 9], 14).affine(3.0, 0.0).unwrap(), random(&[9], 15)];
        check("bias", &inputs, |t| bias_activation(&t[0], &t[1], activation));
    }
}

#[test]
fn patches_for_every_padding() {
    for (kernel, stride, padding, height, width) in [
        (3, 1, Padding::around(1), 4, 5),
        (3, 2, Padding::around(1), 5, 4),
        (7, 2, Padding::around(3), 6, 5),
        (2, 2, Padding::Explicit { before: 0, after: 1 }, 5, 5),
        (1, 2, Padding::around(0), 5, 4),
        (3, 2, Padding::Same, 4, 4),
    ] {
        let geometry = Geometry { batch: 2, height, width, kernel, stride, padding };
        let x = random(&[2 * height * width, 3], 18);
        check(&format!("patches {geometry:?}"), std::slice::from_ref(&x), |t| patches(&t[0], geometry));
        let Padding::Explicit { before, after } = padding else { continue };

        let w = random(&[4, 3, kernel, kernel], 19);
        let ours = patches(&x, geometry).unwrap().matmul(&filter_rows(&w).unwrap().t().unwrap()).unwrap();
        let image = x.reshape((2, height, width, 3)).unwrap().permute((0, 3, 1, 2)).unwrap();
        let image = image.pad_with_zeros(2, before, after).unwrap().pad_with_zeros(3, before, after).unwrap();
        let reference = image.contiguous().unwrap().conv2d(&w, 0, stride, 1, 1).unwrap();
        let reference = reference.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap();
        let reference = reference.reshape(ours.dims()).unwrap();
        let difference = (ours - reference).unwrap().abs().unwrap().max_all().unwrap();
        assert!(difference.to_scalar::<f32>().unwrap() < 1e-5, "{geometry:?}");
    }
}

#[test]
fn max_pool_routes_to_the_largest() {
    let geometry =
        Geometry { batch: 2, height: 5, width: 6, kernel: 3, stride: 2, padding: Padding::around(1) };
    // Apart by more than the step of the differences, in an order without pattern.
    let values: Vec<f32> = (0..2 * 30 * 3).map(|i| ((i * 67 + 13) % 181) as f32 * 0.05 - 4.0).collect();
    let x = Tensor::from_vec(values, (60, 3), &Device::Cpu).unwrap();
    check("max pool", &[x], |t| max_pool(&t[0], geometry));
    let equal =
        Var::from_tensor(&Tensor::zeros((60, 3), candle_core::DType::F32, &Device::Cpu).unwrap()).unwrap();
    let gradient = max_pool(&equal, geometry).unwrap().sum_all().unwrap().backward().unwrap();
    let total = gradient.get(&equal).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
    assert_eq!(total, 2.0 * 9.0 * 3.0, "a gradient goes to one of equal values");
}

#[test]
fn moved_tokens_and_zeros() {
    let moves = [Some(3), None, Some(0), Some(1), None];
    check("move tokens", &[random(&[8, 3], 20)], |t| move_tokens(&t[0], 2, &moves));
    for wrong in [[Some(1), Some(1)], [Some(4), None]] {
        assert!(move_tokens(&random(&[8, 3], 20), 2, &wrong).is_err());
    }
}

#[test]
fn window_softmax_with_bias_and_mask() {
    let mut mask = vec![0.0; 2 * 4 * 4];
    mask[17..20].fill(-100.0);
    for mask in [None, Some(mask)] {
        let inputs = [random(&[6, 3, 4, 4], 21), random(&[3, 4, 4], 22)];
        check("window softmax", &inputs, |t| window_softmax(&t[0], &t[1], mask.clone(), 0.6));
    }
}

#[test]
fn rectified_shortcut_away_from_its_corner() {
    let b = random(&[7, 5], 23);
    let a = ((random(&[7, 5], 24).sign().unwrap() * 3.0).unwrap() - &b).unwrap();
    check("add relu", &[a, b], |t| add_relu(&t[0], &t[1]));
}

#[test]
fn objectives() {
    let mut rng = ChaCha8Rng::seed_from_u64(16);
    let mut labels = |n| {
        (0..n).map(|_| [(); Finding::COUNT].map(|()| rng.random_range(-1..=1) as f32)).collect::<Vec<_>>()
    };
    let (images, texts) = (labels(4), labels(4));
    let semantic =
        |similarity, label_temperature| Objective::SemanticMatching { similarity, label_temperature };
    for objective in [
        semantic(LabelSimilarity::Cosine, 1.0),
        semantic(LabelSimilarity::Dot, 0.2),
        Objective::InfoNce,
        Objective::HardMatching { similarity: LabelSimilarity::Cosine },
    ] {
        check("loss", &[random(&[4, 4], 17)], |t| objective.loss(&t[0], &images, &texts));
    }
}

#[test]
fn masked_cross_entropy_over_what_is_known() {
    let labels: [&[Option<bool>]; 2] = [&[Some(true), None, Some(false)], &[Some(false), Some(true), None]];
    check("masked", &[random(&[2, 3], 25)], |t| masked_cross_entropy(&t[0], &labels));
}

#[test]
fn context_vectors_through_the_frozen_text_tower() {
    let checkpoint = Path::new(env!("CARGO_MANIFEST_DIR")).join("../export/tests/golden/checkpoint");
    let start = StoredModel::open(checkpoint).unwrap();
    let (model, tokenizer) = (start.model(|_| true).unwrap(), start.tokenizer().unwrap());
    // Prompts of different lengths, so that some are padded.
    let texts = ClassTexts::of(&[Finding::PleuralEffusion, Finding::Edema], None);
    let config = ContextConfig { vectors: 3, ..ContextConfig::default() };
    let prompts = ContextPrompts::new(&model, &tokenizer, &texts, &config).unwrap();
    for sets in [1, 2] {
        check("context", &[random(&[sets, 3, 24], 26)], |t| prompts.directions(&model, &t[0]));
    }
}
