//! What a run leaves on disk: resumable states, and the model to export.
//!
//! A checkpoint is a directory. `weights.safetensors`, `model.toml` and `tokenizer.json` are all that
//! `medclip export` reads; a resumable one adds `parameters.safetensors` (the weights being trained, where an average
//! is exported), `optimizer.safetensors` and `state.json`. It takes its name when it is whole
//! ([`StagedDirectory`]).

mod stored;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use medclip_core::ModelConfig;
use medclip_core::checkpoint::{self, CHECKPOINT, OPTIMIZER, PARAMETERS, STATE};
use medclip_files::{MAX_TEXT_BYTES, read_regular, text};
use medclip_files::{StagedDirectory, sweep};
use serde::{Deserialize, Serialize};

pub use self::stored::StoredModel;
pub(crate) use self::stored::load_model;
use crate::early_stop::Plateau;
use crate::error::TrainError;

const BEST: &str = "best";
/// Most bytes of a file of tensors.
const MAX_WEIGHTS_BYTES: u64 = 16 << 30;
/// Most bytes of a tokenizer.
const MAX_TOKENIZER_BYTES: u64 = 64 << 20;

/// Where a run stands. With the seed it decides every later draw: random streams derive from (seed, epoch, step), so
/// there is no generator state to save.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunState {
    /// Epochs finished.
    pub epoch: u64,
    /// Steps of the optimizer finished in the current epoch.
    pub step: usize,
    /// Updates of the optimizer.
    pub optimizer_steps: u64,
    /// Updates of the weight average.
    pub ema_updates: u64,
    /// Best macro-AUROC so far.
    pub best: Option<f64>,
    /// How long there has been no improvement. Checkpoints written before there was early stopping lack it: their runs
    /// have none, and one under other settings does not go on from them.
    #[serde(default)]
    pub plateau: Plateau,
    /// SHA-256 of the training file's settings: a run does not go on under others.
    pub config_sha256: String,
    /// SHA-256 of settings, files and images together: a run does not go on with others. `None` in checkpoints written
    /// before data were recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs_sha256: Option<String>,
}

/// A resumable checkpoint in memory.
pub struct Snapshot {
    /// Where the run stands.
    pub state: RunState,
    /// Parameters and buffers being trained.
    pub parameters: BTreeMap<String, Tensor>,
    /// What is exported: the average, or the parameters again.
    pub weights: BTreeMap<String, Tensor>,
    /// Moments of the optimizer.
    pub optimizer: BTreeMap<String, Tensor>,
}

/// The checkpoints of one run, under `<output>/checkpoints` and `<output>/best`.
pub struct CheckpointStore {
    root: PathBuf,
    model: ModelConfig,
    tokenizer: PathBuf,
}

impl CheckpointStore {
    /// The store of a run that writes to `output`.
    ///
    /// # Errors
    /// [`TrainError::Io`] when the directory cannot be made.
    pub fn open(output: &Path, model: ModelConfig, tokenizer: &Path) -> Result<Self, TrainError> {
        let states = output.join("checkpoints");
        fs::create_dir_all(&states).map_err(TrainError::io(&states))?;
        sweep(&states)?;
        sweep(output)?;
        Ok(Self { root: output.to_owned(), model, tokenizer: tokenizer.to_owned() })
    }

    /// Writes a resumable checkpoint, then removes the older ones.
    ///
    /// # Errors
    /// [`TrainError`] naming the file; the previous checkpoint is then still there.
    pub fn save(&self, snapshot: &Snapshot) -> Result<(), TrainError> {
        let name = format!("step-{:010}", snapshot.state.optimizer_steps);
        let target = self.root.join("checkpoints").join(&name);
        let directory = StagedDirectory::create(&target, &CHECKPOINT)?;
        self.write_model(&directory, &snapshot.weights)?;
        write_tensors(&directory, PARAMETERS, &snapshot.parameters)?;
        write_tensors(&directory, OPTIMIZER, &snapshot.optimizer)?;
        write_json(&directory, STATE, &snapshot.state)?;
        directory.put_in_place()?;
        for old in self.checkpoints()? {
            if old != target {
                StagedDirectory::remove(&old, &CHECKPOINT)?;
            }
        }
        Ok(())
    }

    /// Writes the best model so far to `<output>/best`, with the evaluation that made it best.
    ///
    /// # Errors
    /// [`TrainError`] naming the file.
    pub fn save_best(
        &self,
        weights: &BTreeMap<String, Tensor>,
        metrics: &impl Serialize,
    ) -> Result<(), TrainError> {
        let directory = StagedDirectory::create(self.root.join(BEST), &CHECKPOINT)?;
        self.write_model(&directory, weights)?;
        write_json(&directory, checkpoint::METRICS, metrics)?;
        directory.put_in_place()?;
        Ok(())
    }

    /// The newest whole checkpoint, if the run has one.
    ///
    /// # Errors
    /// [`TrainError`] naming the file that cannot be read.
    pub fn latest(&self) -> Result<Option<Snapshot>, TrainError> {
        let Some(directory) = self.checkpoints()?.pop() else { return Ok(None) };
        let path = directory.join(STATE);
        let text = read_regular(&path, MAX_TEXT_BYTES).and_then(text).map_err(TrainError::io(&path))?;
        let state = serde_json::from_str(&text).map_err(|error| TrainError::invalid(&path, error))?;
        Ok(Some(Snapshot {
            state,
            parameters: read_tensors(&directory.join(PARAMETERS))?,
            weights: read_tensors(&directory.join(checkpoint::WEIGHTS))?,
            optimizer: read_tensors(&directory.join(OPTIMIZER))?,
        }))
    }

    /// Whole checkpoints, oldest first.
    fn checkpoints(&self) -> Result<Vec<PathBuf>, TrainError> {
        let states = self.root.join("checkpoints");
        let mut found = Vec::new();
        for entry in fs::read_dir(&states).map_err(TrainError::io(&states))? {
            let path = entry.map_err(TrainError::io(&states))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with("step-") {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    fn write_model(
        &self,
        directory: &StagedDirectory,
        weights: &BTreeMap<String, Tensor>,
    ) -> Result<(), TrainError> {
        write_model(directory, &self.model, &self.tokenizer, weights)
    }
}

fn write_model(
    directory: &StagedDirectory,
    config: &ModelConfig,
    tokenizer: &Path,
    weights: &BTreeMap<String, Tensor>,
) -> Result<(), TrainError> {
    write_tensors(directory, checkpoint::WEIGHTS, weights)?;
    let text = config.to_toml().map_err(|error| TrainError::invalid(checkpoint::MODEL, error))?;
    directory.write(checkpoint::MODEL, text.as_bytes())?;
    let tokenizer = read_regular(tokenizer, MAX_TOKENIZER_BYTES).map_err(TrainError::io(tokenizer))?;
    Ok(directory.write(checkpoint::TOKENIZER, &tokenizer)?)
}

fn write_json(directory: &StagedDirectory, name: &str, value: &impl Serialize) -> Result<(), TrainError> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|error| TrainError::invalid(name, error))?;
    Ok(directory.write(name, &bytes)?)
}

fn write_tensors(
    directory: &StagedDirectory,
    name: &str,
    tensors: &BTreeMap<String, Tensor>,
) -> Result<(), TrainError> {
    let path = directory.path().join(name);
    let ordered: Vec<(&str, &Tensor)> =
        tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    safetensors::serialize_to_file(ordered, None, &path)
        .map_err(|error| TrainError::invalid(&path, error))?;
    Ok(directory.flush(name)?)
}

/// The tensors of a safetensors file.
pub(crate) fn read_tensors(path: &Path) -> Result<BTreeMap<String, Tensor>, TrainError> {
    let bytes = read_regular(path, MAX_WEIGHTS_BYTES).map_err(TrainError::io(path))?;
    candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
        .map(|tensors| tensors.into_iter().collect())
        .map_err(|error| TrainError::invalid(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_from_before_early_stopping_reads_as_one_without() {
        let state = RunState {
            epoch: 2,
            step: 3,
            optimizer_steps: 19,
            ema_updates: 0,
            best: Some(0.75),
            plateau: Plateau { score: Some(0.75), evaluations: 1 },
            config_sha256: "00".to_owned(),
            inputs_sha256: None,
        };
        let mut value = serde_json::to_value(&state).unwrap();
        assert_eq!(serde_json::from_value::<RunState>(value.clone()).unwrap(), state);
        value.as_object_mut().unwrap().remove("plateau");
        let read: RunState = serde_json::from_value(value).unwrap();
        assert_eq!(read, RunState { plateau: Plateau::default(), ..state });
    }
}
