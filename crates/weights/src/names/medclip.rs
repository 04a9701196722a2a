//! The sizes of a MedCLIP, read out of the shapes of its tensors.

use std::collections::BTreeSet;

use medclip_core::architecture::{Architecture, ImageTower, TextPooling, TextTower};
use medclip_core::{BertConfig, ResNetConfig, SwinConfig};

use super::{IMAGE, NamesError, Shapes, TEXT, indexed};

/// Widths of the BERTs that Devlin et al. and Turc et al. published, all of which have heads of 64. Others have not: every
/// published one of width 384 has 12 heads of 32.
const PUBLISHED: [usize; 5] = [128, 256, 512, 768, 1024];
/// Width of their heads.
const HEAD_WIDTH: usize = 64;
/// Stages, and blocks of a stage, that are looked for.
const MAX_COUNT: usize = 1 << 12;

/// What the shapes of weights leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unstated {
    /// Attention heads of the text tower; [`published_heads`] of its width where there is none.
    pub text_heads: Option<usize>,
    /// How the states of a sentence become one vector.
    pub text_pooling: TextPooling,
}

/// Attention heads of the published BERTs of this width; none where they are not all the same.
pub fn published_heads(width: usize) -> Option<usize> {
    PUBLISHED.contains(&width).then_some(width / HEAD_WIDTH)
}

/// Width and depth of the BERT that these are the shapes of; none where they have none.
pub fn text_sizes(shapes: &Shapes) -> Option<(usize, usize)> {
    let width = shapes.get(&format!("{TEXT}embeddings.word_embeddings.weight"))?.get(1)?;
    Some((*width, layers(shapes)))
}

/// Sizes of both towers and the joint space. Depths are counted up to the first gap; whoever compares the weights
/// with the architecture finds what lies beyond it.
///
/// # Errors
/// [`NamesError::NoSize`] when a tensor that tells a size is missing, [`NamesError::Size`] when its shape makes no
/// sense, [`NamesError::Heads`] when nothing tells the heads of the text tower.
pub fn architecture(shapes: &Shapes, unstated: Unstated) -> Result<Architecture, NamesError> {
    let image = if shapes.contains_key("vision_model.model.conv1.weight") {
        ImageTower::Resnet(resnet(shapes)?)
    } else {
        ImageTower::Swin(swin(shapes)?)
    };
    let [embedding_dim, _] = dims(shapes, "text_model.projection_head.weight")?;
    Ok(Architecture { embedding_dim, image, text: TextTower::Bert(bert(shapes, unstated)?) })
}

/// Sizes of a Swin trunk.
///
/// # Errors
/// As [`architecture`].
pub fn swin(shapes: &Shapes) -> Result<SwinConfig, NamesError> {
    let projection = format!("{IMAGE}embeddings.patch_embeddings.projection.weight");
    let [embed_dim, channels, patch_size, _] = dims(shapes, &projection)?;
    let block = |stage, block, part: &str| format!("{IMAGE}encoder.layers.{stage}.blocks.{block}.{part}");
    let norm = |stage, index| block(stage, index, "layernorm_before.weight");
    let depths = counts(|stage, index| shapes.contains_key(&norm(stage, index)));
    let mut num_heads = Vec::new();
    let mut window_size = 0;
    for stage in 0..depths.len().max(1) {
        let name = block(stage, 0, "attention.self.relative_position_bias_table");
        let [rows, heads] = dims(shapes, &name)?;
        window_size = window(rows).ok_or_else(|| {
            let needs = "a table has (2·window − 1)² rows".to_owned();
            NamesError::Size { name, shape: vec![rows, heads], needs }
        })?;
        num_heads.push(heads);
    }
    let name = block(0, 0, "intermediate.dense.weight");
    let [wide, width] = dims(shapes, &name)?;
    let mlp_ratio = wide.checked_div(width).filter(|ratio| ratio * width == wide).ok_or_else(|| {
        let needs = "the first size is a multiple of the second".to_owned();
        NamesError::Size { name, shape: vec![wide, width], needs }
    })?;
    Ok(SwinConfig {
        channels,
        patch_size,
        embed_dim,
        depths,
        num_heads,
        window_size,
        mlp_ratio,
        ..SwinConfig::tiny(3)
    })
}

/// Sizes of a `ResNet` trunk.
///
/// # Errors
/// As [`architecture`].
pub fn resnet(shapes: &Shapes) -> Result<ResNetConfig, NamesError> {
    let [width, channels, _, _] = dims(shapes, "vision_model.model.conv1.weight")?;
    let blocks = counts(|stage, block| {
        shapes.contains_key(&format!("{IMAGE}layer{}.{block}.conv1.weight", stage + 1))
    });
    Ok(ResNetConfig { width, blocks, ..ResNetConfig::resnet50(channels) })
}

/// Sizes of a BERT trunk and of its projection.
///
/// # Errors
/// As [`architecture`], and when the heads do not divide the width.
pub fn bert(shapes: &Shapes, unstated: Unstated) -> Result<BertConfig, NamesError> {
    let embedding = |table| format!("{TEXT}embeddings.{table}_embeddings.weight");
    let [vocab_size, hidden_size] = dims(shapes, &embedding("word"))?;
    let [max_position_embeddings, _] = dims(shapes, &embedding("position"))?;
    let [type_vocab_size, _] = dims(shapes, &embedding("token_type"))?;
    let [intermediate_size, _] = dims(shapes, &format!("{TEXT}encoder.layer.0.intermediate.dense.weight"))?;
    let layers = layers(shapes);
    let num_attention_heads = unstated
        .text_heads
        .or_else(|| published_heads(hidden_size))
        .ok_or(NamesError::Heads { width: hidden_size })?;
    if num_attention_heads == 0 || !hidden_size.is_multiple_of(num_attention_heads) {
        let needs = format!("{num_attention_heads} heads do not divide the width; state how many there are");
        return Err(NamesError::Size {
            name: embedding("word"),
            shape: vec![vocab_size, hidden_size],
            needs,
        });
    }
    Ok(BertConfig {
        vocab_size,
        hidden_size,
        num_hidden_layers: layers,
        num_attention_heads,
        intermediate_size,
        max_position_embeddings,
        type_vocab_size,
        pooling: unstated.text_pooling,
        projection_bias: shapes.contains_key("text_model.projection_head.bias"),
        ..BertConfig::bio_clinical()
    })
}

fn layers(shapes: &Shapes) -> usize {
    let prefix = format!("{TEXT}encoder.layer.");
    let of = |name: &String| indexed(name.strip_prefix(&prefix)?).map(|(layer, _)| layer);
    let found: BTreeSet<usize> = shapes.keys().filter_map(of).collect();
    (0..=found.len()).take_while(|layer| found.contains(layer)).count()
}

/// Blocks of every stage, each counted up to the first that is missing.
fn counts(exists: impl Fn(usize, usize) -> bool) -> Vec<usize> {
    let blocks = |stage| (0..MAX_COUNT).take_while(|block| exists(stage, *block)).count();
    (0..MAX_COUNT).map(blocks).take_while(|blocks| *blocks > 0).collect()
}

/// The side of a window whose table has `rows` rows.
fn window(rows: usize) -> Option<usize> {
    let side = rows.isqrt();
    (side * side == rows && side % 2 == 1).then_some(side.div_ceil(2))
}

fn dims<const RANK: usize>(shapes: &Shapes, name: &str) -> Result<[usize; RANK], NamesError> {
    let shape = shapes.get(name).ok_or_else(|| NamesError::NoSize { name: name.to_owned() })?;
    shape.as_slice().try_into().map_err(|_| NamesError::Size {
        name: name.to_owned(),
        shape: shape.clone(),
        needs: format!("it has {RANK} axes"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_tell_the_window() {
        assert_eq!(window(169), Some(7));
        assert_eq!(window(9), Some(2));
        assert_eq!(window(168), None);
        assert_eq!(window(16), None);
    }

    #[test]
    fn depths_end_at_a_gap() {
        let blocks = [(0, 0), (0, 1), (1, 0), (1, 2), (3, 0)];
        assert_eq!(counts(|stage, block| blocks.contains(&(stage, block))), [2, 1]);
    }
}
