//! The same operations made of candle's own, for what the kernels beside this module do not take: other devices than the
//! CPU and other types than `f32`.
//!
//! Statistics, probabilities and sums are formed in `f32` where values are narrower. Parameters are `f32` and brought to
//! the type of what they meet; their gradients come out in the parameters' own. `tests.rs` compares every operation
//! with its kernel.

mod attention;
mod cast;
mod linear;
mod norm;
mod rows;
#[cfg(test)]
mod tests;
mod window;

pub(super) use attention::attention;
pub(super) use linear::{column_sums, gelu, gelu_backward, with_bias};
pub(super) use norm::{batch_norm, layer_norm};
pub(super) use rows::{add_relu, embedding, pool};
pub(super) use window::{depthwise_conv, max_pool, move_tokens, patches};
