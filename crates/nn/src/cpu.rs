//! What the kernels share: slices of candle's storage, vector code, and sums without a gradient.
//!
//! The tape adds gradients and every operation computes with these, so they know neither.

mod pointwise;
mod side;
pub(crate) mod simd;
mod storage;

pub(crate) use pointwise::{add_values, pointwise};
pub(crate) use side::{SideOutput, sum_rows};
pub(crate) use simd::{kernel, vectorized};
pub(crate) use storage::{contiguous, contiguous_mut, has_kernel};
