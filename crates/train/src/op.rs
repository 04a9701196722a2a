//! Differentiable operations that candle lacks, or computes without a gradient or too slowly on a CPU.
//!
//! candle 0.11's fused layer norm and softmax return no gradient at all, its grouped convolution runs group by
//! group, and its broadcast-and-reduce forms touch memory many times. Each operation here has a forward and a
//! backward pass of its own, checked against finite differences in `tests/gradients.rs`. Image activations are
//! rows of pixels, `[batch · height · width, channels]`, so that 1×1 convolutions are plain matrix products
//! and everything else vectorises over channels.
//!
//! Sums are split into chunks that depend on the sizes only, never on the number of threads, so that a run
//! gives the same bits however many cores it had.

mod batch_norm;
mod bias;
mod depthwise;
mod geometry;
mod layer_norm;
mod max_pool;
mod patches;
mod residual;
mod side;
mod simd;
mod softmax;
mod storage;
mod tokens;
mod window_softmax;

pub use batch_norm::{BatchNormMode, BatchStatistics, Rectifier, batch_norm};
pub use bias::{Activation, bias_activation};
pub use depthwise::depthwise_conv;
pub use geometry::{Geometry, Padding};
pub use layer_norm::layer_norm;
pub use max_pool::max_pool;
pub use patches::{filter_rows, patches};
pub use residual::add_relu;
pub use softmax::attention_softmax;
pub use tokens::move_tokens;
pub use window_softmax::window_softmax;

pub(crate) use simd::vectorised;
pub(crate) use storage::{contiguous, contiguous_mut};
