//! Times of a kernel and of the same in scalar code, in one process.

use std::hint::black_box;
use std::time::Instant;

use candle_core::{Device, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How much faster each kernel has to be than its scalar reference.
const LEAST: f64 = 2.0;
/// Pairs of timings, of which the fastest of either side counts: another program slows some of them, hardly all.
const ROUNDS: usize = 40;

/// A value that the compiler has to handle on its own, so that no loop over it becomes a vector loop.
#[inline(always)]
#[allow(clippy::inline_always, reason = "a call would cost more than the arithmetic it stands beside")]
pub(crate) fn alone(value: f32) -> f32 {
    black_box(value)
}

/// How many times as fast as its reference each kernel is, by name.
#[derive(Default)]
pub(crate) struct Comparison {
    ratios: Vec<(&'static str, f64)>,
}

impl Comparison {
    /// Times both in turns on one thread.
    pub(crate) fn add<A: Send, B: Send>(
        &mut self,
        name: &'static str,
        mut kernel: impl FnMut() -> A + Send,
        mut reference: impl FnMut() -> B + Send,
    ) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let ratio = pool.install(|| {
            let (mut fast, mut slow) = (f64::INFINITY, f64::INFINITY);
            for _ in 0..ROUNDS {
                fast = fast.min(seconds(&mut kernel));
                slow = slow.min(seconds(&mut reference));
            }
            slow / fast
        });
        self.ratios.push((name, ratio));
    }

    /// Fails unless every kernel was fast enough, with a table of all.
    pub(crate) fn check(&self) {
        let lines: Vec<String> =
            self.ratios.iter().map(|(name, ratio)| format!("{name:<24} {ratio:>6.1} ×")).collect();
        let table = lines.join("\n");
        println!("{table}");
        let slow: Vec<&str> =
            self.ratios.iter().filter(|(_, ratio)| *ratio < LEAST).map(|(name, _)| *name).collect();
        assert!(
            slow.is_empty(),
            "not {LEAST} times as fast as scalar code: {}; the profile of the crate leaves these kernels scalar\n{table}",
            slow.join(", ")
        );
    }
}

fn seconds<T>(work: &mut impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64()
}

/// Whether this CPU has the vector instructions that the kernels are compiled for beyond the oldest.
pub(crate) fn has_vectors() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        true
    }
}

/// Values from −1 to 1.
pub(crate) fn values(count: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// A tensor of them, with the values beside it.
pub(crate) fn tensor<const N: usize>(shape: [usize; N], seed: u64) -> (Tensor, Vec<f32>) {
    let values = values(shape.iter().product(), seed);
    (Tensor::from_slice(&values, shape.as_slice(), &Device::Cpu).unwrap(), values)
}
