//! BERT, the text tower.

use candle_core::{DType, Result, Tensor, bail};
use medclip_core::architecture::TextPooling;
use medclip_core::{BertConfig, batch::TokenBatch};

use crate::compute::ComputePrecision;
use crate::op::{AttentionMask, Groups, add, attention, embedding, pool};
use crate::params::{Init, ParameterStore};
use crate::tape::Tape;
use crate::tower::layer::{INITIALIZER_RANGE, Linear, Norm, Projections};

/// The trunk: tokens to one vector a sentence.
pub struct Bert {
    config: BertConfig,
    precision: ComputePrecision,
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
        let norm = Norm::new(store, &format!("{prefix}embeddings.LayerNorm"), width, config.layer_norm_eps)?;
        let layers = (0..config.num_hidden_layers)
            .map(|k| Layer::new(store, &format!("{prefix}encoder.layer.{k}"), config))
            .collect::<Result<_>>()?;
        let (config, precision) = (config.clone(), store.precision());
        Ok(Self { config, precision, word, position, token_type, norm, layers })
    }

    /// Longest sequence it takes, in tokens.
    pub const fn max_tokens(&self) -> usize {
        self.config.max_position_embeddings
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
        let tape = &mut Tape::new().with_precision(self.precision);
        let x = self.embed(tape, tokens)?;
        self.encode(tape, x, tokens.mask(), tokens.shape())
    }

    /// [`Self::forward`] from word embeddings, which need not be any word's: positions, segment 0 and everything above
    /// them are added here. The gradient goes on into the graph that `words` comes from.
    ///
    /// # Shapes
    /// - `words`: `[batch, sequence, hidden_size]`, as [`Self::words`] gives them
    /// - `mask`: `[batch · sequence]`, 1 for a token and 0 for padding
    /// - returns: `[batch, hidden_size]`
    /// # Errors
    /// When a sequence is longer than the position table, or the shapes differ.
    pub fn forward_words(&self, words: &Tensor, mask: &[i64]) -> Result<Tensor> {
        let (batch, sequence, width) = words.dims3()?;
        if mask.len() != batch * sequence {
            bail!("{batch} sequences of {sequence} tokens and a mask of {}", mask.len());
        }
        let tape = &mut Tape::continuing(words).with_precision(self.precision);
        let words = tape.reshape(words, (batch * sequence, width))?;
        let x = self.place(tape, &words, [batch, sequence])?;
        self.encode(tape, x, mask, [batch, sequence])
    }

    /// From placed words, `[batch · sequence, width]`, to pooled states; takes what is on the tape.
    fn encode(&self, tape: &mut Tape, mut x: Tensor, mask: &[i64], shape: [usize; 2]) -> Result<Tensor> {
        let mut sum: Option<Tensor> = None;
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(tape, &x, mask, shape)?;
            // hidden_states[1], [2] and [-1] of the reference, which coincide in shallow trunks.
            let picks = self.picks(index);
            if picks > 0 {
                let share = picks as f32 / 3.0;
                let weights = self.token_weights(mask, shape[1]).into_iter().map(|w| w * share).collect();
                let pooled = pool(tape, &x, shape[0], weights)?;
                sum = Some(match sum {
                    Some(sum) => add(tape, &sum, &pooled)?,
                    None => pooled,
                });
            }
        }
        let Some(sum) = sum else { bail!("a text tower needs at least one layer") };
        std::mem::take(tape).finish(&sum)
    }

    /// How often the state after layer `index` enters the mean of three.
    fn picks(&self, index: usize) -> usize {
        let last = self.layers.len() - 1;
        [0, 1.min(last), last].iter().filter(|pick| **pick == index).count()
    }

    /// What the lowest `layers` layers make of one sentence, to be computed once where they are frozen.
    ///
    /// # Errors
    /// When `layers` does not leave a layer to train above the second, the pooling depends on padding, or a token is
    /// outside the vocabulary.
    pub fn prefix(&self, tokens: &TokenBatch, layers: usize) -> Result<Prefix> {
        let ([batch, sequence], mask) = (tokens.shape(), tokens.mask());
        if batch != 1
            || self.config.pooling != TextPooling::Masked
            || !(2..self.layers.len()).contains(&layers)
        {
            bail!("no prefix of {layers} of {} layers for {batch} sentences", self.layers.len());
        }
        let tape = &mut Tape::new().with_precision(self.precision);
        let mut x = self.embed(tape, tokens)?;
        let mut early: Option<Tensor> = None;
        for (index, layer) in self.layers[..layers].iter().enumerate() {
            x = layer.forward(tape, &x, mask, [batch, sequence])?;
            if index < 2 {
                let pooled = pool(tape, &x, batch, self.token_weights(mask, sequence))?;
                early = Some(match early {
                    Some(early) => add(tape, &early, &pooled)?,
                    None => pooled,
                });
            }
        }
        let Some(early) = early else { bail!("no prefix of 0 layers") };
        Ok(Prefix {
            layers,
            sequence,
            state: x.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?,
            early: early.flatten_all()?.to_vec1()?,
        })
    }

    /// [`Self::forward`] for sentences whose lower layers are known.
    ///
    /// # Shapes
    /// - returns: `[prefixes, hidden_size]`
    /// # Errors
    /// When there is no prefix or they are of different depths.
    pub fn forward_prefixes(&self, prefixes: &[&Prefix]) -> Result<Tensor> {
        let (batch, width) = (prefixes.len(), self.config.hidden_size);
        let Some(first) = prefixes.first() else { bail!("no sentence") };
        if prefixes.iter().any(|prefix| prefix.layers != first.layers) {
            bail!("prefixes of different depths");
        }
        let sequence = prefixes.iter().map(|prefix| prefix.sequence).max().unwrap_or(0);
        let mut states = vec![0.0_f32; batch * sequence * width];
        let mut mask = vec![0_i64; batch * sequence];
        for (index, prefix) in prefixes.iter().enumerate() {
            states[index * sequence * width..][..prefix.state.len()].copy_from_slice(&prefix.state);
            mask[index * sequence..][..prefix.sequence].fill(1);
        }
        let device = self.word.device();
        let early: Vec<f32> = prefixes.iter().flat_map(|prefix| prefix.early.iter().copied()).collect();
        let early = Tensor::from_vec(early, (batch, width), device)?;
        let tape = &mut Tape::new().with_precision(self.precision);
        let mut x = tape.enter(&Tensor::from_vec(states, (batch * sequence, width), device)?)?;
        for layer in &self.layers[first.layers..] {
            x = layer.forward(tape, &x, &mask, [batch, sequence])?;
        }
        let last = pool(tape, &x, batch, self.token_weights(&mask, sequence))?;
        let last = std::mem::take(tape).finish(&last)?;
        (early + last)? / 3.0
    }

    /// Rows of the word table: what [`Self::forward_words`] takes.
    ///
    /// # Shapes
    /// - `tokens`: `[batch, sequence]`
    /// - returns: `[batch, sequence, hidden_size]`
    /// # Errors
    /// When a token id is outside the vocabulary.
    pub fn words(&self, tokens: &TokenBatch) -> Result<Tensor> {
        let [batch, sequence] = tokens.shape();
        self.known(tokens)?;
        let ids = Tensor::from_slice(tokens.ids(), batch * sequence, self.word.device())?;
        self.word.index_select(&ids, 0)?.reshape((batch, sequence, self.config.hidden_size))
    }

    /// Words, positions and segment 0, normalized: `[batch · sequence, width]`.
    fn embed(&self, tape: &mut Tape, tokens: &TokenBatch) -> Result<Tensor> {
        self.known(tokens)?;
        let ids = tokens.ids().iter().map(|id| *id as usize).collect();
        let words = embedding(tape, &self.word, ids)?; // (B·S, W)
        self.place(tape, &words, tokens.shape())
    }

    /// Fails for a token that there is no row for.
    fn known(&self, tokens: &TokenBatch) -> Result<()> {
        let vocabulary = self.config.vocab_size as i64;
        if let Some(id) = tokens.ids().iter().find(|id| !(0..vocabulary).contains(id)) {
            bail!("token id {id} is outside the vocabulary of {vocabulary}");
        }
        Ok(())
    }

    /// Words with positions and segment 0, normalized: `[batch · sequence, width]`.
    fn place(&self, tape: &mut Tape, words: &Tensor, [batch, sequence]: [usize; 2]) -> Result<Tensor> {
        if sequence > self.config.max_position_embeddings {
            bail!("{sequence} tokens, the position table has {}", self.config.max_position_embeddings);
        }
        let places = embedding(tape, &self.position, (0..sequence).cycle().take(batch * sequence).collect())?;
        let segments = embedding(tape, &self.token_type, vec![0; batch * sequence])?;
        let x = add(tape, words, &places)?;
        let x = add(tape, &x, &segments)?;
        let x = self.norm.forward(tape, &x)?;
        tape.enter(&x)
    }

    /// Weight of each token in the mean.
    fn token_weights(&self, mask: &[i64], sequence: usize) -> Vec<f32> {
        match self.config.pooling {
            TextPooling::Reference => vec![1.0 / sequence as f32; mask.len()],
            TextPooling::Masked => mask
                .chunks(sequence)
                .flat_map(|mask| {
                    let count = mask.iter().sum::<i64>().max(1) as f32;
                    mask.iter().map(move |m| *m as f32 / count)
                })
                .collect(),
        }
    }
}

/// One sentence after the lower layers.
pub struct Prefix {
    layers: usize,
    sequence: usize,
    /// `[sequence, width]`.
    state: Vec<f32>,
    /// Sum of the pooled states after layers 1 and 2, `[width]`.
    early: Vec<f32>,
}

impl Prefix {
    /// Tokens of the sentence.
    pub const fn sequence(&self) -> usize {
        self.sequence
    }
}

struct Layer {
    heads: usize,
    projections: Projections,
    attention_output: Linear,
    attention_norm: Norm,
    intermediate: Linear,
    output: Linear,
    output_norm: Norm,
}

impl Layer {
    fn new(store: &mut ParameterStore, prefix: &str, config: &BertConfig) -> Result<Self> {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        let projections = Projections::new(store, &format!("{prefix}.attention.self"), width)?;
        let mut linear = |name: &str, out, input| Linear::new(store, &format!("{prefix}.{name}"), out, input);
        let attention_output = linear("attention.output.dense", width, width)?;
        let intermediate = linear("intermediate.dense", inner, width)?;
        let output = linear("output.dense", width, inner)?;
        let mut norm = |name: &str| {
            Norm::new(store, &format!("{prefix}.{name}.LayerNorm"), width, config.layer_norm_eps)
        };
        Ok(Self {
            heads: config.num_attention_heads,
            projections,
            attention_output,
            attention_norm: norm("attention.output")?,
            intermediate,
            output,
            output_norm: norm("output")?,
        })
    }

    fn forward(
        &self,
        tape: &mut Tape,
        x: &Tensor,
        mask: &[i64],
        [batch, sequence]: [usize; 2],
    ) -> Result<Tensor> {
        let projected = self.projections.forward(tape, x)?; // (B·S, 3·W)
        let groups = Groups { groups: batch, tokens: sequence, heads: self.heads };
        let mixed = attention(tape, &projected, groups, None, AttentionMask::keys(mask))?;
        let attended = self.attention_output.forward_add(tape, &mixed, x)?;
        let x = self.attention_norm.forward(tape, &attended)?;
        let inner = self.intermediate.forward_gelu(tape, &x)?;
        let out = self.output.forward_add(tape, &inner, &x)?;
        self.output_norm.forward(tape, &out)
    }
}
