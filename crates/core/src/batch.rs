//! What an encoder takes and gives. Inputs are only made inside this crate, so raw pixels and raw ids cannot reach a tower.

use thiserror::Error;

/// Normalized pixels, made by [`Preprocessor`](crate::preprocess::Preprocessor).
///
/// # Shapes
/// `[batch, channels, height, width]`, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageBatch {
    data: Vec<f32>,
    shape: [usize; 4],
}

impl ImageBatch {
    pub(crate) fn new(data: Vec<f32>, shape: [usize; 4]) -> Self {
        debug_assert_eq!(data.len(), shape.iter().product::<usize>());
        Self { data, shape }
    }

    /// All values.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// `[batch, channels, height, width]`.
    pub const fn shape(&self) -> [usize; 4] {
        self.shape
    }

    /// Values and shape, without copying.
    pub fn into_parts(self) -> (Vec<f32>, [usize; 4]) {
        (self.data, self.shape)
    }
}

/// Token ids padded to one length, made by [`Tokenizer`](crate::tokenize::Tokenizer).
///
/// # Shapes
/// Ids and mask are `[batch, sequence]`, row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBatch {
    ids: Vec<i64>,
    mask: Vec<i64>,
    shape: [usize; 2],
}

impl TokenBatch {
    pub(crate) fn new(ids: Vec<i64>, mask: Vec<i64>, shape: [usize; 2]) -> Self {
        debug_assert_eq!([ids.len(), mask.len()], [shape[0] * shape[1]; 2]);
        Self { ids, mask, shape }
    }

    /// Token ids; padding positions hold the padding id.
    pub fn ids(&self) -> &[i64] {
        &self.ids
    }

    /// 1 for a token, 0 for padding.
    pub fn mask(&self) -> &[i64] {
        &self.mask
    }

    /// `[batch, sequence]`.
    pub const fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Ids, mask and shape, without copying.
    pub fn into_parts(self) -> (Vec<i64>, Vec<i64>, [usize; 2]) {
        (self.ids, self.mask, self.shape)
    }
}

/// Vectors in the joint space, one a row; rows from an encoder have length 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings {
    data: Vec<f32>,
    dim: usize,
}

/// Values that do not make whole rows.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{actual_len} values do not make rows of {dim}")]
pub struct EmbeddingsError {
    /// Stated width.
    pub dim: usize,
    /// Values given.
    pub actual_len: usize,
}

impl Embeddings {
    /// Rows of `dim` values each.
    ///
    /// # Errors
    /// [`EmbeddingsError`] when `dim` is 0 or does not divide the number of values.
    pub fn new(data: Vec<f32>, dim: usize) -> Result<Self, EmbeddingsError> {
        if dim == 0 || !data.len().is_multiple_of(dim) {
            return Err(EmbeddingsError { dim, actual_len: data.len() });
        }
        Ok(Self { data, dim })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.data.len() / self.dim
    }

    /// Width of a row.
    pub const fn dim(&self) -> usize {
        self.dim
    }

    /// Row `index`.
    ///
    /// # Panics
    /// When `index` is not below [`Embeddings::rows`].
    pub fn row(&self, index: usize) -> &[f32] {
        &self.data[index * self.dim..][..self.dim]
    }

    /// Every row in order.
    pub fn iter(&self) -> std::slice::ChunksExact<'_, f32> {
        self.data.chunks_exact(self.dim)
    }

    /// The least cosine of a row with the same row of `other`, in double precision: not a number where a row has no
    /// direction, or the two have other shapes.
    pub fn least_cosine(&self, other: &Self) -> f64 {
        if (self.rows(), self.dim) != (other.rows(), other.dim) {
            return f64::NAN;
        }
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
        };
        let cosines = self.iter().zip(other).map(|(a, b)| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt());
        cosines.fold(
            f64::INFINITY,
            |least, cosine| {
                if cosine < least || cosine.is_nan() { cosine } else { least }
            },
        )
    }

    /// All values, row by row.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// Values and width, without copying.
    pub fn into_parts(self) -> (Vec<f32>, usize) {
        (self.data, self.dim)
    }
}

impl<'a> IntoIterator for &'a Embeddings {
    type Item = &'a [f32];
    type IntoIter = std::slice::ChunksExact<'a, f32>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_row_decides_the_cosine() {
        let rows = |values: &[f32]| Embeddings::new(values.to_vec(), 2).unwrap();
        let golden = rows(&[1.0, 0.0, 0.0, 1.0]);
        assert_eq!(golden.least_cosine(&golden), 1.0);
        assert!((rows(&[1.0, 0.0, 0.6, 0.8]).least_cosine(&golden) - 0.8).abs() < 1e-6);
        assert!(rows(&[f32::NAN, 0.0, 0.0, 1.0]).least_cosine(&golden).is_nan());
        assert!(rows(&[1.0, 0.0]).least_cosine(&golden).is_nan());
    }

    #[test]
    fn embeddings_are_whole_rows() {
        let embeddings = Embeddings::new(vec![1.0, 0.0, 0.0, 1.0], 2).unwrap();
        assert_eq!(embeddings.rows(), 2);
        assert_eq!(embeddings.row(1), [0.0, 1.0]);
        assert_eq!(embeddings.iter().count(), 2);
        assert_eq!(Embeddings::new(vec![], 2).unwrap().rows(), 0);
        for (len, dim) in [(3, 2), (1, 0), (0, 0)] {
            let refused = Embeddings::new(vec![0.0; len], dim).unwrap_err();
            assert_eq!(refused, EmbeddingsError { dim, actual_len: len });
        }
    }
}
