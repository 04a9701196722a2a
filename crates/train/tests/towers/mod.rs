//! Image towers of a few channels, one of each kind.

use std::path::{Path, PathBuf};

use medclip_core::architecture::EfficientNetStage;
use medclip_core::{EfficientNetConfig, ImageTower};

/// A file beside the exporter's golden files.
pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../export/tests/golden").join(name)
}

/// A tower of the golden files.
pub(crate) fn tower(name: &str) -> ImageTower {
    toml::from_str(&std::fs::read_to_string(golden(name)).unwrap()).unwrap()
}

pub(crate) fn efficientnet_lite() -> ImageTower {
    let stage = |expand, stride| EfficientNetStage { blocks: 2, kernel: 3, stride, expand, channels: 8 };
    let stages = vec![stage(1, 1), stage(2, 2)];
    let sizes = EfficientNetConfig { stem: 8, stages, head: 12, ..EfficientNetConfig::lite0(1) };
    ImageTower::EfficientnetLite(sizes)
}
