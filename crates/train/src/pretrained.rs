//! Weights to start from, under this project's names.

mod efficientnet;
mod torch_legacy;

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use medclip_core::EfficientNetConfig;

use crate::error::TrainError;

/// An ImageNet EfficientNet-Lite as `efficientnet_lite_pytorch` saves it, as `vision_model.model.*`.
///
/// With one input channel the stem's filters are summed over the colours, which is the same as repeating a grey
/// channel three times.
///
/// # Errors
/// [`TrainError::Invalid`] naming the file and the tensor it lacks.
pub fn efficientnet(
    path: &Path,
    config: &EfficientNetConfig,
) -> Result<BTreeMap<String, Tensor>, TrainError> {
    let tensors = read(path)?;
    efficientnet::rename(&tensors, config).map_err(|reason| TrainError::invalid(path, reason))
}

/// A Hugging Face `BertModel` (MiniLM, BERT, BioClinicalBERT), as `text_model.model.*`; its pooler and position ids
/// are left out.
///
/// # Errors
/// [`TrainError::Invalid`] naming the file.
pub fn bert(path: &Path) -> Result<BTreeMap<String, Tensor>, TrainError> {
    let renamed: BTreeMap<String, Tensor> = read(path)?
        .into_iter()
        .map(|(name, tensor)| (name.strip_prefix("bert.").unwrap_or(&name).to_owned(), tensor))
        .filter(|(name, _)| {
            (name.starts_with("embeddings.") || name.starts_with("encoder."))
                && !name.ends_with("position_ids")
        })
        .map(|(name, tensor)| {
            let name = name
                .replace("LayerNorm.gamma", "LayerNorm.weight")
                .replace("LayerNorm.beta", "LayerNorm.bias");
            (format!("text_model.model.{name}"), tensor)
        })
        .collect();
    if renamed.is_empty() {
        return Err(TrainError::invalid(path, "holds no tensor of a BERT encoder"));
    }
    Ok(renamed)
}

/// All tensors of a safetensors file, a PyTorch zip or a legacy PyTorch file.
fn read(path: &Path) -> Result<BTreeMap<String, Tensor>, TrainError> {
    let mut magic = [0_u8; 2];
    let mut file = std::fs::File::open(path).map_err(TrainError::io(path))?;
    std::io::Read::read_exact(&mut file, &mut magic).map_err(TrainError::io(path))?;
    let tensors = match magic {
        [b'P', b'K'] => candle_core::pickle::read_all(path).map(|all| all.into_iter().collect()),
        [0x80, _] => torch_legacy::read_all(path),
        _ => candle_core::safetensors::load(path, &Device::Cpu).map(|all| all.into_iter().collect()),
    };
    tensors.map_err(|error| TrainError::invalid(path, error))
}
