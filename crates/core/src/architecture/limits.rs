//! Sizes that a tower may have: what training refuses and what export refuses.

use std::ops::RangeInclusive;

/// Widths, vocabularies and image sides; keeps products of two within range.
pub const SIZES: RangeInclusive<usize> = 1..=1 << 24;
/// Layers and blocks.
pub const DEPTHS: RangeInclusive<usize> = 1..=1 << 12;
/// Stages of a tower in which every stage doubles the width.
pub const STAGES: RangeInclusive<usize> = 1..=8;
/// Widths that stages multiply.
pub const WIDTHS: RangeInclusive<usize> = 1..=1 << 12;
/// Sides of kernels, patches and windows, and widening within a block.
pub const FACTORS: RangeInclusive<usize> = 1..=64;
/// Strides of a stage.
pub const STRIDES: RangeInclusive<usize> = 1..=2;
