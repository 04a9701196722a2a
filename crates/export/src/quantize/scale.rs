//! Numbers to 8-bit numbers and what they stand for.

/// Weights as signed 8-bit numbers, with a scale for every entry along one axis: `w ≈ scale[channel] · q`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PerChannel {
    pub(super) values: Vec<i8>,
    pub(super) scales: Vec<f32>,
}

/// Largest magnitude of a quantized weight: −128 is left out, so that the range is symmetric and 0 stays 0.
const LARGEST: f32 = 127.0;

impl PerChannel {
    /// Rounds to the nearest, ties to even, with `scale[channel] = max |w| / 127`, but at least `least_scale(channel)`.
    ///
    /// `shape` is that of `data`; `axis` counts channels.
    pub(super) fn new(
        data: &[f32],
        shape: &[usize],
        axis: usize,
        least_scale: impl Fn(usize) -> f32,
    ) -> Self {
        let channels = shape.get(axis).copied().unwrap_or(1);
        let inner: usize = shape.iter().skip(axis + 1).product();
        let channel = |index: usize| index / inner.max(1) % channels.max(1);
        let mut scales = vec![0.0_f32; channels];
        for (index, value) in data.iter().enumerate() {
            let largest = &mut scales[channel(index)];
            *largest = largest.max(value.abs());
        }
        for (index, scale) in scales.iter_mut().enumerate() {
            *scale = (*scale / LARGEST).max(least_scale(index));
            if *scale < f32::MIN_POSITIVE || scale.is_nan() {
                *scale = 1.0;
            }
        }
        let round = |(index, value): (usize, &f32)| {
            (value / scales[channel(index)]).round_ties_even().clamp(-LARGEST, LARGEST) as i8
        };
        Self { values: data.iter().enumerate().map(round).collect(), scales }
    }
}

/// How activations become unsigned 8-bit numbers: `x ≈ scale · (q − zero)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Affine {
    pub(super) scale: f32,
    pub(super) zero: u8,
}

impl Affine {
    /// The widest use of 256 levels for values from `low` to `high`, which are widened to hold 0: padding must be exact.
    pub(super) fn new(low: f32, high: f32) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let scale = (high - low) / 255.0;
        if scale < f32::MIN_POSITIVE || scale.is_nan() {
            return Self { scale: 1.0, zero: 0 };
        }
        Self { scale, zero: (-low / scale).round_ties_even().clamp(0.0, 255.0) as u8 }
    }
}

/// A bias as the accumulator's whole numbers: those of `scale` = activation scale · weight scale.
pub(super) fn bias(data: &[f32], scales: &[f32]) -> Vec<i32> {
    data.iter().zip(scales).map(|(value, scale)| (value / scale).round_ties_even() as i32).collect()
}

/// Least scale of weights with which a bias still is a 32-bit number, with room for the sum of products.
pub(super) fn least_scale(bias: f32, activation: f32) -> f32 {
    const ROOM: f32 = (1_u32 << 30) as f32;
    bias.abs() / ROOM / activation
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Channel by channel, index by index.
    fn reference(data: &[f32], shape: [usize; 3], axis: usize) -> (Vec<i8>, Vec<f32>) {
        let mut scales = vec![0.0; shape[axis]];
        let mut values = vec![0; data.len()];
        for (channel, scale) in scales.iter_mut().enumerate() {
            let mut members = Vec::new();
            for a in 0..shape[0] {
                for b in 0..shape[1] {
                    for c in 0..shape[2] {
                        if [a, b, c][axis] == channel {
                            members.push((a * shape[1] + b) * shape[2] + c);
                        }
                    }
                }
            }
            let largest = members.iter().map(|&index| data[index].abs()).fold(0.0, f32::max);
            *scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
            for index in members {
                values[index] = (data[index] / *scale).round_ties_even() as i8;
            }
        }
        (values, scales)
    }

    #[test]
    fn weights_are_those_of_the_slow_way_along_every_axis() {
        let shape = [3, 4, 5];
        let data: Vec<f32> = (0..60).map(|k| ((k * k * 7 + k) % 31) as f32 - 11.5).collect();
        for axis in 0..3 {
            let found = PerChannel::new(&data, &shape, axis, |_| 0.0);
            let (values, scales) = reference(&data, shape, axis);
            assert_eq!((found.values, found.scales), (values, scales), "axis {axis}");
        }
    }

    #[test]
    fn a_channel_without_weights_keeps_its_bias() {
        let activation = 0.02;
        let found = PerChannel::new(&[0.0, 0.0, 1.0, 2.0], &[2, 2], 0, |_| least_scale(3.0, activation));
        let scales: Vec<f32> = found.scales.iter().map(|scale| scale * activation).collect();
        let whole = bias(&[3.0, 3.0], &scales);
        for (whole, scale) in whole.iter().zip(&scales) {
            assert!((*whole as f32 * scale - 3.0).abs() < 1e-4 && *whole <= 1 << 30);
        }
        assert_eq!(PerChannel::new(&[0.0], &[1], 0, |_| 0.0).scales, [1.0], "nothing to scale");
    }

    #[test]
    fn activations_keep_zero_exactly() {
        for (low, high) in [(-1.0, 3.0), (0.5, 6.0), (-4.0, -1.0), (0.0, 0.0), (-1e-3, 7.0)] {
            let Affine { scale, zero } = Affine::new(low, high);
            let (least, most) = (-f32::from(zero) * scale, f32::from(255 - zero) * scale);
            let slack = scale * 0.51;
            assert!(least <= low.min(0.0) + slack && most >= high.max(0.0) - slack, "{low} to {high}");
        }
    }
}
