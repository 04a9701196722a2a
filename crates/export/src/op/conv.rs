//! Two-dimensional convolution.

use crate::graph::{Graph, Value, attribute};
use crate::op::norm::BatchNorm;
use crate::tensor::Tensor;

/// A square convolution without dilation. `weight` is `[out, in / groups, kernel, kernel]`.
#[derive(Debug)]
pub(crate) struct Conv {
    pub(crate) weight: Tensor<f32, 4>,
    pub(crate) bias: Tensor<f32, 1>,
    pub(crate) stride: usize,
    pub(crate) groups: usize,
    pub(crate) padding: Padding,
}

impl Conv {
    /// A convolution without bias and the batch normalization after it, as one convolution. Computed in
    /// double precision.
    pub(crate) fn folded(
        weight: &Tensor<f32, 4>,
        norm: &BatchNorm,
        stride: usize,
        groups: usize,
        padding: Padding,
    ) -> Self {
        let affine = norm.affine();
        let [_, channels, height, width] = weight.shape();
        let per_output = (channels * height * width).max(1);
        let mut index = 0;
        let weight = weight.map(|&value| {
            let factor = affine.get(index / per_output).map_or(f64::NAN, |&(factor, _)| factor);
            index += 1;
            (f64::from(value) * factor) as f32
        });
        let bias = Tensor::vector(affine.iter().map(|&(_, offset)| offset as f32).collect());
        Self { weight, bias, stride, groups, padding }
    }
}

/// Pixels of zeros added before and after each image axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Padding {
    pub(crate) before: usize,
    pub(crate) after: usize,
}

impl Padding {
    /// As much on every side.
    pub(crate) const fn around(size: usize) -> Self {
        Self { before: size, after: size }
    }

    /// TensorFlow's `SAME`: an axis of `size` becomes `⌈size / stride⌉`, the odd pixel going after.
    pub(crate) const fn same(size: usize, kernel: usize, stride: usize) -> Self {
        let total = ((size.div_ceil(stride) - 1) * stride + kernel).saturating_sub(size);
        Self { before: total / 2, after: total - total / 2 }
    }
}

/// Cross-correlation of `[batch, in, height, width]` with the kernel, plus bias.
pub(crate) fn conv(graph: &mut Graph, name: &str, x: Value<f32, 4>, layer: &Conv) -> Value<f32, 4> {
    let weight = graph.weight(&format!("{name}.weight"), &layer.weight);
    let bias = graph.parameter(&format!("{name}.bias"), &layer.bias);
    let [_, _, height, width] = layer.weight.shape().map(|size| size as i64);
    let (before, after) = (layer.padding.before as i64, layer.padding.after as i64);
    let attributes = vec![
        attribute::ints("kernel_shape", [height, width]),
        attribute::ints("strides", [layer.stride as i64; 2]),
        attribute::ints("pads", [before, before, after, after]),
        attribute::int("group", layer.groups as i64),
    ];
    graph.node(name, "Conv", &[x.id(), weight.id(), bias.id()], attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_is_tensorflows() {
        struct Case {
            size: usize,
            kernel: usize,
            stride: usize,
            before: usize,
            after: usize,
        }
        for Case { size, kernel, stride, before, after } in [
            Case { size: 224, kernel: 3, stride: 2, before: 0, after: 1 },
            Case { size: 225, kernel: 3, stride: 2, before: 1, after: 1 },
            Case { size: 56, kernel: 5, stride: 2, before: 1, after: 2 },
            Case { size: 57, kernel: 5, stride: 2, before: 2, after: 2 },
            Case { size: 14, kernel: 5, stride: 1, before: 2, after: 2 },
            Case { size: 1, kernel: 3, stride: 2, before: 1, after: 1 },
            Case { size: 8, kernel: 1, stride: 2, before: 0, after: 0 },
        ] {
            assert_eq!(
                Padding::same(size, kernel, stride),
                Padding { before, after },
                "{size} {kernel} {stride}"
            );
        }
    }

    #[test]
    fn folding_scales_each_output_channel() {
        let vector = |values: [f32; 2]| Tensor::vector(values.to_vec());
        let norm = BatchNorm {
            weight: vector([2.0, -1.0]),
            bias: vector([0.5, 0.0]),
            mean: vector([1.0, 3.0]),
            variance: vector([1.0, 4.0]),
            eps: 0.0,
        };
        let weight = Tensor::new([2, 1, 1, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let folded = Conv::folded(&weight, &norm, 1, 1, Padding { before: 0, after: 0 });
        assert_eq!(folded.weight.data(), [2.0, 4.0, -1.5, -2.0]);
        assert_eq!(folded.bias.data(), [-1.5, 1.5]);
    }
}
