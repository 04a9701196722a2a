//! Gray of color, and how much color there was.

/// Luma as Pillow's `convert("L")`: ITU-R 601-2 in 16-bit fixed point.
pub(crate) fn luma([red, green, blue]: [u8; 3]) -> u8 {
    let sum = 19_595 * u32::from(red) + 38_470 * u32::from(green) + 7_471 * u32::from(blue);
    ((sum + 0x8000) >> 16) as u8
}

/// Pixels without their color.
#[derive(Debug, Default)]
pub(crate) struct Grayed {
    pub(crate) pixels: Vec<u8>,
    /// Mean chroma, 0–1.
    pub(crate) chroma: f64,
}

impl Grayed {
    /// What never had any.
    pub(crate) const fn gray(pixels: Vec<u8>) -> Self {
        Self { pixels, chroma: 0.0 }
    }
}

impl FromIterator<[u8; 3]> for Grayed {
    fn from_iter<I: IntoIterator<Item = [u8; 3]>>(colors: I) -> Self {
        let mut sum = 0_u64;
        let gray = |[red, green, blue]: [u8; 3]| {
            sum += u64::from(red.max(green).max(blue) - red.min(green).min(blue));
            luma([red, green, blue])
        };
        let pixels: Vec<u8> = colors.into_iter().map(gray).collect();
        let chroma = sum as f64 / (255.0 * pixels.len().max(1) as f64);
        Self { pixels, chroma }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chroma_is_the_mean_distance_of_the_channels() {
        let of = |colors: &[[u8; 3]]| colors.iter().copied().collect::<Grayed>().chroma;
        assert_eq!(of(&[[7; 3], [200; 3]]), 0.0);
        assert_eq!(of(&[[255, 0, 128]]), 1.0);
        assert_eq!(of(&[[255, 0, 128], [9; 3]]), 0.5);
    }
}
