//! Every differentiable operation against finite differences.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "support/differences.rs"]
mod differences;

use candle_core::{Device, Tensor, Var};
use medclip_nn::op::{
    AttentionMask, BatchNormMode, BatchStatistics, Geometry, Groups, Padding, Rectifier, add, add_relu,
    attention, batch_norm, depthwise_conv, embedding, filter_rows, layer_norm, linear, linear_add,
    linear_gelu, linear3, max_pool, move_tokens, patches, pool, product,
};
use medclip_nn::{Tape, backward};

use differences::{check, random};

#[test]
fn depthwise_conv_for_every_kernel_and_stride() {
    for (kernel, stride, height, width) in [(3, 1, 5, 4), (3, 2, 6, 5), (5, 1, 4, 6), (5, 2, 7, 6)] {
        let geometry = Geometry { batch: 2, height, width, kernel, stride, padding: Padding::Same };
        // 18 channels: one whole vector block and a remainder.
        let x = random(&[2 * height * width, 18], 1);
        let w = random(&[18, 1, kernel, kernel], 2);
        check("depthwise", &[x, w], |tape, t| depthwise_conv(tape, &t[0], &t[1], geometry));
    }
}

#[test]
fn depthwise_conv_equals_a_padded_grouped_convolution() {
    for (kernel, stride, height, width) in [(3, 1, 5, 4), (3, 2, 6, 5), (5, 2, 7, 6), (5, 2, 8, 8)] {
        let geometry = Geometry { batch: 2, height, width, kernel, stride, padding: Padding::Same };
        let (channels, pads) = (18, geometry.pad_before());
        let x = random(&[2 * height * width, channels], 3);
        let w = random(&[channels, 1, kernel, kernel], 4);
        let ours = depthwise_conv(&mut Tape::new(), &x, &w, geometry).unwrap();
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
        check("batch norm", &[x.clone(), w.clone(), b.clone()], |tape, t| {
            Ok(batch_norm(tape, &t[0], &t[1], &t[2], 1e-3, mode.clone(), Rectifier::None)?.0)
        });
    }
}

#[test]
fn batch_norm_with_relu6_away_from_its_corners() {
    // β = 3 and a small γ keep every value inside (0, 6); the corners have no derivative to compare with.
    let x = random(&[40, 17], 8);
    let w = random(&[17], 9).affine(0.5, 0.0).unwrap();
    let b = Tensor::full(3.0_f32, 17, &Device::Cpu).unwrap();
    check("batch norm relu6", &[x.clone(), w.clone(), b], |tape, t| {
        Ok(batch_norm(tape, &t[0], &t[1], &t[2], 1e-3, BatchNormMode::Batch, Rectifier::Relu6)?.0)
    });
    let closed = Var::from_tensor(&Tensor::full(-30.0_f32, 17, &Device::Cpu).unwrap()).unwrap();
    let mut tape = Tape::new();
    let (y, _) =
        batch_norm(&mut tape, &x, &w, &closed, 1e-3, BatchNormMode::Batch, Rectifier::Relu6).unwrap();
    let gradient = backward(&tape.finish(&y).unwrap().sum_all().unwrap()).unwrap();
    let gradient: Vec<f32> = gradient.get(&closed).unwrap().to_vec1().unwrap();
    assert_eq!(gradient, vec![0.0; 17], "nothing passes a closed ReLU6");
}

#[test]
fn layer_norm_over_rows() {
    let inputs = [random(&[35, 19], 10), random(&[19], 11), random(&[19], 12)];
    check("layer norm", &inputs, |tape, t| layer_norm(tape, &t[0], &t[1], &t[2], 1e-5));
}

#[test]
fn attention_with_bias_and_masks() {
    let keys = AttentionMask::keys(&[1, 1, 1, 1, 0, 1, 1, 1, 1, 1]);
    let mut pairs = vec![0.0; 2 * 25];
    pairs[26..29].fill(-100.0);
    // Heads of 3 and of 17 values: all remainder, and a whole register with one.
    for (size, mask) in
        [(3, AttentionMask::None), (3, keys.clone()), (3, AttentionMask::Pairs(pairs)), (17, keys)]
    {
        let groups = Groups { groups: 2, tokens: 5, heads: 2 };
        let inputs = [random(&[10, 6 * size], 13), random(&[2, 5, 5], 21)];
        let run = |tape: &mut Tape, x: &Tensor, bias: Option<&Tensor>| {
            attention(tape, x, groups, bias, mask.clone())
        };
        check(&format!("attention {mask:?}"), &inputs, |tape, t| run(tape, &t[0], Some(&t[1])));
        check("attention without bias", &inputs[..1], |tape, t| run(tape, &t[0], None));
        let difference = largest(
            &(run(&mut Tape::new(), &inputs[0], Some(&inputs[1])).unwrap()
                - attention_reference(&inputs[0], groups, &inputs[1], &mask))
            .unwrap(),
        );
        assert!(difference < 1e-5, "{mask:?} at {size}: {difference}");
    }
}

#[test]
fn attention_over_more_groups_than_a_chunk() {
    let groups = Groups { groups: 9, tokens: 2, heads: 1 };
    let inputs = [random(&[18, 6], 25), random(&[1, 2, 2], 26)];
    check("attention in chunks", &inputs, |tape, t| {
        attention(tape, &t[0], groups, Some(&t[1]), AttentionMask::None)
    });
}

#[test]
fn attention_refuses_what_does_not_fit() {
    let groups = Groups { groups: 2, tokens: 5, heads: 2 };
    let (x, wrong) = (random(&[10, 12], 13), random(&[2, 4, 5], 21));
    let run = |x: &Tensor, bias, mask| attention(&mut Tape::new(), x, groups, bias, mask);
    assert!(run(&x, Some(&wrong), AttentionMask::None).is_err());
    assert!(run(&x, None, AttentionMask::Keys(vec![0.0; 9])).is_err());
    assert!(run(&x, None, AttentionMask::Pairs(vec![0.0; 26])).is_err());
    assert!(run(&random(&[10, 10], 13), None, AttentionMask::None).is_err());
}

/// Attention from candle's own operations.
fn attention_reference(x: &Tensor, groups: Groups, bias: &Tensor, mask: &AttentionMask) -> Tensor {
    let Groups { groups, tokens, heads } = groups;
    let size = x.dim(1).unwrap() / (3 * heads);
    let part = |at: usize| {
        let part = x.narrow(1, at * heads * size, heads * size).unwrap();
        let part = part.reshape((groups, tokens, heads, size)).unwrap();
        part.transpose(1, 2).unwrap().contiguous().unwrap()
    };
    let scores = part(0).matmul(&part(1).t().unwrap().contiguous().unwrap()).unwrap();
    let scores = (scores / (size as f64).sqrt()).unwrap().broadcast_add(bias).unwrap();
    let scores = match mask {
        AttentionMask::None => scores,
        AttentionMask::Keys(values) => {
            let values = Tensor::from_slice(values, (groups, 1, 1, tokens), &Device::Cpu).unwrap();
            scores.broadcast_add(&values).unwrap()
        }
        AttentionMask::Pairs(values) => {
            let values = Tensor::from_slice(values, (groups, 1, tokens, tokens), &Device::Cpu).unwrap();
            scores.broadcast_add(&values).unwrap()
        }
    };
    let mixed = candle_nn::ops::softmax(&scores, 3).unwrap().matmul(&part(2)).unwrap();
    mixed.transpose(1, 2).unwrap().contiguous().unwrap().reshape((groups * tokens, heads * size)).unwrap()
}

#[test]
fn dense_layers() {
    // Two chunks of rows, and widths without whole registers.
    let x = random(&[35, 7], 14).affine(2.0, 0.0).unwrap();
    let weight = |seed| random(&[5, 7], seed);
    let bias = |seed| random(&[5], seed);
    check("product", &[x.clone(), weight(27)], |tape, t| product(tape, &t[0], &t[1]));
    let inputs = [x.clone(), weight(27), bias(28)];
    check("linear", &inputs, |tape, t| linear(tape, &t[0], &t[1], &t[2]));
    check("linear gelu", &inputs, |tape, t| linear_gelu(tape, &t[0], &t[1], &t[2]));
    let inputs = [x.clone(), weight(27), bias(28), random(&[35, 5], 29)];
    check("linear add", &inputs, |tape, t| linear_add(tape, &t[0], &t[1], &t[2], &t[3]));
    let inputs = [x, weight(27), weight(30), weight(31), bias(28), bias(32), bias(33)];
    check("linear3", &inputs, |tape, t| linear3(tape, &t[0], [&t[1], &t[2], &t[3]], [&t[4], &t[5], &t[6]]));
    for (position, input) in [(2, random(&[4], 28)), (3, random(&[34, 5], 29))] {
        let mut wrong = [inputs[0].clone(), inputs[1].clone(), inputs[4].clone(), random(&[35, 5], 29)];
        wrong[position] = input;
        assert!(linear_add(&mut Tape::new(), &wrong[0], &wrong[1], &wrong[2], &wrong[3]).is_err());
    }
}

#[test]
fn rows_of_a_table_that_repeat() {
    check("embedding", &[random(&[4, 3], 34)], |tape, t| embedding(tape, &t[0], vec![2, 0, 2, 3, 2]));
    assert!(embedding(&mut Tape::new(), &random(&[4, 3], 34), vec![0, 4]).is_err());
}

#[test]
fn weighted_means() {
    let weights = vec![0.5, 0.25, 0.0, 1.0, -1.0, 0.75];
    check("pool", &[random(&[6, 5], 35)], |tape, t| pool(tape, &t[0], 2, weights.clone()));
    assert!(pool(&mut Tape::new(), &random(&[6, 5], 35), 4, weights.clone()).is_err());
}

#[test]
fn a_value_used_twice_and_one_that_does_not_matter() {
    let [constant, frozen] = [36, 37].map(|seed| random(&[4, 3], seed));
    check("sum", &[random(&[4, 3], 38), random(&[3, 3], 39)], |tape, t| {
        let y = product(tape, &t[0], &t[1])?;
        let z = add(tape, &y, &t[0])?;
        let unused = add(tape, &z, &constant)?;
        add(tape, &unused, &t[0])?;
        add(tape, &z, &y)
    });
    let mut tape = Tape::new();
    let sum = add(&mut tape, &constant, &frozen).unwrap();
    assert!(!tape.finish(&sum).unwrap().track_op(), "constants leave nothing to differentiate");
}

#[test]
fn a_tape_runs_backward_once_and_only_by_its_own_function() {
    let x = Var::from_tensor(&random(&[4, 3], 40)).unwrap();
    let run = || {
        let mut tape = Tape::new();
        let y = add(&mut tape, &x, &x).unwrap();
        tape.finish(&y).unwrap().sum_all().unwrap()
    };
    let loss = run();
    assert!(backward(&loss).is_ok());
    assert!(backward(&loss).unwrap_err().to_string().contains("once"));
    assert!(run().backward().unwrap_err().to_string().contains("medclip_nn::backward"));
    let both = (run() + run()).unwrap();
    let gradients = backward(&both).unwrap();
    let gradient: Vec<f32> = gradients.get(&x).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    assert_eq!(gradient, [4.0; 12], "gradients of two tapes add up");
}

fn largest(tensor: &Tensor) -> f32 {
    tensor.abs().unwrap().max_all().unwrap().to_scalar().unwrap()
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
        check(&format!("patches {geometry:?}"), std::slice::from_ref(&x), |tape, t| {
            patches(tape, &t[0], geometry)
        });
        let Padding::Explicit { before, after } = padding else { continue };

        let w = random(&[4, 3, kernel, kernel], 19);
        check("filters", &[x.clone(), w.clone()], |tape, t| {
            let (patches, filters) = (patches(tape, &t[0], geometry)?, filter_rows(tape, &t[1])?);
            product(tape, &patches, &filters)
        });
        let tape = &mut Tape::new();
        let (unfolded, filters) = (patches(tape, &x, geometry).unwrap(), filter_rows(tape, &w).unwrap());
        let ours = product(tape, &unfolded, &filters).unwrap();
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
    check("max pool", &[x], |tape, t| max_pool(tape, &t[0], geometry));
    let equal =
        Var::from_tensor(&Tensor::zeros((60, 3), candle_core::DType::F32, &Device::Cpu).unwrap()).unwrap();
    let mut tape = Tape::new();
    let y = max_pool(&mut tape, &equal, geometry).unwrap();
    let gradient = backward(&tape.finish(&y).unwrap().sum_all().unwrap()).unwrap();
    let total = gradient.get(&equal).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
    assert_eq!(total, 2.0 * 9.0 * 3.0, "a gradient goes to one of equal values");
}

#[test]
fn moved_tokens_and_zeros() {
    let moves = [Some(3), None, Some(0), Some(1), None];
    check("move tokens", &[random(&[8, 3], 20)], |tape, t| move_tokens(tape, &t[0], 2, &moves));
    for wrong in [[Some(1), Some(1)], [Some(4), None]] {
        assert!(move_tokens(&mut Tape::new(), &random(&[8, 3], 20), 2, &wrong).is_err());
    }
}

#[test]
fn rectified_shortcut_away_from_its_corner() {
    let b = random(&[7, 5], 23);
    let a = ((random(&[7, 5], 24).sign().unwrap() * 3.0).unwrap() - &b).unwrap();
    check("add relu", &[a, b], |tape, t| add_relu(tape, &t[0], &t[1]));
}
