//! A dense tensor of known rank: weights on their way from a checkpoint into a graph.

/// Row-major values with `RANK` sizes whose product is their number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor<T, const RANK: usize> {
    shape: [usize; RANK],
    data: Vec<T>,
}

impl<T, const RANK: usize> Tensor<T, RANK> {
    /// A tensor, or `None` when `data` does not fill `shape`.
    pub(crate) fn new(shape: [usize; RANK], data: Vec<T>) -> Option<Self> {
        let len = shape.iter().try_fold(1_usize, |len, &size| len.checked_mul(size))?;
        (len == data.len()).then_some(Self { shape, data })
    }

    /// The tensor of these sizes with `value(i)` at position i in row-major order.
    pub(crate) fn generate(shape: [usize; RANK], value: impl FnMut(usize) -> T) -> Self {
        Self { shape, data: (0..shape.iter().product()).map(value).collect() }
    }

    pub(crate) const fn shape(&self) -> [usize; RANK] {
        self.shape
    }

    pub(crate) fn data(&self) -> &[T] {
        &self.data
    }

    /// The same sizes with every value replaced.
    pub(crate) fn map<U>(&self, f: impl FnMut(&T) -> U) -> Tensor<U, RANK> {
        Tensor { shape: self.shape, data: self.data.iter().map(f).collect() }
    }
}

impl<T> Tensor<T, 0> {
    /// A single value.
    pub(crate) fn scalar(value: T) -> Self {
        Self { shape: [], data: vec![value] }
    }
}

impl<T> Tensor<T, 1> {
    /// A vector.
    pub(crate) fn vector(data: Vec<T>) -> Self {
        Self { shape: [data.len()], data }
    }

    /// The values of all parts, one after the other.
    pub(crate) fn concat(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::vector(parts.into_iter().flat_map(|part| part.data).collect())
    }
}

impl<T: Copy> Tensor<T, 2> {
    /// `[rows, columns]` to `[columns, rows]`.
    pub(crate) fn transposed(&self) -> Self {
        let [rows, columns] = self.shape;
        let column = |c| self.data.iter().skip(c).step_by(columns.max(1)).copied();
        Self { shape: [columns, rows], data: (0..columns).flat_map(column).collect() }
    }

    /// Rows of all parts below each other.
    ///
    /// # Panics
    /// When their widths differ.
    pub(crate) fn stack<const N: usize>(parts: [Self; N]) -> Self {
        let columns = parts.first().map_or(0, |part| part.shape[1]);
        assert!(parts.iter().all(|part| part.shape[1] == columns), "stacked matrices have one width");
        let rows = parts.iter().map(|part| part.shape[0]).sum();
        Self { shape: [rows, columns], data: parts.into_iter().flat_map(|part| part.data).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_must_fill_the_shape() {
        assert!(Tensor::new([2, 3], vec![0; 6]).is_some());
        assert!(Tensor::new([2, 3], vec![0; 5]).is_none());
        assert!(Tensor::<u8, 2>::new([usize::MAX, 2], vec![]).is_none(), "no overflow");
    }

    #[test]
    fn transposing_twice_is_the_identity() {
        let tensor = Tensor::new([2, 3], vec![1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(tensor.transposed().data(), [1, 4, 2, 5, 3, 6]);
        assert_eq!(tensor.transposed().transposed(), tensor);
    }

    #[test]
    fn stacking_appends_rows() {
        let a = Tensor::new([1, 2], vec![1, 2]).unwrap();
        let b = Tensor::new([2, 2], vec![3, 4, 5, 6]).unwrap();
        assert_eq!(Tensor::stack([a, b]), Tensor::new([3, 2], vec![1, 2, 3, 4, 5, 6]).unwrap());
    }
}
