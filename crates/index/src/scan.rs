//! Rows compared with a query, on one thread.

use crate::kernel;
use crate::top::Top;

/// The vector at length 1; none without a direction.
pub(crate) fn unit(vector: &[f32]) -> Option<impl Iterator<Item = f32>> {
    let length = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    let is_sound = length.is_finite() && length > 0.0;
    is_sound.then(|| vector.iter().map(move |value| (f64::from(*value) / length) as f32))
}

/// The `k` rows of largest product with the query.
pub(crate) fn scan(vectors: &[f32], query: &[f32], k: usize) -> Top {
    let mut top = Top::new(k);
    scan_into(&mut top, 0, vectors, query);
    top
}

/// Compares rows, the first of which is row `first`.
pub(crate) fn scan_into(top: &mut Top, first: usize, rows: &[f32], query: &[f32]) {
    const ROWS: usize = 64;
    let mut products = [0.0; ROWS];
    for (number, block) in rows.chunks(ROWS * query.len()).enumerate() {
        let count = block.len() / query.len();
        kernel::dots(block, query, &mut products[..count]);
        for (position, product) in products[..count].iter().enumerate() {
            top.push(first + number * ROWS + position, *product);
        }
    }
}
