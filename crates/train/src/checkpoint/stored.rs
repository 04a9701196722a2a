//! A checkpoint directory opened to go on from it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use medclip_core::{Architecture, ModelConfig, Tokenizer, checkpoint};
use medclip_files::StagedDirectory;
use medclip_nn::{Compute, MedClip};

use super::{read_tensors, write_model};
use crate::error::TrainError;

/// What `model.toml` and `weights.safetensors` of a checkpoint directory hold, whatever wrote it: training, or
/// `medclip restore`.
pub struct StoredModel {
    directory: PathBuf,
    config: ModelConfig,
    weights: BTreeMap<String, Tensor>,
}

impl StoredModel {
    /// Reads a checkpoint directory.
    ///
    /// # Errors
    /// [`TrainError`] naming the file that cannot be read.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, TrainError> {
        let directory = directory.as_ref().to_owned();
        let path = directory.join(checkpoint::MODEL);
        let config = ModelConfig::open(&path).map_err(|error| TrainError::invalid(&path, error))?;
        let weights = read_tensors(&directory.join(checkpoint::WEIGHTS))?;
        Ok(Self { directory, config, weights })
    }

    /// What `model.toml` says.
    pub const fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Path of the weights.
    pub fn weights_path(&self) -> PathBuf {
        self.directory.join(checkpoint::WEIGHTS)
    }

    /// The model, of which the `frozen` parameters get no gradient.
    ///
    /// # Errors
    /// [`TrainError`] with every weight that is missing, unexpected or misshapen.
    pub fn model(&self, frozen: impl Fn(&str) -> bool + 'static) -> Result<MedClip, TrainError> {
        load_model(&self.config.architecture, &self.weights, &self.weights_path(), frozen)
    }

    /// The tokenizer.
    ///
    /// # Errors
    /// [`TrainError::Tokenize`] when there is none or it is none of BERT's kind.
    pub fn tokenizer(&self) -> Result<Tokenizer, TrainError> {
        let path = self.directory.join(checkpoint::TOKENIZER);
        Ok(Tokenizer::open(path, self.config.tokenizer.clone())?)
    }

    /// Writes other weights of this architecture as a checkpoint directory with this tokenizer; one that is there is
    /// replaced.
    ///
    /// # Errors
    /// [`TrainError`] naming the file that cannot be read or written.
    pub fn write_with(
        &self,
        directory: &Path,
        config: &ModelConfig,
        weights: &BTreeMap<String, Tensor>,
    ) -> Result<(), TrainError> {
        let staged = StagedDirectory::create(directory, &checkpoint::CHECKPOINT)?;
        write_model(&staged, config, &self.directory.join(checkpoint::TOKENIZER), weights)?;
        Ok(staged.put_in_place()?)
    }
}

/// A model of exactly these weights; `origin` is what errors name.
pub(crate) fn load_model(
    architecture: &Architecture,
    weights: &BTreeMap<String, Tensor>,
    origin: &Path,
    frozen: impl Fn(&str) -> bool + 'static,
) -> Result<MedClip, TrainError> {
    let model = MedClip::new(architecture, 0, Compute::cpu(), frozen)?;
    let missing: Vec<String> =
        model.store().all().into_keys().filter(|name| !weights.contains_key(name)).collect();
    if !missing.is_empty() {
        return Err(TrainError::invalid(origin, format!("lacks {}", missing.join(", "))));
    }
    model.store().load(weights).map_err(|error| TrainError::invalid(origin, error))?;
    Ok(model)
}
