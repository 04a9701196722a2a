//! What the transformers share.

use candle_core::{Result, Tensor};

use crate::op::{Activation, bias_activation, layer_norm};
use crate::params::{Init, ParameterStore};

/// Standard deviation of fresh weights, as BERT and Swin were trained.
pub(super) const INITIALIZER_RANGE: f32 = 0.02;

/// A dense layer with a bias.
pub(super) struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    /// `PREFIX.weight` `[out, input]` and `PREFIX.bias`.
    pub(super) fn new(store: &mut ParameterStore, prefix: &str, out: usize, input: usize) -> Result<Self> {
        Ok(Self {
            weight: store.parameter(
                &format!("{prefix}.weight"),
                (out, input),
                Init::Normal(INITIALIZER_RANGE),
            )?,
            bias: store.parameter(&format!("{prefix}.bias"), out, Init::Constant(0.0))?,
        })
    }

    /// `[rows, input]` to `[rows, out]`.
    pub(super) fn forward(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        bias_activation(&x.matmul(&self.weight.t()?)?, &self.bias, activation)
    }
}

/// A layer normalisation.
pub(super) struct Norm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl Norm {
    /// `PREFIX.weight` and `PREFIX.bias`, `[width]`.
    pub(super) fn new(store: &mut ParameterStore, prefix: &str, width: usize, eps: f64) -> Result<Self> {
        Ok(Self {
            weight: store.parameter(&format!("{prefix}.weight"), width, Init::Constant(1.0))?,
            bias: store.parameter(&format!("{prefix}.bias"), width, Init::Constant(0.0))?,
            eps,
        })
    }

    /// `[rows, width]` to the same.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        layer_norm(x, &self.weight, &self.bias, self.eps)
    }
}
