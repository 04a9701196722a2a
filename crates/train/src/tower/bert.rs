//! BERT, the text tower.

use candle_core::{Result, Tensor, bail};
use medclip_core::architecture::TextPooling;
use medclip_core::{BertConfig, batch::TokenBatch};

use crate::op::{Activation, attention_softmax, bias_activation, layer_norm};
use crate::params::{Init, ParameterStore};

/// Standard deviation of fresh weights, as BERT was trained.
const INITIALIZER_RANGE: f32 = 0.02;

/// The trunk: tokens to one vector a sentence.
pub struct Bert {
    config: BertConfig,
    word: Tensor,
    position: Tensor,
    token_type: Tensor,
    norm: Norm,
    layers: Vec<Layer>,
}

impl Bert {
    /// Adds the trunk's parameters to `store` under `prefix`.
    ///
    /// # Errors
    /// When a name is taken or the heads do not divide the width.
    pub fn new(config: &BertConfig, store: &mut ParameterStore, prefix: &str) -> Result<Self> {
        if config.num_attention_heads == 0 || !config.hidden_size.is_multiple_of(config.num_attention_heads) {
            bail!("{} heads do not divide a width of {}", config.num_attention_heads, config.hidden_size);
        }
        if config.num_hidden_layers == 0 {
            bail!("a text tower needs at least one layer");
        }
        let width = config.hidden_size;
        let mut table = |name: &str, rows: usize| {
            store.parameter(
                &format!("{prefix}embeddings.{name}.weight"),
                (rows, width),
                Init::Normal(INITIALIZER_RANGE),
            )
        };
        let word = table("word_embeddings", config.vocab_size)?;
        let position = table("position_embeddings", config.max_position_embeddings)?;
        let token_type = table("token_type_embeddings", config.type_vocab_size)?;
        let norm = Norm::new(store, &format!("{prefix}embeddings.LayerNorm"), config)?;
        let layers = (0..config.num_hidden_layers)
            .map(|k| Layer::new(store, &format!("{prefix}encoder.layer.{k}"), config))
            .collect::<Result<_>>()?;
        Ok(Self { config: config.clone(), word, position, token_type, norm, layers })
    }

    /// Pooled hidden states: the mean over tokens of the states after layers 1, 2 and the last.
    ///
    /// # Shapes
    /// - `tokens`: `[batch, sequence]`
    /// - returns: `[batch, hidden_size]`
    /// # Errors
    /// When a sequence is longer than the position table or a token id is outside the vocabulary.
    /// # Source
    /// The reference's `MedCLIPTextModel`; its mean runs over padding too ([`TextPooling::Reference`]).
    pub fn forward(&self, tokens: &TokenBatch) -> Result<Tensor> {
        let [batch, sequence] = tokens.shape();
        let width = self.config.hidden_size;
        if sequence > self.config.max_position_embeddings {
            bail!("{sequence} tokens, the position table has {}", self.config.max_position_embeddings);
        }
        let vocabulary = self.config.vocab_size as i64;
        if let Some(id) = tokens.ids().iter().find(|id| !(0..vocabulary).contains(id)) {
            bail!("token id {id} is outside the vocabulary of {vocabulary}");
        }
        let device = self.word.device();
        let ids = Tensor::from_slice(tokens.ids(), batch * sequence, device)?;
        let words = self.word.index_select(&ids, 0)?.reshape((batch, sequence, width))?;
        let places = self.position.narrow(0, 0, sequence)?.broadcast_add(&self.token_type.narrow(0, 0, 1)?)?;
        let x = words.broadcast_add(&places.unsqueeze(0)?)?.reshape((batch * sequence, width))?;
        let mut x = self.norm.forward(&x)?; // (B·S, W)
        let mut states = Vec::with_capacity(3);
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&x, tokens)?;
            if index < 2 || index + 1 == self.layers.len() {
                states.push(x.clone());
            }
        }
        // hidden_states[1], [2] and [-1] of the reference, which coincide in shallow trunks.
        let last = states.len() - 1;
        let sum = ((&states[0] + &states[1.min(last)])? + &states[last])?;
        let mean_of_states = (sum / 3.0)?.reshape((batch, sequence, width))?;
        let weights = Tensor::from_vec(self.token_weights(tokens), (batch, 1, sequence), device)?;
        weights.matmul(&mean_of_states)?.squeeze(1) // (B, 1, S) · (B, S, W)
    }

    /// Weight of each token in the mean.
    fn token_weights(&self, tokens: &TokenBatch) -> Vec<f32> {
        let [_, sequence] = tokens.shape();
        match self.config.pooling {
            TextPooling::Reference => vec![1.0 / sequence as f32; tokens.mask().len()],
            TextPooling::Masked => tokens
                .mask()
                .chunks(sequence)
                .flat_map(|mask| {
                    let count = mask.iter().sum::<i64>().max(1) as f32;
                    mask.iter().map(move |m| *m as f32 / count)
                })
                .collect(),
        }
    }
}

struct Layer {
    heads: usize,
    query: Linear,
    key: Linear,
    value: Linear,
    attention_output: Linear,
    attention_norm: Norm,
    intermediate: Linear,
    output: Linear,
    output_norm: Norm,
}

impl Layer {
    fn new(store: &mut ParameterStore, prefix: &str, config: &BertConfig) -> Result<Self> {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        let mut linear = |name: &str, out, input| Linear::new(store, &format!("{prefix}.{name}"), out, input);
        let query = linear("attention.self.query", width, width)?;
        let key = linear("attention.self.key", width, width)?;
        let value = linear("attention.self.value", width, width)?;
        let attention_output = linear("attention.output.dense", width, width)?;
        let intermediate = linear("intermediate.dense", inner, width)?;
        let output = linear("output.dense", width, inner)?;
        Ok(Self {
            heads: config.num_attention_heads,
            query,
            key,
            value,
            attention_output,
            attention_norm: Norm::new(store, &format!("{prefix}.attention.output.LayerNorm"), config)?,
            intermediate,
            output,
            output_norm: Norm::new(store, &format!("{prefix}.output.LayerNorm"), config)?,
        })
    }

    fn forward(&self, x: &Tensor, tokens: &TokenBatch) -> Result<Tensor> {
        let [batch, sequence] = tokens.shape();
        let (rows, width) = x.dims2()?;
        let size = width / self.heads;
        let split = |t: Tensor| t.reshape((batch, sequence, self.heads, size))?.transpose(1, 2)?.contiguous();
        let query = split(self.query.forward(x, Activation::Identity)?)?; // (B, h, S, d)
        let key = split(self.key.forward(x, Activation::Identity)?)?;
        let value = split(self.value.forward(x, Activation::Identity)?)?;
        let scores = query.matmul(&key.t()?)?; // (B, h, S, S)
        let weights = attention_softmax(&scores, tokens.mask(), 1.0 / (size as f32).sqrt())?;
        let mixed = weights.matmul(&value)?.transpose(1, 2)?.contiguous()?.reshape((rows, width))?;
        let attended = self.attention_output.forward(&mixed, Activation::Identity)?;
        let x = self.attention_norm.forward(&(attended + x)?)?;
        let inner = self.intermediate.forward(&x, Activation::Gelu)?;
        let out = self.output.forward(&inner, Activation::Identity)?;
        self.output_norm.forward(&(out + x)?)
    }
}

struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    fn new(store: &mut ParameterStore, prefix: &str, out: usize, input: usize) -> Result<Self> {
        Ok(Self {
            weight: store.parameter(&format!("{prefix}.weight"), (out, input), Init::Normal(INITIALIZER_RANGE))?,
            bias: store.parameter(&format!("{prefix}.bias"), out, Init::Constant(0.0))?,
        })
    }

    fn forward(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        bias_activation(&x.matmul(&self.weight.t()?)?, &self.bias, activation)
    }
}

struct Norm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl Norm {
    fn new(store: &mut ParameterStore, prefix: &str, config: &BertConfig) -> Result<Self> {
        Ok(Self {
            weight: store.parameter(&format!("{prefix}.weight"), config.hidden_size, Init::Constant(1.0))?,
            bias: store.parameter(&format!("{prefix}.bias"), config.hidden_size, Init::Constant(0.0))?,
            eps: config.layer_norm_eps,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        layer_norm(x, &self.weight, &self.bias, self.eps)
    }
}
