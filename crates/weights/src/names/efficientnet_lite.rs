//! Names of `efficientnet_lite_pytorch`.

use super::resnet::is_norm;
use super::{Renamed, indexed};

/// Its names. In a block `_bn0` follows the expansion, `_bn1` the depthwise convolution, `_bn2` the projection.
pub(crate) fn lite_pytorch(name: &str) -> Option<Renamed> {
    let (prefix, part) = match name.strip_prefix("_blocks.").and_then(indexed) {
        Some((block, part)) => (format!("blocks.{block}."), part),
        None => (String::new(), name),
    };
    let (stem, leaf) = part.split_once('.')?;
    let to = match (prefix.is_empty(), stem) {
        (true, "_conv_stem") => "stem.conv",
        (true, "_bn0") => "stem.bn",
        (true, "_conv_head") => "head.conv",
        (true, "_bn1") => "head.bn",
        (false, "_expand_conv") => "expand.conv",
        (false, "_bn0") => "expand.bn",
        (false, "_depthwise_conv") => "depthwise.conv",
        (false, "_bn1") => "depthwise.bn",
        (false, "_project_conv") => "project.conv",
        (false, "_bn2") => "project.bn",
        _ => return None,
    };
    let known = if to.ends_with("conv") { leaf == "weight" } else { is_norm(part) };
    known.then(|| Renamed::To(format!("{prefix}{to}.{leaf}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalizations_follow_their_convolutions() {
        for (from, to) in [
            ("_bn1.running_mean", "head.bn.running_mean"),
            ("_blocks.4._bn1.bias", "blocks.4.depthwise.bn.bias"),
            ("_blocks.4._expand_conv.weight", "blocks.4.expand.conv.weight"),
        ] {
            assert_eq!(lite_pytorch(from), Some(Renamed::To(to.to_owned())));
        }
        for name in ["_blocks.4._se_reduce.weight", "_conv_stem.bias", "_blocks.4._conv_stem.weight"] {
            assert_eq!(lite_pytorch(name), None, "{name}");
        }
    }
}
