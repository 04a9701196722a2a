//! How much a file may ask for.

/// Bounds on one image, checked before memory is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most pixels, columns times rows.
    pub max_pixels: u64,
    /// Largest file in bytes.
    pub max_file_bytes: u64,
    /// Most memory for decoded samples in bytes, at the file's own depth and channels. The grey image comes on top, a
    /// byte a pixel, and a progressive JPEG keeps its coefficients meanwhile, two bytes a sample.
    pub max_memory_bytes: u64,
}

impl Default for Limits {
    /// 100 megapixels, files of 512 MiB and 512 MiB of samples: six times the largest digital radiography detectors.
    fn default() -> Self {
        Self { max_pixels: 100_000_000, max_file_bytes: 512 << 20, max_memory_bytes: 512 << 20 }
    }
}
