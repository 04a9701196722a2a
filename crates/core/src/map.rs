//! Where in an image a score comes from.
//!
//! An image embedding is the mean of its locations in the joint space, and every score is linear in the embedding. So a class's
//! products with the locations are a map that accounts for the whole score, without a gradient.

use serde::Serialize;
use thiserror::Error;

use crate::batch::Embeddings;

/// The locations of images in the joint space, as the image tower's second output gives them.
///
/// # Shapes
/// `[batch, rows, columns, dim]`, row-major. The mean over rows and columns is the image's embedding.
#[derive(Debug, Clone, PartialEq)]
pub struct LocationMaps {
    data: Vec<f32>,
    shape: [usize; 4],
}

/// Values that do not fill a shape, or a shape without any.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{actual_len} values do not make maps of shape {shape:?}")]
pub struct LocationMapsError {
    /// Stated shape.
    pub shape: [usize; 4],
    /// Values given.
    pub actual_len: usize,
}

impl LocationMaps {
    /// Maps with these values.
    ///
    /// # Errors
    /// [`LocationMapsError`] when a size is 0 or the values do not fill the shape.
    pub fn new(data: Vec<f32>, shape: [usize; 4]) -> Result<Self, LocationMapsError> {
        let len = shape.iter().try_fold(1_usize, |len, &size| len.checked_mul(size));
        if shape.contains(&0) || len != Some(data.len()) {
            return Err(LocationMapsError { shape, actual_len: data.len() });
        }
        Ok(Self { data, shape })
    }

    /// `[batch, rows, columns, dim]`.
    pub const fn shape(&self) -> [usize; 4] {
        self.shape
    }

    /// All values.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// Largest difference between an entry of an embedding and the mean of its locations, which is 0 for exact arithmetic; not a
    /// number where the embeddings are of other images or another width.
    ///
    /// # Shapes
    /// - `embeddings`: `[batch, dim]`
    pub fn incompleteness(&self, embeddings: &Embeddings) -> f64 {
        let [batch, rows, columns, dim] = self.shape;
        if (embeddings.rows(), embeddings.dim()) != (batch, dim) {
            return f64::NAN;
        }
        let images = self.data.chunks_exact(rows * columns * dim).zip(embeddings.iter());
        let differences = images.flat_map(|(locations, embedding)| {
            embedding.iter().enumerate().map(move |(entry, &value)| {
                let sum: f64 = locations.iter().skip(entry).step_by(dim).copied().map(f64::from).sum();
                (sum / (rows * columns) as f64 - f64::from(value)).abs()
            })
        });
        differences.fold(0.0, worse)
    }

    /// Largest difference of an entry from the same one of other maps; not a number where shapes differ.
    pub fn largest_difference(&self, other: &Self) -> f64 {
        if self.shape != other.shape {
            return f64::NAN;
        }
        let entries = self.data.iter().zip(&other.data);
        entries.map(|(a, b)| f64::from((a - b).abs())).fold(0.0, worse)
    }

    /// The products of `direction` with every location of one image: a map whose mean is its product with the embedding.
    ///
    /// # Shapes
    /// - `direction`: `[dim]`
    ///
    /// # Panics
    /// When there is no image of this index.
    pub fn class_map(&self, image: usize, name: &str, direction: &[f32]) -> ClassMap {
        let [_, rows, columns, dim] = self.shape;
        let locations = &self.data[image * rows * columns * dim..][..rows * columns * dim];
        let product = |location: &[f32]| location.iter().zip(direction).map(|(a, b)| a * b).sum();
        ClassMap {
            name: name.to_owned(),
            rows,
            columns,
            values: locations.chunks_exact(dim).map(product).collect(),
        }
    }
}

/// The larger; not-a-number outdoes everything.
fn worse(worst: f64, difference: f64) -> f64 {
    if difference > worst || difference.is_nan() { difference } else { worst }
}

/// What each location of an image adds to the score of a class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassMap {
    /// The class.
    pub name: String,
    /// Locations a column.
    pub rows: usize,
    /// Locations a row.
    pub columns: usize,
    /// Row by row from the top. Their mean is the score: of prompts, the logit divided by `exp(logit_scale)`; of a head, the
    /// logit without its intercept.
    pub values: Vec<f32>,
}

impl ClassMap {
    /// Mean over the locations, in double precision.
    pub fn mean(&self) -> f64 {
        self.values.iter().copied().map(f64::from).sum::<f64>() / self.values.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_map_has_the_product_of_every_location() {
        let data = vec![0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 2.0, 3.0];
        let maps = LocationMaps::new([vec![9.0; 8], data].concat(), [2, 2, 2, 2]).unwrap();
        let map = maps.class_map(1, "Edema", &[10.0, 1.0]);
        assert_eq!((map.rows, map.columns, map.values.as_slice()), (2, 2, &[0.0, 10.0, 1.0, 23.0][..]));
        assert_eq!(map.mean(), 8.5);
    }

    #[test]
    fn locations_average_to_the_embedding() {
        let maps = LocationMaps::new(vec![0.0, 1.0, 1.0, 0.0], [1, 1, 2, 2]).unwrap();
        let of = |values: &[f32]| maps.incompleteness(&Embeddings::new(values.to_vec(), 2).unwrap());
        assert_eq!(of(&[0.5, 0.5]), 0.0);
        assert_eq!(of(&[0.5, 0.75]), 0.25);
        assert!(of(&[f32::NAN, 0.5]).is_nan() && of(&[0.5, 0.5, 0.5, 0.5]).is_nan());
        assert_eq!(maps.largest_difference(&maps), 0.0);
        let other = LocationMaps::new(vec![0.0, 1.0, 0.5, 0.0], [1, 1, 2, 2]).unwrap();
        assert_eq!(maps.largest_difference(&other), 0.5);
        assert!(maps.largest_difference(&LocationMaps::new(vec![0.0; 4], [1, 2, 1, 2]).unwrap()).is_nan());
    }

    #[test]
    fn values_fill_the_shape() {
        for (len, shape) in [(7, [1, 2, 2, 2]), (0, [0, 2, 2, 2]), (1, [usize::MAX, 2, 2, 2])] {
            assert!(LocationMaps::new(vec![0.0; len], shape).is_err(), "{shape:?}");
        }
    }
}
