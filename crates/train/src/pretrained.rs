//! Weights to start from, under this project's names.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use medclip_core::ImageTower;
use medclip_weights::TensorFile;
use medclip_weights::names::{Layout, Mapping};

use crate::error::TrainError;

const IMAGE: &str = "vision_model.model.";
const TEXT: &str = "text_model.model.";

/// The trunk of an image tower, as `vision_model.model.*`, without the head it was trained with: a Swin transformer of
/// Hugging Face or timm, a `ResNet` of torchvision, an EfficientNet-Lite of `efficientnet_lite_pytorch`, or that of a
/// whole MedCLIP.
///
/// With one input channel the first filters are summed over the colors, which is the same as repeating a gray channel
/// three times.
///
/// # Errors
/// [`TrainError::Weights`] and [`TrainError::Names`] for a file that cannot be read, [`TrainError::Invalid`] for one that
/// is not of this kind of tower.
pub fn image(path: &Path, tower: &ImageTower) -> Result<BTreeMap<String, Tensor>, TrainError> {
    let fits = |layout| match tower {
        ImageTower::Swin(_) => {
            matches!(layout, Layout::HuggingFaceSwin | Layout::TimmSwin | Layout::MedClip)
        }
        ImageTower::Resnet(_) => matches!(layout, Layout::TorchvisionResNet | Layout::MedClip),
        ImageTower::EfficientnetLite(_) => matches!(layout, Layout::EfficientNetLite | Layout::MedClip),
    };
    let projection = tower.projection();
    load(path, fits, |mapping| {
        let mapping = mapping.retain(|name| name.starts_with(IMAGE) && name != projection);
        if tower.channels() == 1 { mapping.with_one_channel() } else { mapping }
    })
}

/// A BERT of Hugging Face (MiniLM, BERT, BioClinicalBERT), or the one of a whole MedCLIP, as `text_model.model.*`; its
/// pooler is left out.
///
/// # Errors
/// As [`image()`].
pub fn text(path: &Path) -> Result<BTreeMap<String, Tensor>, TrainError> {
    let fits = |layout| matches!(layout, Layout::HuggingFaceBert | Layout::MedClip);
    load(path, fits, |mapping| mapping.retain(|name| name.starts_with(TEXT)))
}

fn load(
    path: &Path,
    fits: impl Fn(Layout) -> bool,
    choose: impl FnOnce(Mapping) -> Mapping,
) -> Result<BTreeMap<String, Tensor>, TrainError> {
    let mut file = TensorFile::open(path)?;
    let mapping = Mapping::of(&file)?;
    let layout = mapping.layout();
    let mapping = choose(mapping);
    let shapes = mapping.shapes();
    if !fits(layout) || shapes.is_empty() {
        return Err(TrainError::invalid(path, format!("is {}, not the tower's kind", layout.description())));
    }
    let tensor = |(name, shape): (String, Vec<usize>)| {
        let values = mapping.read(&mut file, &name)?;
        Ok((name, Tensor::from_vec(values, shape, &Device::Cpu)?))
    };
    shapes.into_iter().map(tensor).collect()
}
