//! Sentences of a batch to embeddings, as cheaply as the frozen layers and their lengths allow.

use candle_core::Tensor;
use medclip_core::BertConfig;
use medclip_core::architecture::TextPooling;
use medclip_core::tokenize::Tokenizer;
use medclip_nn::MedClip;
use medclip_nn::tower::Prefix;

use crate::config::TrainConfig;
use crate::error::TrainError;

/// Groups of similar length a batch is split into: each is padded to its own longest sentence only.
const GROUPS: usize = 4;

/// Embeds sentences of a fixed pool by index.
///
/// Where the lower layers of the text tower are frozen, what they make of a sentence never changes and is kept: about
/// 1.5 KB a token for a width of 384.
pub struct SentenceEncoder {
    /// Frozen layers worth skipping; 0 when the whole tower runs each time.
    frozen_layers: usize,
    prefixes: Vec<Option<Prefix>>,
}

impl SentenceEncoder {
    /// An encoder for `count` sentences of this text tower under this configuration.
    pub fn new(config: &TrainConfig, tower: &BertConfig, count: usize) -> Self {
        let frozen = config.text.freeze_layers;
        // Pooling over padding makes of a sentence something else in every batch.
        let keeps = config.text.freeze_embeddings
            && (2..tower.num_hidden_layers).contains(&frozen)
            && tower.pooling == TextPooling::Masked;
        Self { frozen_layers: if keeps { frozen } else { 0 }, prefixes: (0..count).map(|_| None).collect() }
    }

    /// Unit-norm embeddings of `sentences`, `[sentences, embedding_dim]`; `indices` names them in the pool.
    ///
    /// # Errors
    /// [`TrainError`] when a sentence cannot be tokenized or the tower fails.
    pub fn embed(
        &mut self,
        model: &MedClip,
        tokenizer: &Tokenizer,
        indices: &[usize],
        sentences: &[&str],
    ) -> Result<Tensor, TrainError> {
        if self.frozen_layers == 0 {
            return Ok(model.embed_texts(&tokenizer.batch(sentences)?)?);
        }
        for (index, sentence) in indices.iter().zip(sentences) {
            if self.prefixes[*index].is_none() {
                let tokens = tokenizer.batch(&[sentence])?;
                self.prefixes[*index] = Some(model.text().prefix(&tokens, self.frozen_layers)?);
            }
        }
        let prefixes: Vec<&Prefix> =
            indices.iter().filter_map(|index| self.prefixes[*index].as_ref()).collect();
        let mut order: Vec<usize> = (0..prefixes.len()).collect();
        order.sort_by_key(|position| prefixes[*position].sequence());
        let mut parts = Vec::with_capacity(GROUPS);
        for group in order.chunks(order.len().div_ceil(GROUPS)) {
            let group: Vec<&Prefix> = group.iter().map(|position| prefixes[*position]).collect();
            parts.push(model.embed_prefixes(&group)?);
        }
        // Row k of the parts belongs at position order[k].
        let mut back = vec![0_u32; order.len()];
        for (row, position) in order.iter().enumerate() {
            back[*position] = row as u32;
        }
        let count = back.len();
        let sorted = Tensor::cat(&parts, 0)?;
        Ok(sorted.index_select(&Tensor::from_vec(back, count, sorted.device())?, 0)?)
    }
}
