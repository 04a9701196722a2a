//! Whether the kernels are vector code: each against plain loops of the same, in one process.
//!
//! The kernels are compiled for the widest instructions of the CPU only where the compiler inlines all of a kernel's body
//! into the function that has these instructions. Which it does depends on the profile. Run in the release profile:
//! `cargo test --release -p medclip-nn --lib speed -- --ignored --nocapture`.

use std::sync::Arc;

use candle_core::{CustomOp2, CustomOp3, Tensor};

use super::attention::{Attention, Backward};
use super::batch_norm::BatchNorm;
use super::depthwise::Depthwise;
use super::gelu::{gelu, gelu_backward};
use super::layer_norm::LayerNorm;
use super::linear::{AddBias, ColumnSums};
use super::{AttentionMask, BatchNormMode, Geometry, Groups, Padding, Rectifier, attention, max_pool};
use crate::cpu::simd::{exp, normal};
use crate::cpu::{SideOutput, add_values};
use crate::stopwatch::{Comparison, alone, has_vectors, tensor};
use crate::tape::Tape;

const EPS: f32 = 1e-5;

/// The release profile has units of code generation of its own for this crate: those that the times in
/// `docs/results/training-step.md` are of. With the single unit of the other crates the compiler once left two kernels scalar.
#[test]
#[ignore = "goes with the comparison of times"]
fn speed_is_that_of_the_measured_profile() {
    let manifest = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"));
    let manifest: toml::Table = manifest.parse().unwrap();
    let units = manifest["profile"]["release"]["package"]
        .get("medclip-nn")
        .and_then(|profile| profile.get("codegen-units")?.as_integer());
    assert_eq!(units, Some(16), "[profile.release.package] medclip-nn.codegen-units");
}

#[test]
#[ignore = "compares times, which mean something in the release profile only"]
fn kernels_are_vector_code() {
    if !has_vectors() {
        println!("this CPU has no vector instructions to compile for");
        return;
    }
    let mut all = Comparison::default();
    rows(&mut all);
    layer_norm(&mut all);
    batch_norm(&mut all);
    windows(&mut all);
    heads(&mut all);
    all.check();
}

/// Rows of features: biases, sums, the Gaussian error linear unit.
fn rows(all: &mut Comparison) {
    let (height, width) = (128, 512);
    let (x, xs) = tensor([height, width], 1);
    let (g, gs) = tensor([height, width], 2);
    let (bias, biases) = tensor([width], 3);

    let y = x.copy().unwrap();
    let mut ys = xs.clone();
    all.add(
        "add bias",
        || y.inplace_op2(&bias, &AddBias).unwrap(),
        || {
            for y in ys.chunks_exact_mut(width) {
                for (y, b) in y.iter_mut().zip(&biases) {
                    *y += alone(*b);
                }
            }
        },
    );
    all.add("column sums", || x.apply_op1_no_bwd(&ColumnSums).unwrap(), || column_sums(&xs, width));
    all.add(
        "add",
        || add_values(&x, &g).unwrap(),
        || xs.iter().zip(&gs).map(|(a, b)| alone(*a) + b).collect::<Vec<f32>>(),
    );
    all.add(
        "gelu",
        || gelu(&x, &bias).unwrap(),
        || {
            let mut y = vec![0.0_f32; xs.len()];
            for (at, y) in y.iter_mut().enumerate() {
                let z = alone(xs[at]) + biases[at % width];
                *y = z * normal(z).0;
            }
            y
        },
    );
    all.add(
        "gelu backward",
        || gelu_backward(&x, &bias, &g).unwrap(),
        || {
            let mut dx = vec![0.0_f32; xs.len()];
            for (at, dx) in dx.iter_mut().enumerate() {
                let z = alone(xs[at]) + biases[at % width];
                let (cdf, density) = normal(z);
                *dx = gs[at] * (cdf + z * density);
            }
            column_sums(&dx, width)
        },
    );
}

fn column_sums(x: &[f32], width: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f32; width];
    for x in x.chunks_exact(width) {
        for (sum, x) in sums.iter_mut().zip(x) {
            *sum += alone(*x);
        }
    }
    sums
}

fn layer_norm(all: &mut Comparison) {
    let (height, width) = (128, 512);
    let (x, xs) = tensor([height, width], 4);
    let (g, gs) = tensor([height, width], 5);
    let (weight, weights) = tensor([width], 6);
    let (bias, biases) = tensor([width], 7);
    let moments = |x: &[f32]| {
        let n = x.len() as f32;
        let mean = x.iter().map(|x| alone(*x)).sum::<f32>() / n;
        let variance = x.iter().map(|x| (alone(*x) - mean).powi(2)).sum::<f32>() / n;
        (mean, 1.0 / (variance + EPS).sqrt())
    };

    let layer = LayerNorm { eps: EPS };
    all.add(
        "layer norm",
        || x.apply_op3_no_bwd(&weight, &bias, &LayerNorm { eps: EPS }).unwrap(),
        || {
            let mut y = vec![0.0_f32; xs.len()];
            for (y, x) in y.chunks_exact_mut(width).zip(xs.chunks_exact(width)) {
                let (mean, inv_std) = moments(x);
                for c in 0..width {
                    y[c] = (alone(x[c]) - mean) * inv_std * weights[c] + biases[c];
                }
            }
            y
        },
    );
    all.add(
        "layer norm backward",
        || layer.bwd(&x, &weight, &bias, &x, &g).unwrap(),
        || {
            let mut dx = vec![0.0_f32; xs.len()];
            let (mut dweight, mut dbias) = (vec![0.0_f32; width], vec![0.0_f32; width]);
            let rows = dx.chunks_exact_mut(width).zip(xs.chunks_exact(width)).zip(gs.chunks_exact(width));
            for ((dx, x), g) in rows {
                let (mean, inv_std) = moments(x);
                let (mut sum, mut dot) = (0.0, 0.0);
                for c in 0..width {
                    let normed = (alone(x[c]) - mean) * inv_std;
                    dweight[c] += g[c] * normed;
                    dbias[c] += g[c];
                    sum += g[c] * weights[c];
                    dot += g[c] * weights[c] * normed;
                    dx[c] = normed;
                }
                let (sum, dot) = (sum / width as f32, dot / width as f32);
                for c in 0..width {
                    dx[c] = inv_std * (alone(g[c]) * weights[c] - sum - dx[c] * dot);
                }
            }
            (dx, dweight, dbias)
        },
    );
}

fn batch_norm(all: &mut Comparison) {
    let (height, width) = (128, 512);
    let (x, xs) = tensor([height, width], 4);
    let (g, gs) = tensor([height, width], 5);
    let (weight, weights) = tensor([width], 6);
    let (bias, biases) = tensor([width], 7);
    let batch = || BatchNorm {
        eps: EPS,
        mode: BatchNormMode::Batch,
        rectifier: Rectifier::Relu6,
        used: Arc::new(SideOutput::default()),
    };
    let columns = |x: &[f32]| {
        let n = height as f32;
        let mean: Vec<f32> = column_sums(x, width).into_iter().map(|sum| sum / n).collect();
        let mut variance = vec![0.0_f32; width];
        for x in x.chunks_exact(width) {
            for c in 0..width {
                variance[c] += (alone(x[c]) - mean[c]).powi(2);
            }
        }
        let inv_std: Vec<f32> = variance.into_iter().map(|v| 1.0 / (v / n + EPS).sqrt()).collect();
        (mean, inv_std)
    };
    all.add(
        "batch norm",
        || x.apply_op3_no_bwd(&weight, &bias, &batch()).unwrap(),
        || {
            let (mean, inv_std) = columns(&xs);
            let mut y = vec![0.0_f32; xs.len()];
            for (y, x) in y.chunks_exact_mut(width).zip(xs.chunks_exact(width)) {
                for c in 0..width {
                    y[c] = ((alone(x[c]) - mean[c]) * inv_std[c] * weights[c] + biases[c]).clamp(0.0, 6.0);
                }
            }
            y
        },
    );
    let after = batch();
    x.apply_op3_no_bwd(&weight, &bias, &after).unwrap();
    let (mean, inv_std) = columns(&xs);
    all.add(
        "batch norm backward",
        || after.bwd(&x, &weight, &bias, &x, &g).unwrap(),
        || {
            let n = height as f32;
            let (mut dweight, mut dbias) = (vec![0.0_f32; width], vec![0.0_f32; width]);
            let mut dx = gs.clone();
            for (g, x) in dx.chunks_exact_mut(width).zip(xs.chunks_exact(width)) {
                for c in 0..width {
                    let normed = (alone(x[c]) - mean[c]) * inv_std[c];
                    let z = normed * weights[c] + biases[c];
                    g[c] = if z > 0.0 && z < 6.0 { g[c] } else { 0.0 };
                    dbias[c] += g[c];
                    dweight[c] += g[c] * normed;
                }
            }
            for (g, x) in dx.chunks_exact_mut(width).zip(xs.chunks_exact(width)) {
                for c in 0..width {
                    let normed = (alone(x[c]) - mean[c]) * inv_std[c];
                    g[c] = weights[c] * inv_std[c] * (g[c] - dbias[c] / n - normed * dweight[c] / n);
                }
            }
            (dx, dweight, dbias)
        },
    );
}

/// Windows that slide over an image.
fn windows(all: &mut Comparison) {
    let (side, channels, kernel) = (28, 64, 3);
    let geometry = Geometry {
        batch: 1,
        height: side,
        width: side,
        kernel,
        stride: 1,
        padding: Padding::Explicit { before: 1, after: 1 },
    };
    let (x, xs) = tensor([side * side, channels], 8);
    let (g, gs) = tensor([side * side, channels], 9);
    let (weight, weights) = tensor([channels, 1, kernel, kernel], 10);
    // Every pair of an output and an input it sees, with the tap it sees it through.
    let mut seen = Vec::new();
    for (out, tap) in (0..side * side).flat_map(|out| (0..kernel * kernel).map(move |tap| (out, tap))) {
        let (y, x) = (out / side + tap / kernel, out % side + tap % kernel);
        if (1..=side).contains(&y) && (1..=side).contains(&x) {
            seen.push((out * channels, ((y - 1) * side + x - 1) * channels, tap));
        }
    }
    let taps = kernel * kernel;
    all.add(
        "depthwise",
        || x.apply_op2_no_bwd(&weight, &Depthwise { geometry }).unwrap(),
        || {
            let mut y = vec![0.0_f32; xs.len()];
            for &(out, at, tap) in &seen {
                for c in 0..channels {
                    y[out + c] += alone(xs[at + c]) * weights[c * taps + tap];
                }
            }
            y
        },
    );
    let op = Depthwise { geometry };
    all.add(
        "depthwise backward",
        || op.bwd(&x, &weight, &x, &g).unwrap(),
        || {
            let (mut dx, mut dweight) = (vec![0.0_f32; xs.len()], vec![0.0_f32; weights.len()]);
            for &(out, at, tap) in &seen {
                for c in 0..channels {
                    let g = alone(gs[out + c]);
                    dx[at + c] += g * weights[c * taps + tap];
                    dweight[c * taps + tap] += g * xs[at + c];
                }
            }
            (dx, dweight)
        },
    );
    all.add(
        "max pool",
        || max_pool(&mut Tape::new(), &x, geometry).unwrap(),
        || {
            let mut y = vec![f32::NEG_INFINITY; xs.len()];
            for &(out, at, _) in &seen {
                for c in 0..channels {
                    let x = alone(xs[at + c]);
                    y[out + c] = if x > y[out + c] { x } else { y[out + c] };
                }
            }
            y
        },
    );
}

/// Attention in windows of a Swin.
fn heads(all: &mut Comparison) {
    let (count, tokens, heads, size) = (4, 49, 3, 32);
    let (rows, width) = (count * tokens, heads * size);
    let groups = Groups { groups: count, tokens, heads };
    let (x, xs) = tensor([rows, 3 * width], 11);
    let (g, gs) = tensor([rows, width], 12);
    let (bias, biases) = tensor([heads, tokens, tokens], 13);
    let reference = Reference { count, tokens, heads, size, x: &xs, bias: &biases };
    all.add(
        "attention",
        || attention(&mut Tape::new(), &x, groups, Some(&bias), AttentionMask::None).unwrap(),
        || reference.forward(),
    );
    let op = Attention { groups, size, bias: Some(biases.clone()), mask: AttentionMask::None };
    let op = Arc::new(op);
    let backward = || -> Tensor {
        let op = Backward { op: Arc::clone(&op), dbias: SideOutput::default() };
        x.apply_op2_no_bwd(&g, &op).unwrap()
    };
    all.add("attention backward", backward, || reference.backward(&gs));
}

/// Attention by its formula, a product at a time.
struct Reference<'a> {
    count: usize,
    tokens: usize,
    heads: usize,
    size: usize,
    x: &'a [f32],
    bias: &'a [f32],
}

impl Reference<'_> {
    /// Query, key or value `part` of a token: where its row of a head begins.
    fn at(&self, part: usize, group: usize, token: usize, head: usize) -> usize {
        let width = self.heads * self.size;
        ((group * self.tokens + token) * 3 + part) * width + head * self.size
    }

    fn weights(&self, group: usize, head: usize) -> Vec<f32> {
        let tokens = self.tokens;
        let scale = 1.0 / (self.size as f32).sqrt();
        let mut weights = vec![0.0_f32; tokens * tokens];
        for (query, row) in weights.chunks_exact_mut(tokens).enumerate() {
            for (key, weight) in row.iter_mut().enumerate() {
                let (q, k) = (self.at(0, group, query, head), self.at(1, group, key, head));
                let dot: f32 = (0..self.size).map(|c| alone(self.x[q + c]) * self.x[k + c]).sum();
                *weight = dot * scale + self.bias[(head * tokens + query) * tokens + key];
            }
            let largest = row.iter().fold(f32::MIN, |largest, s| largest.max(*s));
            let mut sum = 0.0;
            for weight in row.iter_mut() {
                *weight = exp(alone(*weight) - largest);
                sum += *weight;
            }
            for weight in row.iter_mut() {
                *weight = alone(*weight) / sum;
            }
        }
        weights
    }

    fn forward(&self) -> Vec<f32> {
        let width = self.heads * self.size;
        let mut y = vec![0.0_f32; self.count * self.tokens * width];
        for (group, head) in (0..self.count).flat_map(|group| (0..self.heads).map(move |head| (group, head)))
        {
            let weights = self.weights(group, head);
            for (query, key) in self.pairs() {
                let weight = weights[query * self.tokens + key];
                let to = (group * self.tokens + query) * width + head * self.size;
                let value = self.at(2, group, key, head);
                for c in 0..self.size {
                    y[to + c] += weight * alone(self.x[value + c]);
                }
            }
        }
        y
    }

    fn backward(&self, gradient: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (tokens, size) = (self.tokens, self.size);
        let width = self.heads * size;
        let scale = 1.0 / (size as f32).sqrt();
        let mut dx = vec![0.0_f32; self.x.len()];
        let mut dbias = vec![0.0_f32; self.bias.len()];
        for (group, head) in (0..self.count).flat_map(|group| (0..self.heads).map(move |head| (group, head)))
        {
            let weights = self.weights(group, head);
            let row = |token: usize| (group * tokens + token) * width + head * size;
            let mut dweights = vec![0.0_f32; tokens * tokens];
            for (query, key) in self.pairs() {
                let value = self.at(2, group, key, head);
                let weight = weights[query * tokens + key];
                let mut dot = 0.0;
                for c in 0..size {
                    let g = alone(gradient[row(query) + c]);
                    dot += g * self.x[value + c];
                    dx[value + c] += weight * g;
                }
                dweights[query * tokens + key] = dot;
            }
            for (query, (d, p)) in
                dweights.chunks_exact_mut(tokens).zip(weights.chunks_exact(tokens)).enumerate()
            {
                let dot: f32 = d.iter().zip(p).map(|(d, p)| alone(*d) * p).sum();
                for (key, (d, p)) in d.iter_mut().zip(p).enumerate() {
                    *d = p * (alone(*d) - dot);
                    dbias[(head * tokens + query) * tokens + key] += *d;
                }
            }
            for (query, key) in self.pairs() {
                let d = dweights[query * tokens + key] * scale;
                let (q, k) = (self.at(0, group, query, head), self.at(1, group, key, head));
                for c in 0..size {
                    dx[q + c] += d * alone(self.x[k + c]);
                    dx[k + c] += d * alone(self.x[q + c]);
                }
            }
        }
        (dx, dbias)
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let tokens = self.tokens;
        (0..tokens).flat_map(move |query| (0..tokens).map(move |key| (query, key)))
    }
}

/// The references compute what the kernels do.
#[test]
fn references_are_of_the_same_operations() {
    let (tokens, heads, size) = (5, 2, 4);
    let groups = Groups { groups: 2, tokens, heads };
    let (x, xs) = tensor([10, 24], 1);
    let (g, gs) = tensor([10, 8], 2);
    let (bias, biases) = tensor([heads, tokens, tokens], 3);
    let reference = Reference { count: 2, tokens, heads, size, x: &xs, bias: &biases };
    let y = attention(&mut Tape::new(), &x, groups, Some(&bias), AttentionMask::None).unwrap();
    assert_close(&y, &reference.forward());
    let op = Attention { groups, size, bias: Some(biases.clone()), mask: AttentionMask::None };
    let op = Backward { op: Arc::new(op), dbias: SideOutput::default() };
    let dx = x.apply_op2_no_bwd(&g, &op).unwrap();
    let (expected, dbias) = reference.backward(&gs);
    assert_close(&dx, &expected);
    assert!(op.dbias.take().iter().zip(&dbias).all(|(a, b)| (a - b).abs() < 1e-5));
}

fn assert_close(found: &Tensor, expected: &[f32]) {
    let found: Vec<f32> = found.flatten_all().unwrap().to_vec1().unwrap();
    assert_eq!(found.len(), expected.len());
    for (at, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() < 1e-5, "{at}: {a} and {b}");
    }
}
