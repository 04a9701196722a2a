//! Grey of colour.

/// Luma as Pillow's `convert("L")`: ITU-R 601-2 in 16-bit fixed point.
pub(crate) fn luma([red, green, blue]: [u8; 3]) -> u8 {
    let sum = 19_595 * u32::from(red) + 38_470 * u32::from(green) + 7_471 * u32::from(blue);
    ((sum + 0x8000) >> 16) as u8
}
