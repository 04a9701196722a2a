//! Where a window slides over an image.

/// Zeros around an image, alike on both axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// TensorFlow's `SAME`: ⌈size / stride⌉ outputs, the odd zero at the end.
    Same,
    /// This many before the first and after the last pixel.
    Explicit {
        /// Before the first.
        before: usize,
        /// After the last.
        after: usize,
    },
}

impl Padding {
    /// As many zeros on every side.
    pub const fn around(size: usize) -> Self {
        Self::Explicit { before: size, after: size }
    }
}

/// Sizes of a convolution or pooling whose input is `[batch · height · width, channels]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Images.
    pub batch: usize,
    /// Input rows.
    pub height: usize,
    /// Input columns.
    pub width: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Step in both directions.
    pub stride: usize,
    /// Zeros around the image.
    pub padding: Padding,
}

impl Geometry {
    /// Output rows.
    pub const fn out_height(&self) -> usize {
        self.outputs(self.height)
    }

    /// Output columns.
    pub const fn out_width(&self) -> usize {
        self.outputs(self.width)
    }

    /// Padding before the first row and before the first column; the rest of the padding comes after the last.
    pub const fn pad_before(&self) -> (usize, usize) {
        (self.before(self.height), self.before(self.width))
    }

    const fn outputs(&self, size: usize) -> usize {
        match self.padding {
            Padding::Same => size.div_ceil(self.stride),
            Padding::Explicit { before, after } => {
                (size + before + after).saturating_sub(self.kernel) / self.stride + 1
            }
        }
    }

    const fn before(&self, size: usize) -> usize {
        match self.padding {
            Padding::Same => ((self.outputs(size) - 1) * self.stride + self.kernel).saturating_sub(size) / 2,
            Padding::Explicit { before, .. } => before,
        }
    }

    /// The taps of an output that fall on the image, and the input position of the first of them.
    #[inline]
    pub(super) fn taps(&self, out: usize, pad: usize, size: usize) -> (std::ops::Range<usize>, usize) {
        let start = out * self.stride;
        let first = pad.saturating_sub(start).min(self.kernel);
        let end = (size + pad).saturating_sub(start).clamp(first, self.kernel);
        (first..end, (start + first).saturating_sub(pad))
    }
}
