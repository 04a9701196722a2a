//! Image towers by name, and in words.

use medclip_core::architecture::ImageTower;
use medclip_core::{ResNetConfig, SwinConfig};

/// An image tower of the published models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownTower {
    /// Swin-T.
    SwinTiny,
    /// ResNet-50.
    Resnet50,
}

impl KnownTower {
    /// `swin-tiny` or `resnet50`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SwinTiny => "swin-tiny",
            Self::Resnet50 => "resnet50",
        }
    }

    /// Whether `tower` is this one, whatever its channels.
    pub fn is(self, tower: &ImageTower) -> bool {
        *tower
            == match self {
                Self::SwinTiny => ImageTower::Swin(SwinConfig::tiny(tower.channels())),
                Self::Resnet50 => ImageTower::Resnet(ResNetConfig::resnet50(tower.channels())),
            }
    }
}

/// An image tower in words: `a ResNet of width 64, blocks [3, 4, 6, 3]`.
pub fn describe_image_tower(tower: &ImageTower) -> String {
    match tower {
        ImageTower::EfficientnetLite(sizes) => format!("an EfficientNet-Lite of {} features", sizes.head),
        ImageTower::Swin(sizes) => format!(
            "a Swin transformer of width {}, depths {:?}, window {}",
            sizes.embed_dim, sizes.depths, sizes.window_size
        ),
        ImageTower::Resnet(sizes) => format!("a ResNet of width {}, blocks {:?}", sizes.width, sizes.blocks),
    }
}
