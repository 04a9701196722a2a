//! A Swin at one image size: which token goes where, block by block.

use thiserror::Error;

use super::SwinConfig;
use super::windows::Windows;

/// Tokens a side that a map may have; keeps index tables in memory.
const MAX_SIDE: usize = 1 << 10;

/// Stages of a tower; keeps widths in range.
const MAX_STAGES: usize = 16;

/// A gather over tokens: where each token of the result comes from, none being a token of zeros.
pub type Moves = Vec<Option<usize>>;

/// Every block with the moves of tokens around it.
///
/// Everything in a Swin but attention and merging looks at one token at a time, so tokens may stand in any order. They
/// stay in the order of the windows that attended last, and are moved once where the next block cuts other windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwinPlan {
    /// Side of the first map in tokens; patches beyond the image are zeros.
    pub side: usize,
    /// After the patch embedding, from raster order.
    pub embed: Option<Moves>,
    /// The stages.
    pub stages: Vec<SwinStage>,
    /// After the last block, back to raster order.
    pub exit: Option<Moves>,
    /// Side of the last map in tokens.
    pub last_side: usize,
}

/// One stage of a [`SwinPlan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwinStage {
    /// Channels.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// The blocks.
    pub blocks: Vec<SwinBlock>,
    /// After the blocks, four tokens for each of the next stage's; absent in the last stage.
    pub merge: Option<Moves>,
}

/// One block of a [`SwinPlan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwinBlock {
    /// Its windows.
    pub windows: Windows,
    /// Before the block, shortcut included.
    pub reorder: Option<Moves>,
    /// Between the first norm and attention, into windows with padding, and after attention back; absent where the map
    /// is whole windows.
    pub padding: Option<(Moves, Moves)>,
}

/// An image size, or sizes of the tower, that give no map of whole windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SwinSizeError {
    /// A map smaller than a window: the published attention has no bias for it.
    #[error(
        "stage {stage} of the image tower has a map of {side}×{side} tokens, less than its window of {window}×{window}: images of {image_size} pixels are too small"
    )]
    TooSmall {
        /// The image's side in pixels.
        image_size: usize,
        /// The stage, counted from 0.
        stage: usize,
        /// Side of its map.
        side: usize,
        /// Side of a window.
        window: usize,
    },
    /// More tokens than fit.
    #[error("images of {image_size} pixels have {side} patches a side, at most {MAX_SIDE} are supported")]
    TooLarge {
        /// The image's side in pixels.
        image_size: usize,
        /// Patches a side.
        side: usize,
    },
    /// A patch or window without pixels, no stage or more than 16, or other than one number of heads for each stage.
    #[error(
        "the image tower needs a patch, a window, 1 to {MAX_STAGES} stages, and one number of heads a stage"
    )]
    Config,
}

impl SwinConfig {
    /// The tower for square images of `image_size` pixels.
    ///
    /// # Errors
    /// [`SwinSizeError`] where a map is smaller than a window, or larger than supported.
    pub fn plan(&self, image_size: usize) -> Result<SwinPlan, SwinSizeError> {
        let window = self.window_size;
        let stages = self.depths.len();
        if self.patch_size == 0
            || window == 0
            || !(1..=MAX_STAGES).contains(&stages)
            || stages != self.num_heads.len()
        {
            return Err(SwinSizeError::Config);
        }
        let side = image_size.div_ceil(self.patch_size);
        if side > MAX_SIDE {
            return Err(SwinSizeError::TooLarge { image_size, side });
        }
        let sides: Vec<usize> =
            std::iter::successors(Some(side), |side| Some(side.div_ceil(2))).take(stages).collect();
        if let Some((stage, &side)) = sides.iter().enumerate().find(|(_, side)| **side < window) {
            return Err(SwinSizeError::TooSmall { image_size, stage, side, window });
        }

        let mut order = entry_order(side, window);
        let embed = (order != raster(side)).then(|| order.iter().copied().map(Some).collect());
        let last_side = sides.last().copied().unwrap_or(side);
        let mut plan = SwinPlan { side, embed, stages: Vec::new(), exit: None, last_side };
        for (stage, (&side, (&depth, &heads))) in
            sides.iter().zip(self.depths.iter().zip(&self.num_heads)).enumerate()
        {
            let shift = |block: usize| if block % 2 == 1 && side > window { window / 2 } else { 0 };
            let blocks = (0..depth)
                .map(|block| SwinBlock::new(Windows { side, window, shift: shift(block) }, &mut order))
                .collect();
            let merge = sides.get(stage + 1).map(|&next| {
                let target = entry_order(next, window);
                let fours: Moves = target.iter().flat_map(|token| merged(*token, next, side)).collect();
                let moves = moves(&order, &fours);
                order = target;
                moves
            });
            plan.stages.push(SwinStage { width: self.width(stage), heads, blocks, merge });
        }
        let raster = raster(last_side);
        let places: Vec<Option<usize>> = raster.iter().copied().map(Some).collect();
        plan.exit = (order != raster).then(|| moves(&order, &places));
        Ok(plan)
    }
}

impl SwinBlock {
    /// The block on tokens that stand in `order`, which follows the reordering.
    fn new(windows: Windows, order: &mut Vec<usize>) -> Self {
        let places = windows.places();
        if windows.is_padded() {
            let into = moves(order, &places);
            let mut back = vec![None; order.len()];
            for (place, token) in into.iter().enumerate() {
                if let Some(token) = token {
                    back[*token] = Some(place);
                }
            }
            return Self { windows, reorder: None, padding: Some((into, back)) };
        }
        let wanted: Vec<usize> = places.iter().copied().flatten().collect();
        let reorder = (wanted != *order).then(|| moves(order, &places));
        *order = wanted;
        Self { windows, reorder, padding: None }
    }
}

/// The order in which a stage's first block wants its tokens.
fn entry_order(side: usize, window: usize) -> Vec<usize> {
    let windows = Windows { side, window, shift: 0 };
    if windows.is_padded() { raster(side) } else { windows.places().into_iter().flatten().collect() }
}

fn raster(side: usize) -> Vec<usize> {
    (0..side * side).collect()
}

/// The four tokens of a map of `side` that become `token` of the next one, column by column as the reference
/// concatenates them; none beyond an odd side.
fn merged(token: usize, next: usize, side: usize) -> [Option<usize>; 4] {
    let (top, left) = (token / next * 2, token % next * 2);
    [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(down, right)| {
        let (y, x) = (top + down, left + right);
        (y < side && x < side).then_some(y * side + x)
    })
}

/// The gather from tokens standing in `order` to those that `places` names by raster position.
fn moves(order: &[usize], places: &[Option<usize>]) -> Moves {
    let mut standing = vec![0; order.len()];
    for (at, token) in order.iter().enumerate() {
        standing[*token] = at;
    }
    places.iter().map(|place| place.map(|token| standing[token])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_windows_move_their_tokens_once_a_block() {
        let plan = SwinConfig::tiny(1).plan(224).unwrap();
        assert_eq!(plan.side, 56);
        assert_eq!(plan.embed.as_ref().unwrap()[56 / 8 * 7 + 1], Some(8));
        for (stage, expected) in plan.stages.iter().zip([64, 16, 4, 1]) {
            for (index, block) in stage.blocks.iter().enumerate() {
                assert_eq!(block.windows.count(), expected);
                assert!(block.padding.is_none());
                assert_eq!(block.reorder.is_some(), index > 0 && expected > 1);
                assert_eq!(block.windows.shift, if index % 2 == 1 && expected > 1 { 3 } else { 0 });
            }
        }
        assert!(plan.stages[3].merge.is_none());
    }

    #[test]
    fn every_token_of_an_odd_map_is_kept() {
        let config = SwinConfig {
            window_size: 3,
            patch_size: 2,
            depths: vec![2, 1],
            num_heads: vec![1, 1],
            ..SwinConfig::tiny(1)
        };
        let plan = config.plan(25).unwrap();
        assert_eq!((plan.side, plan.embed), (13, None));
        let (into, back) = plan.stages[0].blocks[1].padding.as_ref().unwrap();
        assert_eq!((into.len(), back.len()), (225, 169));
        assert!(back.iter().enumerate().all(|(at, place)| into[place.unwrap()] == Some(at)));
        let merge = plan.stages[0].merge.as_ref().unwrap();
        assert_eq!((merge.len(), merge.iter().flatten().count()), (4 * 49, 169));
    }

    #[test]
    fn impossible_sizes_are_named() {
        let config = SwinConfig::tiny(1);
        let refused = config.plan(192).unwrap_err();
        assert_eq!(refused, SwinSizeError::TooSmall { image_size: 192, stage: 3, side: 6, window: 7 });
        assert_eq!(config.plan(usize::MAX).unwrap_err().to_string().split(' ').next(), Some("images"));
        assert_eq!(SwinConfig { patch_size: 0, ..config.clone() }.plan(224), Err(SwinSizeError::Config));
        assert_eq!(SwinConfig { num_heads: vec![3], ..config }.plan(224), Err(SwinSizeError::Config));
    }
}
