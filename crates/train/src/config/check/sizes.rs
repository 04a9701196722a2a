//! Towers that cannot be built, or that cannot take the input they are given.

use std::ops::RangeInclusive;

use medclip_core::architecture::limits::{DEPTHS, FACTORS, SIZES, STAGES, STRIDES, WIDTHS};
use medclip_core::preprocess::{PreprocessConfig, Preprocessor};
use medclip_core::tokenize::TokenizerConfig;
use medclip_core::{
    BertConfig, EfficientNetConfig, ImageTower, ModelConfig, ResNetConfig, SwinConfig, TextTower,
};

use super::refused;
use crate::config::TrainConfig;
use crate::error::TrainError;

const IMAGE: &str = "image.tower";
const TEXT: &str = "text.tower";

/// Checks the sizes of both towers, and each against its input.
///
/// # Errors
/// [`TrainError::Setting`] naming the field of the training file.
pub(super) fn check(config: &TrainConfig, model: &ModelConfig) -> Result<(), TrainError> {
    within("embedding_dim", "", config.embedding_dim, SIZES)?;
    let image = &model.architecture.image;
    let blocks = match image {
        ImageTower::EfficientnetLite(sizes) => efficientnet_lite(sizes)?,
        ImageTower::Swin(sizes) => swin(sizes)?,
        ImageTower::Resnet(sizes) => resnet(sizes)?,
    };
    let TextTower::Bert(text) = &model.architecture.text;
    bert(text)?;

    let channels = image.channels();
    if channels != config.image.channels {
        return Err(refused(
            "image.channels",
            format!("is {}, the image tower takes {channels}", config.image.channels),
        ));
    }
    within("image.size", "", config.image.size, 1..=PreprocessConfig::MAX_IMAGE_SIZE)?;
    Preprocessor::new(model.preprocess.clone()).map_err(|error| refused("image", error.to_string()))?;
    if let ImageTower::Swin(sizes) = image {
        sizes.plan(config.image.size).map_err(|error| refused("image.size", error.to_string()))?;
    }
    within("image.freeze_blocks", "", config.image.freeze_blocks, 0..=blocks)?;
    within("text.freeze_layers", "", config.text.freeze_layers, 0..=text.num_hidden_layers)?;
    let longest = text.max_position_embeddings.min(TokenizerConfig::MAX_LENGTH);
    within("text.max_length", "", config.text.max_length, TokenizerConfig::MIN_LENGTH..=longest)
}

/// Returns the number of blocks, as the others do.
fn efficientnet_lite(sizes: &EfficientNetConfig) -> Result<usize, TrainError> {
    within(IMAGE, "stem", sizes.stem, WIDTHS)?;
    within(IMAGE, "head", sizes.head, SIZES)?;
    within(IMAGE, "the number of stages", sizes.stages.len(), DEPTHS)?;
    for stage in &sizes.stages {
        within(IMAGE, "blocks", stage.blocks, DEPTHS)?;
        within(IMAGE, "kernel", stage.kernel, FACTORS)?;
        within(IMAGE, "stride", stage.stride, STRIDES)?;
        within(IMAGE, "expand", stage.expand, FACTORS)?;
        within(IMAGE, "channels of a stage", stage.channels, WIDTHS)?;
    }
    Ok(sizes.blocks().len())
}

fn swin(sizes: &SwinConfig) -> Result<usize, TrainError> {
    let stages = sizes.depths.len();
    within(IMAGE, "embed_dim", sizes.embed_dim, WIDTHS)?;
    within(IMAGE, "patch_size", sizes.patch_size, FACTORS)?;
    within(IMAGE, "window_size", sizes.window_size, FACTORS)?;
    within(IMAGE, "mlp_ratio", sizes.mlp_ratio, FACTORS)?;
    within(IMAGE, "the number of depths", stages, STAGES)?;
    within(IMAGE, "the number of num_heads", sizes.num_heads.len(), stages..=stages)?;
    for (stage, (depth, heads)) in sizes.depths.iter().zip(&sizes.num_heads).enumerate() {
        within(IMAGE, "depths", *depth, DEPTHS)?;
        divides(IMAGE, *heads, sizes.width(stage))?;
    }
    Ok(sizes.depths.iter().sum())
}

fn resnet(sizes: &ResNetConfig) -> Result<usize, TrainError> {
    within(IMAGE, "width", sizes.width, WIDTHS)?;
    within(IMAGE, "the number of blocks", sizes.blocks.len(), STAGES)?;
    for blocks in &sizes.blocks {
        within(IMAGE, "blocks", *blocks, DEPTHS)?;
    }
    Ok(sizes.blocks.iter().sum())
}

fn bert(sizes: &BertConfig) -> Result<(), TrainError> {
    within(TEXT, "vocab_size", sizes.vocab_size, SIZES)?;
    within(TEXT, "hidden_size", sizes.hidden_size, SIZES)?;
    within(TEXT, "intermediate_size", sizes.intermediate_size, SIZES)?;
    within(TEXT, "max_position_embeddings", sizes.max_position_embeddings, SIZES)?;
    within(TEXT, "type_vocab_size", sizes.type_vocab_size, SIZES)?;
    within(TEXT, "num_hidden_layers", sizes.num_hidden_layers, 2..=*DEPTHS.end())?;
    divides(TEXT, sizes.num_attention_heads, sizes.hidden_size)
}

/// Refuses `what` of `field`, or `field` itself, outside `range`.
fn within(
    field: &'static str,
    what: &str,
    value: usize,
    range: RangeInclusive<usize>,
) -> Result<(), TrainError> {
    if range.contains(&value) {
        return Ok(());
    }
    let (low, high) = range.into_inner();
    let allowed = if low == high { low.to_string() } else { format!("from {low} to {high}") };
    let what = if what.is_empty() { String::new() } else { format!("{what} ") };
    Err(refused(field, format!("{what}is {value}, must be {allowed}")))
}

fn divides(field: &'static str, heads: usize, width: usize) -> Result<(), TrainError> {
    if heads > 0 && width.is_multiple_of(heads) {
        return Ok(());
    }
    Err(refused(field, format!("{heads} heads do not divide a width of {width}")))
}
