//! The whole model: two towers, two projections, one temperature.

use candle_core::{Result, Tensor};
use medclip_core::batch::TokenBatch;
use medclip_core::{Architecture, Embeddings, LogitScale, TextTower};

use crate::compute::Compute;
use crate::params::{Init, ParameterStore};
use crate::tower::{Bert, ImageTrunk, Phase, Prefix};

/// MedCLIP with candle parameters.
pub struct MedClip {
    store: ParameterStore,
    image: ImageTrunk,
    text: Bert,
    image_projection: Tensor,
    text_projection: Tensor,
    text_projection_bias: Option<Tensor>,
    logit_scale: Tensor,
}

impl MedClip {
    /// A model with fresh weights drawn from `seed`, of which the `frozen` ones will get no gradient.
    ///
    /// # Errors
    /// When the architecture is inconsistent or the device fails.
    pub fn new(
        architecture: &Architecture,
        seed: u64,
        compute: Compute,
        frozen: impl Fn(&str) -> bool + 'static,
    ) -> Result<Self> {
        let mut store = ParameterStore::new(seed, compute, frozen);
        let TextTower::Bert(text_config) = &architecture.text;
        let image = ImageTrunk::new(&architecture.image, &mut store, "vision_model.model.")?;
        let text = Bert::new(text_config, &mut store, "text_model.model.")?;
        let dim = architecture.embedding_dim;
        let features = architecture.image.features();
        let image_projection = store.parameter(
            architecture.image.projection(),
            (dim, features),
            Init::UniformFanIn(features),
        )?;
        let width = text_config.hidden_size;
        let text_projection =
            store.parameter("text_model.projection_head.weight", (dim, width), Init::UniformFanIn(width))?;
        let text_projection_bias = text_config
            .projection_bias
            .then(|| store.parameter("text_model.projection_head.bias", dim, Init::UniformFanIn(width)))
            .transpose()?;
        let logit_scale = store.parameter("logit_scale", (), Init::Constant(LogitScale::INITIAL))?;
        Ok(Self { store, image, text, image_projection, text_projection, text_projection_bias, logit_scale })
    }

    /// Keeps the batch normalizations of the first `blocks` image blocks, and of what is below them, as they are.
    #[must_use]
    pub fn with_frozen_image_blocks(self, blocks: usize) -> Self {
        Self { image: self.image.with_frozen_blocks(blocks), ..self }
    }

    /// The parameters and buffers.
    pub const fn store(&self) -> &ParameterStore {
        &self.store
    }

    /// Unit-norm image embeddings.
    ///
    /// # Shapes
    /// - `pixels`: `[batch, channels, height, width]`, normalized
    /// - returns: `[batch, embedding_dim]`
    /// # Errors
    /// When the channels differ from the architecture's.
    pub fn embed_images(&self, pixels: &Tensor, phase: Phase) -> Result<Tensor> {
        let features = self.image.forward(pixels, phase)?;
        normalize(&features.matmul(&self.image_projection.t()?)?)
    }

    /// Every image's locations in the joint space, divided by the length that its embedding has before it is divided: their mean is
    /// the embedding.
    ///
    /// # Shapes
    /// - `pixels`: `[batch, channels, side, side]`, normalised
    /// - returns: `[batch, locations, embedding_dim]`, row by row
    /// # Errors
    /// As [`Self::embed_images`].
    pub fn locate_images(&self, pixels: &Tensor) -> Result<Tensor> {
        let locations = self.image.locations(pixels)?;
        let projected = locations.broadcast_matmul(&self.image_projection.t()?)?;
        let length = projected.mean(1)?.sqr()?.sum_keepdim(1)?.sqrt()?.maximum(1e-12)?; // (B, 1)
        projected.broadcast_div(&length.unsqueeze(2)?)
    }

    /// Unit-norm sentence embeddings.
    ///
    /// # Shapes
    /// - `tokens`: `[batch, sequence]`
    /// - returns: `[batch, embedding_dim]`
    /// # Errors
    /// When a sequence is too long or a token is outside the vocabulary.
    pub fn embed_texts(&self, tokens: &TokenBatch) -> Result<Tensor> {
        self.project_texts(&self.text.forward(tokens)?)
    }

    /// [`Self::embed_texts`] from word embeddings, which need not be any word's.
    ///
    /// # Shapes
    /// - `words`: `[batch, sequence, hidden_size]`; `mask`: `[batch · sequence]`
    /// - returns: `[batch, embedding_dim]`
    /// # Errors
    /// When a sequence is too long or the shapes differ.
    pub fn embed_words(&self, words: &Tensor, mask: &[i64]) -> Result<Tensor> {
        self.project_texts(&self.text.forward_words(words, mask)?)
    }

    /// Unit-norm embeddings of sentences whose lower layers were computed before.
    ///
    /// # Shapes
    /// - returns: `[batch, embedding_dim]`
    /// # Errors
    /// When the device fails.
    pub fn embed_prefixes(&self, prefixes: &[&Prefix]) -> Result<Tensor> {
        self.project_texts(&self.text.forward_prefixes(prefixes)?)
    }

    /// The text trunk.
    pub const fn text(&self) -> &Bert {
        &self.text
    }

    fn project_texts(&self, pooled: &Tensor) -> Result<Tensor> {
        let mut projected = pooled.matmul(&self.text_projection.t()?)?;
        if let Some(bias) = &self.text_projection_bias {
            projected = projected.broadcast_add(bias)?;
        }
        normalize(&projected)
    }

    /// `exp(logit_scale) · images · textsᵀ`, `[images, texts]`.
    ///
    /// # Errors
    /// When the widths differ.
    pub fn logits(&self, images: &Tensor, texts: &Tensor) -> Result<Tensor> {
        images.matmul(&texts.t()?)?.broadcast_mul(&self.logit_scale.exp()?)
    }

    /// The temperature as it stands.
    ///
    /// # Errors
    /// When the device fails.
    pub fn logit_scale(&self) -> Result<LogitScale> {
        Ok(LogitScale::new(self.logit_scale.to_scalar()?))
    }

    /// Brings the temperature back into [0, ln 100] after an update.
    ///
    /// # Errors
    /// When the device fails.
    pub fn clamp_logit_scale(&self) -> Result<()> {
        if let Some(var) = self.store.get("logit_scale") {
            var.set(&var.clamp(0.0_f32, LogitScale::MAX)?)?;
        }
        Ok(())
    }
}

/// `[rows, dim]` out of candle.
///
/// # Errors
/// When `embeddings` has another rank, or no columns.
pub fn to_embeddings(embeddings: &Tensor) -> Result<Embeddings> {
    let (_, dim) = embeddings.dims2()?;
    let values = embeddings.flatten_all()?.to_vec1::<f32>()?;
    Embeddings::new(values, dim).map_err(candle_core::Error::wrap)
}

/// Rows divided by their Euclidean norm.
fn normalize(x: &Tensor) -> Result<Tensor> {
    x.broadcast_div(&x.sqr()?.sum_keepdim(1)?.sqrt()?.clamp(1e-12_f32, f32::MAX)?)
}
