//! A checkpoint run by candle: what exported graphs are compared with.

use std::path::Path;

use candle_core::{Device, Tensor};
use medclip_core::architecture::Architecture;
use medclip_core::{Embeddings, ImageBatch, LocationMaps, TokenBatch};
use medclip_nn::tower::Phase;
use medclip_nn::{MedClip, to_embeddings};

use crate::checkpoint::{StoredModel, load_model};
use crate::error::TrainError;

/// The forward pass of training, with the weights of a checkpoint.
pub struct ReferenceModel {
    model: MedClip,
}

impl ReferenceModel {
    /// Loads `model.toml` and `weights.safetensors` from a checkpoint directory.
    ///
    /// # Errors
    /// [`TrainError`] naming the file, and every weight that is missing, unexpected or misshapen.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, TrainError> {
        Ok(Self { model: StoredModel::open(directory)?.model(|_| true)? })
    }

    /// Takes tensors by name, sizes and values in row-major order, wherever they come from; `origin` is what errors name.
    ///
    /// # Errors
    /// [`TrainError`] with every weight that is missing, unexpected or misshapen.
    pub fn from_tensors(
        architecture: &Architecture,
        tensors: impl IntoIterator<Item = (String, Vec<usize>, Vec<f32>)>,
        origin: impl AsRef<Path>,
    ) -> Result<Self, TrainError> {
        let tensor =
            |(name, shape, values)| Ok((name, Tensor::from_vec::<_, f32>(values, shape, &Device::Cpu)?));
        let weights = tensors.into_iter().map(tensor).collect::<Result<_, TrainError>>()?;
        Ok(Self { model: load_model(architecture, &weights, origin.as_ref(), |_| true)? })
    }

    /// Unit-norm image embeddings, `[batch, embedding_dim]`.
    ///
    /// # Errors
    /// When the batch has other channels than the tower takes.
    pub fn embed_images(&self, images: &ImageBatch) -> Result<Embeddings, TrainError> {
        let pixels = Tensor::from_slice(images.data(), &images.shape(), &Device::Cpu)?;
        Ok(to_embeddings(&self.model.embed_images(&pixels, Phase::Evaluate)?)?)
    }

    /// Every image's locations in the joint space, `[batch, side, side, embedding_dim]`, whose mean is its embedding.
    ///
    /// # Errors
    /// As [`Self::embed_images`].
    pub fn locate_images(&self, images: &ImageBatch) -> Result<LocationMaps, TrainError> {
        let pixels = Tensor::from_slice(images.data(), &images.shape(), &Device::Cpu)?;
        let located = self.model.locate_images(&pixels)?;
        let (batch, locations, dim) = located.dims3()?;
        // Images are square, and so are maps.
        let side = locations.isqrt();
        let values = located.flatten_all()?.to_vec1()?;
        LocationMaps::new(values, [batch, side, side, dim])
            .map_err(|error| candle_core::Error::wrap(error).into())
    }

    /// Unit-norm sentence embeddings, `[batch, embedding_dim]`.
    ///
    /// # Errors
    /// When a sentence is too long or a token is outside the vocabulary.
    pub fn embed_texts(&self, tokens: &TokenBatch) -> Result<Embeddings, TrainError> {
        Ok(to_embeddings(&self.model.embed_texts(tokens)?)?)
    }
}
