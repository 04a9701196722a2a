//! Types of elements, and their way to single precision.

use std::fmt;

use half::{bf16, f16};

/// What a tensor's elements are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ElementType {
    /// IEEE double precision.
    F64,
    /// IEEE single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of single precision.
    BF16,
    /// Signed, 64 bits.
    I64,
    /// Signed, 32 bits.
    I32,
    /// Signed, 16 bits.
    I16,
    /// Signed, 8 bits.
    I8,
    /// Unsigned, 8 bits.
    U8,
    /// A truth value in a byte.
    Bool,
}

impl ElementType {
    /// Bytes of an element.
    pub const fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::BF16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// Whether elements are floating-point numbers.
    pub const fn is_real(self) -> bool {
        matches!(self, Self::F64 | Self::F32 | Self::F16 | Self::BF16)
    }

    /// Appends the little-endian elements in `bytes`, rounded to single precision; a part of an element at the end
    /// and every type that is not real are left out.
    pub(crate) fn decode(self, bytes: &[u8], values: &mut Vec<f32>) {
        match self {
            Self::F64 => values.extend(bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b) as f32)),
            Self::F32 => values.extend(bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b))),
            Self::F16 => values.extend(bytes.as_chunks().0.iter().map(|&b| f16::from_le_bytes(b).to_f32())),
            Self::BF16 => values.extend(bytes.as_chunks().0.iter().map(|&b| bf16::from_le_bytes(b).to_f32())),
            Self::I64 | Self::I32 | Self::I16 | Self::I8 | Self::U8 | Self::Bool => {}
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_real_type_becomes_single_precision() {
        for (element, bytes) in [
            (ElementType::F64, (-1.5_f64).to_le_bytes().to_vec()),
            (ElementType::F32, (-1.5_f32).to_le_bytes().to_vec()),
            (ElementType::F16, f16::from_f32(-1.5).to_le_bytes().to_vec()),
            (ElementType::BF16, bf16::from_f32(-1.5).to_le_bytes().to_vec()),
        ] {
            let mut values = Vec::new();
            element.decode(&bytes, &mut values);
            assert_eq!((values.as_slice(), bytes.len()), ([-1.5].as_slice(), element.size()), "{element}");
        }
    }
}
