//! Depthwise convolution with the channels innermost, for tract on x86-64.
//!
//! tract lays out convolutional towers so and has this kernel for ARM and WebAssembly; on x86-64 it would take a generic loop,
//! which is more than half of the time of an EfficientNet. Its registry of kernels is open to other crates.

use std::sync::LazyLock;

use pulp::{Arch, Simd, WithSimd};
use tract_linalg::isa::{Arch as Architecture, Isa, IsaReq};
use tract_linalg::routines::{Func, Routine, RoutineFactory};

static ARCH: LazyLock<Arch> = LazyLock::new(Arch::new);

/// How many output positions share a load of the weights.
const POSITIONS: usize = 4;

// A kernel of tract's own for the same instructions would go before this one, by its name.
inventory::submit! {
    Routine {
        func: Func::DepthwiseC,
        arch: Some(Architecture::X86_64),
        isa: IsaReq::ANY.needing(&[Isa::X86_64Avx2, Isa::X86_64Fma]),
        boost: 0,
        round_trip: false,
        factory: RoutineFactory::DepthwiseCF32 { name: NAME, run: depthwise },
    }
}

const NAME: &str = "medclip_depthwise_c_f32";

/// A run of output positions, as [`tract_linalg::routines::DepthwiseCF32`] describes it.
///
/// # Safety
///
/// That of `DepthwiseCF32`: for every position, tap and channel the input, the weights and the biases can be read and the
/// output can be written.
#[allow(unsafe_code, reason = "tract hands its kernels pointers")]
#[allow(clippy::too_many_arguments, reason = "tract's signature")]
unsafe fn depthwise(
    input: *const f32,
    output: *mut f32,
    weights: *const f32,
    taps: &[usize],
    offsets: &[isize],
    bias: *const f32,
    channels: usize,
    tap_stride: usize,
    positions: usize,
    input_stride: isize,
    output_stride: isize,
) {
    let run = Run {
        input,
        output,
        weights,
        taps,
        offsets,
        bias,
        channels,
        tap_stride,
        positions,
        input_stride,
        output_stride,
    };
    ARCH.dispatch(run);
}

/// The arguments of [`depthwise`].
struct Run<'a> {
    input: *const f32,
    output: *mut f32,
    weights: *const f32,
    taps: &'a [usize],
    offsets: &'a [isize],
    bias: *const f32,
    channels: usize,
    tap_stride: usize,
    positions: usize,
    input_stride: isize,
    output_stride: isize,
}

#[allow(clippy::inline_always, reason = "must be compiled for the instructions that were found")]
impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let vectors = self.channels / lanes * lanes;
        for channel in (0..vectors).step_by(lanes) {
            let mut position = 0;
            while position < self.positions {
                position += match self.positions - position {
                    POSITIONS.. => self.vector::<S, POSITIONS>(simd, channel, position),
                    3 => self.vector::<S, 3>(simd, channel, position),
                    2 => self.vector::<S, 2>(simd, channel, position),
                    _ => self.vector::<S, 1>(simd, channel, position),
                };
            }
        }
        for channel in vectors..self.channels {
            for position in 0..self.positions {
                self.scalar(channel, position);
            }
        }
    }
}

#[allow(
    unsafe_code,
    reason = "every position, tap and channel below their numbers can be reached: the caller's promise"
)]
#[allow(clippy::inline_always, reason = "must be compiled for the instructions that were found")]
impl Run<'_> {
    /// As many channels as a vector has, at `N` positions; gives `N`.
    #[inline(always)]
    fn vector<S: Simd, const N: usize>(&self, simd: S, channel: usize, position: usize) -> usize {
        let load = |from: *const f32| unsafe { from.cast::<S::f32s>().read_unaligned() };
        let (input, output) =
            unsafe { (self.input_at(channel, position), self.output_at(channel, position)) };
        let mut sums = [load(unsafe { self.bias.add(channel) }); N];
        for (tap, offset) in self.taps.iter().zip(self.offsets) {
            let weight = load(unsafe { self.weights.add(tap * self.tap_stride + channel) });
            for (step, sum) in sums.iter_mut().enumerate() {
                let value = load(unsafe { input.offset(step as isize * self.input_stride + offset) });
                *sum = simd.mul_add_e_f32s(value, weight, *sum);
            }
        }
        for (step, sum) in sums.into_iter().enumerate() {
            let to = unsafe { output.offset(step as isize * self.output_stride) };
            unsafe { to.cast::<S::f32s>().write_unaligned(sum) };
        }
        N
    }

    #[inline(always)]
    fn scalar(&self, channel: usize, position: usize) {
        let (input, output) =
            unsafe { (self.input_at(channel, position), self.output_at(channel, position)) };
        let mut sum = unsafe { *self.bias.add(channel) };
        for (tap, offset) in self.taps.iter().zip(self.offsets) {
            let weight = unsafe { *self.weights.add(tap * self.tap_stride + channel) };
            sum = unsafe { *input.offset(*offset) }.mul_add(weight, sum);
        }
        unsafe { *output = sum };
    }

    unsafe fn input_at(&self, channel: usize, position: usize) -> *const f32 {
        unsafe { self.input.offset(position as isize * self.input_stride).add(channel) }
    }

    unsafe fn output_at(&self, channel: usize, position: usize) -> *mut f32 {
        unsafe { self.output.offset(position as isize * self.output_stride).add(channel) }
    }
}

#[cfg(test)]
mod tests {
    use tract_linalg::isa;
    use tract_linalg::routines::best_for;
    use tract_onnx::prelude::DatumType;

    use super::*;

    const WIDTH: usize = 80;
    const ROWS: usize = 24;

    fn values(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 37 + seed * 101) % 199) as f32 / 100.0 - 1.0).collect()
    }

    #[test]
    fn tract_finds_it_on_cpus_that_can_run_it() {
        let here = isa::native();
        let found = best_for(Func::DepthwiseC, DatumType::F32, &here).map(Routine::name);
        let able = here.has(Isa::X86_64Avx2) && here.has(Isa::X86_64Fma);
        assert_eq!(found, able.then_some(NAME));
    }

    /// Blocks of channels, whole vectors and rest, every remainder of positions, and both strides.
    #[test]
    #[allow(unsafe_code, reason = "calls the kernel as tract does")]
    fn equals_the_sum_that_defines_it() {
        let (input, weights, bias) = (values(ROWS * WIDTH, 1), values(9 * WIDTH, 2), values(WIDTH, 3));
        // Three taps of nine, one of them before the position that the input's pointer is at.
        let (taps, offsets) = ([1, 4, 8], [-(WIDTH as isize), 0, 2 * WIDTH as isize]);
        for (first, channels) in [(0, WIDTH), (3, 1), (0, 7), (5, 16), (16, 61), (0, 33)] {
            for (positions, stride) in [(1, 1), (2, 2), (3, 1), (4, 1), (5, 2), (7, 1), (9, 2)] {
                let mut output = vec![f32::NAN; positions * WIDTH];
                unsafe {
                    depthwise(
                        input.as_ptr().add(WIDTH + first),
                        output.as_mut_ptr().add(first),
                        weights.as_ptr().add(first),
                        &taps,
                        &offsets,
                        bias.as_ptr().add(first),
                        channels,
                        WIDTH,
                        positions,
                        (stride * WIDTH) as isize,
                        WIDTH as isize,
                    );
                }
                for (index, &value) in output.iter().enumerate() {
                    let (position, channel) = (index / WIDTH, index % WIDTH);
                    if !(first..first + channels).contains(&channel) {
                        assert!(value.is_nan(), "channel {channel} is another block's");
                        continue;
                    }
                    let at = ((1 + position * stride) * WIDTH + channel) as isize;
                    let sum = taps.iter().zip(&offsets).fold(bias[channel], |sum, (tap, offset)| {
                        sum + input[(at + offset) as usize] * weights[tap * WIDTH + channel]
                    });
                    assert!((value - sum).abs() < 1e-5, "{value} for {sum} at {position}, {channel}");
                }
            }
        }
    }
}
