//! Towers by name, and in words.

use medclip_core::architecture::{ImageTower, TextTower};
use medclip_core::{ModelConfig, ResNetConfig, SwinConfig};

/// An image tower of the published models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownTower {
    /// Swin-T.
    SwinTiny,
    /// ResNet-50.
    Resnet50,
}

impl KnownTower {
    /// Both.
    pub const ALL: [Self; 2] = [Self::SwinTiny, Self::Resnet50];

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

/// A model's text tower in words: `BERT, 12 layers of width 768, 12 heads, 28996 tokens, lower-cased`.
pub fn describe_text_tower(config: &ModelConfig) -> String {
    let TextTower::Bert(text) = &config.architecture.text;
    format!(
        "BERT, {} layers of width {}, {} heads, {} tokens{}",
        text.num_hidden_layers,
        text.hidden_size,
        text.num_attention_heads,
        text.vocab_size,
        if config.tokenizer.lowercase { ", lower-cased" } else { "" }
    )
}
