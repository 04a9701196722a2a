//! Differentiable operations that candle lacks, or computes without a gradient or too slowly on a CPU.
//!
//! candle 0.11's fused layer norm and softmax return no gradient at all, its grouped convolution runs group by
//! group, and its broadcast-and-reduce forms touch memory many times. Each operation here has a forward and a
//! backward pass of its own on a [`Tape`](crate::Tape), checked against finite differences in
//! `tests/gradients.rs`. Image activations are rows of pixels, `[batch · height · width, channels]`, so that 1×1
//! convolutions are plain matrix products and everything else vectorizes over channels.
//!
//! They take `f32` on the CPU. Anything else, a GPU or `bf16`, goes through `portable`, the same operations made of candle's.
//!
//! Sums are split into chunks that depend on the sizes only, never on the number of threads, so that a run
//! gives the same bits however many cores it had.

mod add;
mod attention;
mod batch_norm;
mod depthwise;
mod embedding;
mod gelu;
mod geometry;
mod layer_norm;
mod linear;
mod max_pool;
mod patches;
mod pool;
mod portable;
mod residual;
#[cfg(test)]
mod speed;
mod tile;
mod tokens;

pub use add::add;
pub use attention::attention;
pub use attention::mask::{AttentionMask, Groups};
pub use batch_norm::batch_norm;
pub use batch_norm::mode::{BatchNormMode, Rectifier};
pub use batch_norm::statistics::BatchStatistics;
pub use depthwise::depthwise_conv;
pub use embedding::embedding;
pub use geometry::{Geometry, Padding};
pub use layer_norm::layer_norm;
pub use linear::{linear, linear_add, linear_gelu, linear3, product};
pub use max_pool::max_pool;
pub use patches::{filter_rows, patches};
pub use pool::pool;
pub use residual::add_relu;
pub use tokens::move_tokens;
