//! What a pass over the data yields beside the tensor candle returns from it.

use std::sync::{Mutex, PoisonError};

/// A value that an operation leaves behind for whoever ran it; candle's operations return one tensor only.
#[derive(Debug, Default)]
pub(crate) struct SideOutput<T>(Mutex<T>);

impl<T> SideOutput<T> {
    pub(crate) fn put(&self, value: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }

    pub(crate) fn take(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> SideOutput<T> {
    pub(crate) fn get(&self) -> T {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Sum of equally long rows, in order and in double precision.
pub(crate) fn sum_rows<'a>(rows: impl Iterator<Item = &'a Vec<f32>>, width: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f64; width];
    for row in rows {
        for (s, v) in sum.iter_mut().zip(row) {
            *s += f64::from(*v);
        }
    }
    sum.into_iter().map(|s| s as f32).collect()
}
