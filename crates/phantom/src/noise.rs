//! Smooth and grainy noise from integer hashes.

use crate::shape::mix;

/// Uniform in 0…1 for a lattice point (splitmix64 finaliser).
pub(crate) fn lattice(seed: u32, column: i32, row: i32) -> f32 {
    let mut bits =
        (u64::from(seed) << 32) ^ (u64::from(column as u32) << 16) ^ u64::from(row as u32).rotate_left(40);
    bits = bits.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((bits ^ (bits >> 31)) >> 40) as f32 / 16_777_216.0
}

/// Value noise in 0…1 with features of size 1.
pub(crate) fn smooth(seed: u32, x: f32, y: f32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let ease = |t: f32| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    let (across, down) = (ease(x - left), ease(y - top));
    let (column, row) = (left as i32, top as i32);
    let upper = mix(lattice(seed, column, row), lattice(seed, column + 1, row), across);
    let lower = mix(lattice(seed, column, row + 1), lattice(seed, column + 1, row + 1), across);
    mix(upper, lower, down)
}

/// `octaves` of [`smooth`], each twice as fine and half as strong, in 0…1.
pub(crate) fn cloud(seed: u32, x: f32, y: f32, octaves: u32) -> f32 {
    let (mut sum, mut weight, mut total, mut scale) = (0.0, 1.0, 0.0, 1.0);
    for octave in 0..octaves {
        sum += weight * smooth(seed.wrapping_add(octave), x * scale, y * scale);
        total += weight;
        weight *= 0.5;
        scale *= 2.0;
    }
    if total > 0.0 { sum / total } else { 0.0 }
}
