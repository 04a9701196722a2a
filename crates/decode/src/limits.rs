//! How much a file may ask for.

/// Bounds on one image, checked before memory is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most pixels, columns times rows.
    pub max_pixels: u64,
    /// Largest file in bytes.
    pub max_file_bytes: u64,
}

impl Default for Limits {
    /// 100 megapixels and 512 MiB: six times the largest digital radiography detectors.
    fn default() -> Self {
        Self { max_pixels: 100_000_000, max_file_bytes: 512 << 20 }
    }
}
