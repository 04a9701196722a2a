//! A tensor as a strided window on a storage.

use std::io::{self, Read};
use std::ops::Range;

use crate::element::ElementType;
use crate::error::TensorFault;

/// Bytes decoded at a time.
const CHUNK: usize = 1 << 13;
/// Elements that are made room for before any has arrived: a file may state more than it holds.
const FIRST_ROOM: usize = 1 << 20;

/// Where a tensor's elements lie in its storage, all in elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) storage: usize,
    pub(crate) offset: usize,
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<usize>,
}

impl View {
    /// All of a storage, row-major.
    pub(crate) fn whole(storage: usize, shape: Vec<usize>) -> Self {
        let strides = row_major(&shape);
        Self { storage, offset: 0, shape, strides }
    }

    /// Whether it lies within a storage of `count` elements and is no larger than that.
    pub(crate) fn check(&self, count: usize) -> Result<(), TensorFault> {
        let elements = self.shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        let fits = self.shape.len() == self.strides.len()
            && elements.is_some_and(|elements| elements <= count)
            && self.end().is_some_and(|end| end <= count);
        if fits {
            return Ok(());
        }
        let Self { shape, strides, offset, .. } = self.clone();
        Err(TensorFault::OutOfBounds { shape, strides, offset, count })
    }

    /// How many there are; the most that can be counted where that overflows.
    pub(crate) fn elements(&self) -> u64 {
        self.shape.iter().fold(1_u64, |product, size| product.saturating_mul(*size as u64))
    }

    /// The part of the storage it touches.
    pub(crate) fn span(&self) -> Range<usize> {
        self.offset..self.end().unwrap_or(self.offset).max(self.offset)
    }

    /// The values in row-major order, from a reader that stands at the start of [`Self::span`].
    pub(crate) fn read(
        &self,
        element: ElementType,
        reader: &mut (impl Read + ?Sized),
    ) -> io::Result<Vec<f32>> {
        let values = decode(element, self.span().len(), reader)?;
        if self.strides == row_major(&self.shape) || values.is_empty() {
            return Ok(values);
        }
        Ok(self.gather(&values))
    }

    fn gather(&self, span: &[f32]) -> Vec<f32> {
        let count: usize = self.shape.iter().product();
        let mut index = vec![0; self.shape.len()];
        let mut gathered = Vec::with_capacity(count);
        for _ in 0..count {
            let at: usize = index.iter().zip(&self.strides).map(|(i, stride)| i * stride).sum();
            gathered.extend(span.get(at));
            for (i, size) in index.iter_mut().zip(&self.shape).rev() {
                *i += 1;
                if *i < *size {
                    break;
                }
                *i = 0;
            }
        }
        gathered
    }

    /// One past the last element; none when that overflows.
    fn end(&self) -> Option<usize> {
        if self.shape.contains(&0) {
            return Some(self.offset);
        }
        let steps = self.shape.iter().zip(&self.strides);
        let last = steps
            .map(|(size, stride)| (size - 1).checked_mul(*stride))
            .try_fold(self.offset, |sum, step| sum.checked_add(step?))?;
        last.checked_add(1)
    }
}

/// Steps of a tensor without gaps; those of axes of one element are what `PyTorch` writes for them.
fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    let mut step = 1_usize;
    for (stride, size) in strides.iter_mut().zip(shape).rev() {
        *stride = step;
        step = step.saturating_mul((*size).max(1));
    }
    strides
}

fn decode(element: ElementType, count: usize, reader: &mut (impl Read + ?Sized)) -> io::Result<Vec<f32>> {
    let mut values = Vec::with_capacity(count.min(FIRST_ROOM));
    let mut left = count.saturating_mul(element.size());
    let mut chunk = [0; CHUNK];
    while left > 0 {
        let (part, _) = chunk.split_at_mut(left.min(CHUNK));
        reader.read_exact(part)?;
        element.decode(part, &mut values);
        left -= part.len();
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_are_followed() {
        struct Case {
            shape: &'static [usize],
            strides: &'static [usize],
            offset: usize,
            expected: &'static [f32],
        }
        for Case { shape, strides, offset, expected } in [
            Case { shape: &[2, 2], strides: &[3, 1], offset: 1, expected: &[1.0, 2.0, 4.0, 5.0] },
            Case { shape: &[3, 2], strides: &[1, 3], offset: 0, expected: &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0] },
            Case { shape: &[2, 3], strides: &[3, 1], offset: 0, expected: &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0] },
            Case { shape: &[3], strides: &[0], offset: 5, expected: &[5.0, 5.0, 5.0] },
            Case { shape: &[], strides: &[], offset: 4, expected: &[4.0] },
            Case { shape: &[0, 7], strides: &[7, 1], offset: 6, expected: &[] },
        ] {
            let view = View { storage: 0, offset, shape: shape.to_vec(), strides: strides.to_vec() };
            view.check(6).unwrap();
            let bytes: Vec<u8> = view.span().flat_map(|value| (value as f32).to_le_bytes()).collect();
            assert_eq!(view.read(ElementType::F32, &mut bytes.as_slice()).unwrap(), expected, "{shape:?}");
        }
    }

    #[test]
    fn windows_beyond_the_storage_are_refused() {
        for (shape, strides, offset) in [
            (vec![7], vec![1], 0),
            (vec![2], vec![1], 5),
            (vec![7], vec![0], 0),
            (vec![2, 2], vec![1], 0),
            (vec![usize::MAX, 2], vec![1, 1], 0),
            (vec![2], vec![usize::MAX], 1),
            (vec![], vec![], usize::MAX),
            (vec![0], vec![1], 7),
        ] {
            let view = View { storage: 0, offset, shape, strides };
            assert!(view.check(6).is_err(), "{view:?}");
        }
    }
}
