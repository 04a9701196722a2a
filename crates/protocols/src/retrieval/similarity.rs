//! Cosines.

/// Cosine of an image with every candidate; all have length 1.
pub(super) fn similarity(image: &[f32], candidates: &[Vec<f32>]) -> Vec<f32> {
    candidates.iter().map(|row| row.iter().zip(image).map(|(a, b)| a * b).sum()).collect()
}

/// Direction of the mean of these rows.
pub(super) fn mean_direction(rows: &[usize], embeddings: &[Vec<f32>]) -> Vec<f32> {
    let mut sum = vec![0.0_f32; embeddings.first().map_or(0, Vec::len)];
    for row in rows {
        for (total, value) in sum.iter_mut().zip(&embeddings[*row]) {
            *total += value;
        }
    }
    let norm = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
    sum.iter().map(|value| value / norm).collect()
}
