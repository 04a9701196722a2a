//! Elementary functions that vectorize, and the dispatch to the widest instructions the CPU has.

use std::sync::LazyLock;

use pulp::Arch;

pub(crate) static ARCH: LazyLock<Arch> = LazyLock::new(Arch::new);

/// Runs a body over variables of the given types compiled for the widest vector instructions of this CPU, whatever its
/// size.
///
/// The compiler leaves a large closure out of line, and then compiles it for the oldest CPU it may run on.
///
/// With a name in front of the variables the body has the instructions under that name, to say itself what becomes a vector.
macro_rules! kernel {
    (|$($name:ident: $type:ty),+ $(,)?| -> $output:ty $body:block) => {
        $crate::cpu::simd::kernel!(_simd, |$($name: $type),+| -> $output $body)
    };
    ($simd:ident, |$($name:ident: $type:ty),+ $(,)?| -> $output:ty $body:block) => {{
        struct Kernel<'a> {
            $($name: $type,)+
            lifetime: std::marker::PhantomData<&'a ()>,
        }
        impl<'a> pulp::WithSimd for Kernel<'a> {
            type Output = $output;

            #[inline(always)]
            fn with_simd<S: pulp::Simd>(self, $simd: S) -> Self::Output {
                let Self { $($name,)+ lifetime: _ } = self;
                $body
            }
        }
        $crate::cpu::simd::ARCH.dispatch(Kernel { $($name,)+ lifetime: std::marker::PhantomData })
    }};
}

pub(crate) use kernel;

/// Runs `work`, a small loop, compiled for the widest vector instructions of this CPU; larger bodies need [`kernel`].
#[inline]
pub(crate) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    ARCH.dispatch(work)
}

/// eˣ to about 2 units in the last place, for x clamped to ±87; branch-free so that loops over it vectorize.
///
/// Range reduction and polynomial after Cephes' `expf`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "must be inlined into the caller's vector loop")]
pub(crate) fn exp(x: f32) -> f32 {
    // Adding 1.5·2²³ leaves the nearest integer in the low mantissa bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_2e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 5e-1;
    let mantissa = p * r * r + r + 1.0;
    let exponent = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    mantissa * f32::from_bits((exponent.wrapping_add(127) << 23) as u32)
}

/// The standard normal distribution function and density at x, absolute error below 2·10⁻⁷.
///
/// Φ from the error function of Abramowitz and Stegun 7.1.26, which shares its exponential with the density.
#[inline(always)]
#[allow(clippy::inline_always, reason = "must be inlined into the caller's vector loop")]
pub(crate) fn normal(x: f32) -> (f32, f32) {
    const INV_SQRT_2PI: f32 = 0.398_942_3;
    let e = exp(-0.5 * x * x);
    let t = 1.0 / (1.0 + 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2 * x.abs());
    let poly =
        t * (0.254_829_6 + t * (-0.284_496_72 + t * (1.421_413_8 + t * (-1.453_152 + t * 1.061_405_4))));
    let upper = 0.5 * poly * e;
    let cdf = if x < 0.0 { upper } else { 1.0 - upper };
    (cdf, INV_SQRT_2PI * e)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_to_the_library_over_its_range() {
        for i in -8700..=8700 {
            let x = i as f32 / 100.0;
            let (ours, exact) = (f64::from(exp(x)), f64::from(x).exp());
            assert!(((ours - exact) / exact).abs() < 3e-7, "exp({x}) = {ours}, exactly {exact}");
        }
        assert!(exp(-1e9) < 1e-37 && exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn normal_matches_tabulated_values() {
        // Python: scipy.stats.norm.cdf / pdf
        for (x, cdf, pdf) in [
            (0.0_f32, 0.5_f32, 0.398_942_3_f32),
            (1.0, 0.841_344_7, 0.241_970_72),
            (-1.0, 0.158_655_25, 0.241_970_72),
            (-2.5, 0.006_209_665_3, 0.017_528_3),
            (3.0, 0.998_650_1, 0.004_431_848_4),
        ] {
            let (c, p) = normal(x);
            assert!((c - cdf).abs() < 3e-7 && (p - pdf).abs() < 3e-7, "{x}: {c} {p}");
        }
    }
}
