//! Names of torchvision's `ResNet`, which are kept.

use super::{Renamed, dense, indexed};

/// A name that the trunk has; its `fc` is the caller's to judge.
pub(crate) fn torchvision(name: &str) -> Option<Renamed> {
    let part = match name.strip_prefix("layer") {
        Some(rest) => indexed(rest).and_then(|(_, rest)| indexed(rest))?.1,
        None => name,
    };
    let in_block = part.len() != name.len();
    let (stem, leaf) = part.rsplit_once('.')?;
    let known = match stem {
        "conv1" => leaf == "weight",
        "bn1" => is_norm(part),
        "conv2" | "conv3" | "downsample.0" => in_block && leaf == "weight",
        "bn2" | "bn3" | "downsample.1" => in_block && is_norm(part),
        _ => false,
    };
    known.then(|| Renamed::To(name.to_owned()))
}

/// A learned or accumulated part of a batch normalization.
pub(crate) fn is_norm(name: &str) -> bool {
    dense(name).is_some() || name.ends_with(".running_mean") || name.ends_with(".running_var")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_bottlenecks() {
        for name in ["conv1.weight", "bn1.running_var", "layer3.5.conv3.weight", "layer1.0.downsample.1.bias"]
        {
            assert_eq!(torchvision(name), Some(Renamed::To(name.to_owned())));
        }
        for name in
            ["conv1.bias", "conv2.weight", "layer1.0.fc.weight", "layer1.conv1.weight", "layer1.0.bn1.mean"]
        {
            assert_eq!(torchvision(name), None, "{name}");
        }
    }
}
