//! What the transformers share.

use candle_core::{Result, Tensor};

use crate::op::{layer_norm, linear_add, linear_gelu, linear3};
use crate::params::{Init, ParameterStore};
use crate::tape::Tape;

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

    /// `[rows, input]` to `[rows, out]`, a shortcut of that shape added.
    pub(super) fn forward_add(&self, tape: &mut Tape, x: &Tensor, shortcut: &Tensor) -> Result<Tensor> {
        linear_add(tape, x, &self.weight, &self.bias, shortcut)
    }

    /// `[rows, input]` to `[rows, out]`, then a Gaussian error linear unit.
    pub(super) fn forward_gelu(&self, tape: &mut Tape, x: &Tensor) -> Result<Tensor> {
        linear_gelu(tape, x, &self.weight, &self.bias)
    }
}

/// The queries, keys and values of attention.
pub(super) struct Projections {
    query: Linear,
    key: Linear,
    value: Linear,
}

impl Projections {
    /// `PREFIX.query`, `PREFIX.key` and `PREFIX.value`.
    pub(super) fn new(store: &mut ParameterStore, prefix: &str, width: usize) -> Result<Self> {
        let mut linear = |name: &str| Linear::new(store, &format!("{prefix}.{name}"), width, width);
        Ok(Self { query: linear("query")?, key: linear("key")?, value: linear("value")? })
    }

    /// `[rows, width]` to `[rows, 3 · width]`.
    pub(super) fn forward(&self, tape: &mut Tape, x: &Tensor) -> Result<Tensor> {
        let Self { query, key, value } = self;
        let weights = [&query.weight, &key.weight, &value.weight];
        linear3(tape, x, weights, [&query.bias, &key.bias, &value.bias])
    }
}

/// A layer normalization.
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
    pub(super) fn forward(&self, tape: &mut Tape, x: &Tensor) -> Result<Tensor> {
        layer_norm(tape, x, &self.weight, &self.bias, self.eps)
    }
}
