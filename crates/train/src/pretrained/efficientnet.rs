//! Names of `efficientnet_lite_pytorch` to ours.

use std::collections::BTreeMap;

use candle_core::Tensor;
use medclip_core::EfficientNetConfig;

/// Renames every tensor the trunk needs; the classifier is left behind.
pub(super) fn rename(
    tensors: &BTreeMap<String, Tensor>,
    config: &EfficientNetConfig,
) -> Result<BTreeMap<String, Tensor>, String> {
    let mut out = BTreeMap::new();
    let mut take = |from: String, to: String| match tensors.get(&from) {
        Some(tensor) => {
            out.insert(format!("vision_model.model.{to}"), tensor.clone());
            Ok(())
        }
        None => Err(format!("tensor {from} is missing")),
    };
    let mut convolution = |conv: String, bn: String, to: &str| -> Result<(), String> {
        take(format!("{conv}.weight"), format!("{to}.conv.weight"))?;
        for part in ["weight", "bias", "running_mean", "running_var"] {
            take(format!("{bn}.{part}"), format!("{to}.bn.{part}"))?;
        }
        Ok(())
    };
    convolution("_conv_stem".into(), "_bn0".into(), "stem")?;
    for (index, block) in config.blocks().into_iter().enumerate() {
        let from = format!("_blocks.{index}.");
        let to = format!("blocks.{index}");
        if block.expands {
            convolution(format!("{from}_expand_conv"), format!("{from}_bn0"), &format!("{to}.expand"))?;
        }
        convolution(format!("{from}_depthwise_conv"), format!("{from}_bn1"), &format!("{to}.depthwise"))?;
        convolution(format!("{from}_project_conv"), format!("{from}_bn2"), &format!("{to}.project"))?;
    }
    convolution("_conv_head".into(), "_bn1".into(), "head")?;
    if config.channels == 1
        && let Some(stem) = out.get_mut("vision_model.model.stem.conv.weight")
    {
        *stem = stem.sum_keepdim(1).map_err(|error| error.to_string())?;
    }
    Ok(out)
}
