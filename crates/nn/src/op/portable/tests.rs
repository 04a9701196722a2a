//! Every operation against its kernel: values, and gradients of everything that goes in.

use candle_core::{DType, Device, Result, Tensor, Var};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::op::{
    AttentionMask, BatchNormMode, BatchStatistics, Geometry, Groups, Padding, Rectifier, add, add_relu,
    attention, batch_norm, depthwise_conv, embedding, filter_rows, layer_norm, linear, linear_add,
    linear_gelu, linear3, max_pool, move_tokens, patches, pool, product,
};
use crate::tape::{Tape, backward};

fn random(shape: &[usize], seed: u64) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// Output and gradients with the first `activations` inputs in this type; the others are parameters.
fn run(
    dtype: DType,
    inputs: &[Tensor],
    activations: usize,
    f: &impl Fn(&mut Tape, &[Tensor]) -> Result<Tensor>,
) -> Vec<Tensor> {
    let vars: Vec<Var> = inputs.iter().map(|input| Var::from_tensor(input).unwrap()).collect();
    let mut tape = Tape::new();
    let entered = vars.iter().enumerate().map(|(index, var)| {
        if index < activations { tape.cast(var, dtype).unwrap() } else { var.as_tensor().clone() }
    });
    let entered: Vec<Tensor> = entered.collect();
    let output = f(&mut tape, &entered).unwrap();
    let output = tape.finish(&output).unwrap();
    let weights = random(output.dims(), 99);
    let gradients = backward(&(&output * &weights).unwrap().sum_all().unwrap()).unwrap();
    let gradients = vars.iter().map(|var| gradients.get(var).expect("a gradient").clone());
    std::iter::once(output.detach()).chain(gradients).collect()
}

/// In `f64`, which has no kernel, everything agrees to the rounding of `f32`; in `bf16` to its own, and parameters get
/// gradients of their own type.
fn check(
    name: &str,
    inputs: &[Tensor],
    activations: usize,
    f: impl Fn(&mut Tape, &[Tensor]) -> Result<Tensor>,
) {
    let expected = run(DType::F32, inputs, activations, &f);
    for (dtype, tolerance) in [(DType::F64, 2e-5), (DType::BF16, 4e-2)] {
        let found = run(dtype, inputs, activations, &f);
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(found.dtype(), DType::F32, "{name}: {index}");
            let largest = |x: &Tensor| x.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            let (apart, scale) = (largest(&(found - expected).unwrap()), largest(expected));
            assert!(scale > 1e-3, "{name}: {index} is empty");
            assert!(apart <= tolerance * scale, "{name} in {dtype:?}: {index} is {apart} apart, of {scale}");
        }
    }
}

#[test]
fn dense_layers() {
    let (x, shortcut) = (random(&[6, 5], 1), random(&[6, 4], 2));
    let (w, b) = (random(&[4, 5], 3), random(&[4], 4));
    let inputs = [x.clone(), w.clone(), b.clone()];
    check("product", &inputs[..2], 1, |tape, t| product(tape, &t[0], &t[1]));
    check("linear", &inputs, 1, |tape, t| linear(tape, &t[0], &t[1], &t[2]));
    check("linear gelu", &inputs, 1, |tape, t| linear_gelu(tape, &t[0], &t[1], &t[2]));
    let inputs = [x.clone(), shortcut, w.clone(), b.clone()];
    check("linear add", &inputs, 2, |tape, t| linear_add(tape, &t[0], &t[2], &t[3], &t[1]));
    let inputs = [x, w.clone(), random(&[4, 5], 5), w, b.clone(), random(&[4], 6), b];
    check("linear3", &inputs, 1, |tape, t| {
        linear3(tape, &t[0], [&t[1], &t[2], &t[3]], [&t[4], &t[5], &t[6]])
    });
}

#[test]
fn normalizations() {
    let inputs = [random(&[24, 17], 7), random(&[17], 8), random(&[17], 9)];
    check("layer norm", &inputs, 1, |tape, t| layer_norm(tape, &t[0], &t[1], &t[2], 1e-5));
    let fixed = BatchStatistics { mean: vec![0.1; 17], variance: vec![0.4; 17] };
    for mode in [BatchNormMode::Batch, BatchNormMode::Fixed(fixed)] {
        for rectifier in [Rectifier::None, Rectifier::Relu, Rectifier::Relu6] {
            // In `bf16` a value beside the corner of a rectifier falls on either side of it.
            let shift = match rectifier {
                Rectifier::None => inputs[2].clone(),
                _ => Tensor::full(3.0_f32, 17, &Device::Cpu).unwrap(),
            };
            let inputs = [inputs[0].clone(), inputs[1].affine(0.5, 0.0).unwrap(), shift];
            check("batch norm", &inputs, 1, |tape, t| {
                Ok(batch_norm(tape, &t[0], &t[1], &t[2], 1e-3, mode.clone(), rectifier)?.0)
            });
        }
    }
}

#[test]
fn rectifiers_stop_the_gradient_where_they_are_flat() {
    let inputs = [random(&[24, 17], 7), random(&[17], 8).affine(4.0, 0.0).unwrap(), random(&[17], 9)];
    for rectifier in [Rectifier::Relu, Rectifier::Relu6] {
        let f = |tape: &mut Tape, t: &[Tensor]| {
            Ok(batch_norm(tape, &t[0], &t[1], &t[2], 1e-3, BatchNormMode::Batch, rectifier)?.0)
        };
        let (kernel, portable) = (run(DType::F32, &inputs, 1, &f), run(DType::F64, &inputs, 1, &f));
        for (kernel, portable) in kernel.iter().zip(&portable) {
            let apart = (kernel - portable).unwrap().abs().unwrap().max_all().unwrap();
            assert!(apart.to_scalar::<f32>().unwrap() < 1e-3, "{rectifier:?}");
        }
    }
}

#[test]
fn attention_with_every_mask() {
    let groups = Groups { groups: 4, tokens: 3, heads: 2 };
    let projections = random(&[12, 3 * 2 * 5], 10);
    let bias = random(&[2, 3, 3], 11);
    let keys = AttentionMask::keys(&[1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1]);
    let pairs = AttentionMask::Pairs(random(&[2, 3, 3], 12).flatten_all().unwrap().to_vec1().unwrap());
    for mask in [AttentionMask::None, keys, pairs] {
        let inputs = [projections.clone(), bias.clone()];
        check("attention", &inputs, 1, |tape, t| attention(tape, &t[0], groups, Some(&t[1]), mask.clone()));
        check("attention without bias", &inputs[..1], 1, |tape, t| {
            attention(tape, &t[0], groups, None, mask.clone())
        });
    }
}

#[test]
fn windows_over_pixels() {
    let around = Padding::around(1);
    for (kernel, stride, padding) in
        [(3, 1, Padding::Same), (3, 2, around), (5, 2, Padding::Same), (2, 2, around)]
    {
        let geometry = Geometry { batch: 2, height: 6, width: 5, kernel, stride, padding };
        let x = random(&[60, 4], 13);
        check("patches", std::slice::from_ref(&x), 1, |tape, t| patches(tape, &t[0], geometry));
        check("depthwise", &[x.clone(), random(&[4, 1, kernel, kernel], 14)], 1, |tape, t| {
            depthwise_conv(tape, &t[0], &t[1], geometry)
        });
        // Multiples of 1/64 below 2 are told apart in every type, so the same pixel is the largest.
        let x: Vec<f32> = (0..240).map(|i| ((i * 77 % 240) as f32 - 120.0) / 64.0).collect();
        let x = Tensor::from_vec(x, (60, 4), &Device::Cpu).unwrap();
        check("max pool", &[x], 1, |tape, t| max_pool(tape, &t[0], geometry));
    }
    let flat = Tensor::ones((16, 3), DType::F32, &Device::Cpu).unwrap();
    let geometry = Geometry { batch: 1, height: 4, width: 4, kernel: 3, stride: 2, padding: around };
    check("max pool of equal values", &[flat], 1, |tape, t| max_pool(tape, &t[0], geometry));
}

#[test]
fn operations_on_rows() {
    let (a, b) = (random(&[8, 3], 15), random(&[8, 3], 16));
    check("add", &[a.clone(), b.clone()], 2, |tape, t| add(tape, &t[0], &t[1]));
    let far = (b.sign().unwrap() * 2.0).unwrap();
    check("add relu", &[a.clone(), far], 2, |tape, t| add_relu(tape, &t[0], &t[1]));
    let weights: Vec<f32> = (0..8).map(|i| 0.1 * i as f32).collect();
    check("pool", std::slice::from_ref(&a), 1, |tape, t| pool(tape, &t[0], 2, weights.clone()));
    let moves = [Some(3), None, Some(0), Some(2), None];
    check("move tokens", std::slice::from_ref(&a), 1, |tape, t| move_tokens(tape, &t[0], 2, &moves));
    check("embedding", &[a], 1, |tape, t| embedding(tape, &t[0], vec![1, 5, 1, 1, 0, 7]));
    let filters = random(&[2, 3, 2, 2], 17);
    check("filter rows", &[filters], 1, |tape, t| filter_rows(tape, &t[0]));
}
