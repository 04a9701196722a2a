//! Pixels to draw on.

/// Red, green and blue of every pixel, row by row from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Pixels {
    /// All of one color.
    pub(super) fn filled(width: usize, height: usize, color: [u8; 3]) -> Self {
        Self { width, height, rgb: color.repeat(width * height) }
    }

    /// Width in pixels.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub const fn height(&self) -> usize {
        self.height
    }

    /// Bytes of all pixels: `[height, width, 3]`.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// Colors a pixel; one that lies outside stays undrawn.
    pub(super) fn set(&mut self, [x, y]: [usize; 2], color: [u8; 3]) {
        if x < self.width && y < self.height {
            self.rgb[3 * (y * self.width + x)..][..3].copy_from_slice(&color);
        }
    }

    #[cfg(test)]
    pub(super) fn get(&self, [x, y]: [usize; 2]) -> [u8; 3] {
        let at = 3 * (y * self.width + x);
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }
}
