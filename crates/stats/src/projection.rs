//! Embeddings on a plane: the two principal components.

use thiserror::Error;

/// Directions iterated together; those beyond the two wanted speed up convergence.
const DIRECTIONS: usize = 12;
/// Length of `C·v − λ·v` over the largest `λ` at which a direction is found.
const TOLERANCE: f64 = 1e-9;
/// Products with the covariance after which the projection is given up.
const MAX_STEPS: usize = 5000;
/// Sweeps of the rotations that diagonalise a small matrix; six are usual.
const MAX_SWEEPS: usize = 50;

/// Rows on the plane of their two principal components.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// `[rows]`, centered on the mean.
    pub points: Vec<(f64, f64)>,
    /// Share of the variance along each axis, 0–1, the larger first.
    pub explained: [f64; 2],
}

/// Rows that have no such plane.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ProjectionError {
    /// Too little to span a plane.
    #[error("a plane needs at least two rows of at least two values, got {rows} rows of {features}")]
    TooSmall {
        /// Rows given.
        rows: usize,
        /// Values in the first.
        features: usize,
    },
    /// A row of another length, or with a value that is not finite.
    #[error("row {row} has another length than the first or a value that is not a finite number")]
    Row {
        /// Its place.
        row: usize,
    },
    /// All rows are the same.
    #[error("all {rows} rows are the same")]
    Constant {
        /// Rows given.
        rows: usize,
    },
    /// Directions that the iteration does not tell apart.
    #[error("no principal components after {steps} steps")]
    NotConverged {
        /// Steps taken.
        steps: usize,
    },
}

/// Principal component analysis to two dimensions.
///
/// Subspace iteration on the covariance `C = XᵀX / n` of the centered rows: `Q ← orth(C·Q)`, then the eigenvectors of
/// `QᵀCQ`, until both residuals `|C·v − λ·v|` are below 10⁻⁹ of the largest eigenvalue. A direction's sign is that which
/// makes its largest component positive, so that the same rows always give the same map.
///
/// # Shapes
/// - `rows`: `[rows, features]`
///
/// # Errors
/// [`ProjectionError`].
///
/// # Source
/// Golub and Van Loan 2013, section 8.2.4; points equal those of `sklearn.decomposition.PCA` up to signs.
pub fn principal_plane<R: AsRef<[f32]>>(rows: &[R]) -> Result<Projection, ProjectionError> {
    let features = rows.first().map_or(0, |row| row.as_ref().len());
    if rows.len() < 2 || features < 2 {
        return Err(ProjectionError::TooSmall { rows: rows.len(), features });
    }
    let is_odd =
        |row: &R| row.as_ref().len() != features || !row.as_ref().iter().all(|value| value.is_finite());
    if let Some(row) = rows.iter().position(is_odd) {
        return Err(ProjectionError::Row { row });
    }
    let centered = centered(rows, features);
    let covariance = covariance(&centered, features);
    let total: f64 = (0..features).map(|feature| covariance[feature * features + feature]).sum();
    if total <= 0.0 {
        return Err(ProjectionError::Constant { rows: rows.len() });
    }
    let [first, second] = leading(&covariance, features)?;
    let points = centered.iter().map(|row| (dot(row, &first.1), dot(row, &second.1))).collect();
    let share = |variance: f64| (variance / total).clamp(0.0, 1.0);
    Ok(Projection { points, explained: [share(first.0), share(second.0)] })
}

fn centered<R: AsRef<[f32]>>(rows: &[R], features: usize) -> Vec<Vec<f64>> {
    let mut mean = vec![0.0; features];
    for row in rows {
        for (sum, value) in mean.iter_mut().zip(row.as_ref()) {
            *sum += f64::from(*value) / rows.len() as f64;
        }
    }
    let center =
        |row: &R| row.as_ref().iter().zip(&mean).map(|(value, mean)| f64::from(*value) - mean).collect();
    rows.iter().map(center).collect()
}

/// `[features, features]`, row by row.
fn covariance(rows: &[Vec<f64>], features: usize) -> Vec<f64> {
    let mut sums = vec![0.0; features * features];
    for row in rows {
        for (sums, a) in sums.chunks_exact_mut(features).zip(row) {
            for (sum, b) in sums.iter_mut().zip(row) {
                *sum += a * b;
            }
        }
    }
    sums.iter().map(|sum| sum / rows.len() as f64).collect()
}

/// The two largest eigenvalues of a covariance, each with its unit vector.
fn leading(covariance: &[f64], features: usize) -> Result<[(f64, Vec<f64>); 2], ProjectionError> {
    let count = DIRECTIONS.min(features);
    let mut directions: Vec<Vec<f64>> = (0..count).map(|direction| start(direction, features)).collect();
    orthonormalize(&mut directions);
    for _ in 0..MAX_STEPS {
        let images: Vec<Vec<f64>> =
            directions.iter().map(|direction| product(covariance, direction)).collect();
        let small: Vec<Vec<f64>> =
            directions.iter().map(|a| images.iter().map(|b| dot(a, b)).collect()).collect();
        let ranked = eigen(small);
        let combine = |vectors: &[Vec<f64>], weights: &[f64]| -> Vec<f64> {
            (0..features)
                .map(|at| vectors.iter().zip(weights).map(|(v, weight)| v[at] * weight).sum())
                .collect()
        };
        let largest = ranked.first().map_or(0.0, |pair| pair.0);
        if let [(first, a), (second, b), ..] = &ranked[..] {
            let residual = |value: f64, weights: &[f64]| {
                let (vector, image) = (combine(&directions, weights), combine(&images, weights));
                vector.iter().zip(&image).map(|(v, image)| (image - value * v).powi(2)).sum::<f64>().sqrt()
            };
            if residual(*first, a).max(residual(*second, b)) <= TOLERANCE * largest {
                let pair = |value: f64, weights: &[f64]| (value, signed(combine(&directions, weights)));
                return Ok([pair(*first, a), pair(*second, b)]);
            }
        }
        directions = ranked.iter().map(|(_, weights)| combine(&images, weights)).collect();
        orthonormalize(&mut directions);
    }
    Err(ProjectionError::NotConverged { steps: MAX_STEPS })
}

/// Where a direction starts: any vectors do that are not orthogonal to what is sought, which these irrational steps
/// avoid.
fn start(direction: usize, features: usize) -> Vec<f64> {
    (0..features).map(|feature| ((feature * DIRECTIONS + direction + 1) as f64 * 0.618_034).sin()).collect()
}

/// Gram–Schmidt, twice over for accuracy; a direction that depends on those before it becomes a coordinate axis that
/// does not.
fn orthonormalize(directions: &mut [Vec<f64>]) {
    for index in 0..directions.len() {
        let (before, rest) = directions.split_at_mut(index);
        let Some(direction) = rest.first_mut() else { continue };
        let mut axes = 0..direction.len();
        while !normalize_against(before, direction) {
            let Some(axis) = axes.next() else { break };
            direction.fill(0.0);
            direction[axis] = 1.0;
        }
    }
}

/// False when next to nothing of the direction is left beside those `before` it.
fn normalize_against(before: &[Vec<f64>], direction: &mut [f64]) -> bool {
    let length = dot(direction, direction).sqrt();
    for _ in 0..2 {
        for other in before {
            let overlap = dot(other, direction);
            for (value, other) in direction.iter_mut().zip(other) {
                *value -= overlap * other;
            }
        }
    }
    let left = dot(direction, direction).sqrt();
    if left <= length * 1e-12 || left < f64::MIN_POSITIVE {
        return false;
    }
    for value in direction {
        *value /= left;
    }
    true
}

/// Eigenvalues of a small symmetric matrix, descending, each with its unit vector, by Jacobi's rotations.
fn eigen(mut matrix: Vec<Vec<f64>>) -> Vec<(f64, Vec<f64>)> {
    let size = matrix.len();
    let mut vectors: Vec<Vec<f64>> =
        (0..size).map(|row| (0..size).map(|column| f64::from(u8::from(row == column))).collect()).collect();
    for _ in 0..MAX_SWEEPS {
        let mut is_diagonal = true;
        for p in 0..size {
            for q in p + 1..size {
                let off = matrix[p][q];
                if off.abs() <= f64::EPSILON * (matrix[p][p] * matrix[q][q]).abs().sqrt() {
                    continue;
                }
                is_diagonal = false;
                let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * off);
                let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                let sine = tangent * cosine;
                let rotate = |a: f64, b: f64| (cosine * a - sine * b, sine * a + cosine * b);
                for row in &mut matrix {
                    (row[p], row[q]) = rotate(row[p], row[q]);
                }
                rotate_rows(&mut matrix, p, q, rotate);
                // One eigenvector a row.
                rotate_rows(&mut vectors, p, q, rotate);
            }
        }
        if is_diagonal {
            break;
        }
    }
    let mut pairs: Vec<(f64, Vec<f64>)> =
        vectors.into_iter().enumerate().map(|(index, vector)| (matrix[index][index], vector)).collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    pairs
}

/// Rotates row `p` into row `q`, which is below it.
fn rotate_rows(rows: &mut [Vec<f64>], p: usize, q: usize, rotate: impl Fn(f64, f64) -> (f64, f64)) {
    let (above, below) = rows.split_at_mut(q);
    for (a, b) in above[p].iter_mut().zip(&mut below[0]) {
        (*a, *b) = rotate(*a, *b);
    }
}

/// The vector or its negative, whichever has its largest component positive.
fn signed(vector: Vec<f64>) -> Vec<f64> {
    let largest = vector
        .iter()
        .fold(0.0_f64, |largest, value| if value.abs() > largest.abs() { *value } else { largest });
    if largest < 0.0 { vector.into_iter().map(|value| -value).collect() } else { vector }
}

fn product(matrix: &[f64], vector: &[f64]) -> Vec<f64> {
    matrix.chunks_exact(vector.len()).map(|row| dot(row, vector)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 1e-6
    }

    #[test]
    fn a_plane_worked_out_by_hand() {
        // Around the mean (1, 2, 7): ±(2, 2, 0) and ±(1, −1, 0). Variances 2·8/4 = 4 along (1, 1, 0)/√2 and
        // 2·2/4 = 1 along (1, −1, 0)/√2.
        let rows = [[3.0, 4.0, 7.0], [-1.0, 0.0, 7.0], [2.0, 1.0, 7.0], [0.0, 3.0, 7.0]];
        let plane = principal_plane(&rows).unwrap();
        assert!(close(plane.explained[0], 0.8) && close(plane.explained[1], 0.2), "{plane:?}");
        let (long, short) = (8.0_f64.sqrt(), 2.0_f64.sqrt());
        let expected = [(long, 0.0), (-long, 0.0), (0.0, short), (0.0, -short)];
        // The two components of the second direction are equally large: either sign is right, for all rows alike.
        let sign = plane.points[2].1.signum();
        for (found, expected) in plane.points.iter().zip(expected) {
            assert!(close(found.0, expected.0) && close(found.1 * sign, expected.1), "{plane:?}");
        }
    }

    #[test]
    fn what_is_found_are_eigenvectors_of_the_largest_eigenvalues() {
        // 40 features with variances 1, 1/2, 1/3, … along axes that random reflections have turned.
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let features = 40;
        let mut draw = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        let mut mirror: Vec<f64> = (0..features).map(|_| draw()).collect();
        let length = dot(&mirror, &mirror).sqrt();
        for value in &mut mirror {
            *value /= length;
        }
        let rows: Vec<Vec<f32>> = (0..200)
            .map(|_| {
                let plain: Vec<f64> = (0..features).map(|axis| draw() / (axis as f64 + 1.0).sqrt()).collect();
                let along = 2.0 * dot(&plain, &mirror);
                plain.iter().zip(&mirror).map(|(value, mirror)| (value - along * mirror) as f32).collect()
            })
            .collect();
        let centered = centered(&rows, features);
        let covariance = covariance(&centered, features);
        let [first, second] = leading(&covariance, features).unwrap();
        // All eigenvalues, by rotations alone.
        let full: Vec<Vec<f64>> = covariance.chunks_exact(features).map(<[f64]>::to_vec).collect();
        let expected = eigen(full);
        for (found, expected) in [&first, &second].into_iter().zip(&expected) {
            assert!(close(found.0, expected.0), "{} {}", found.0, expected.0);
            assert!(close(dot(&found.1, &expected.1).abs(), 1.0));
        }
        let plane = principal_plane(&rows).unwrap();
        let spread = plane.points.iter().map(|point| point.0 * point.0).sum::<f64>() / 200.0;
        assert!(close(spread, first.0), "variance along the first axis is its eigenvalue");
        assert_eq!(plane, principal_plane(&rows).unwrap());
    }

    #[test]
    fn rows_on_a_line_or_equal_variances_have_a_plane_too() {
        let line = principal_plane(&[[0.0, 0.0, 0.0], [1.0, 2.0, 2.0], [2.0, 4.0, 4.0]]).unwrap();
        assert!(close(line.explained[0], 1.0) && close(line.explained[1], 0.0));
        assert!(line.points.iter().all(|point| close(point.1, 0.0)));
        assert!(close(line.points[2].0, 3.0) && close(line.points[0].0, -3.0));
        let cross: Vec<Vec<f32>> = (0..40)
            .map(|row| {
                (0..20).map(|axis| if row / 2 == axis { 1.0 - 2.0 * (row % 2) as f32 } else { 0.0 }).collect()
            })
            .collect();
        let plane = principal_plane(&cross).unwrap();
        assert!(plane.explained.iter().all(|share| close(*share, 0.05)), "{:?}", plane.explained);
    }

    #[test]
    fn impossible_requests_are_errors() {
        let cases: [(&[&[f32]], ProjectionError); 6] = [
            (&[], ProjectionError::TooSmall { rows: 0, features: 0 }),
            (&[&[1.0, 2.0]], ProjectionError::TooSmall { rows: 1, features: 2 }),
            (&[&[1.0], &[2.0]], ProjectionError::TooSmall { rows: 2, features: 1 }),
            (&[&[1.0, 2.0], &[1.0]], ProjectionError::Row { row: 1 }),
            (&[&[1.0, 2.0], &[f32::NAN, 1.0]], ProjectionError::Row { row: 1 }),
            (&[&[1.0, 2.0], &[1.0, 2.0]], ProjectionError::Constant { rows: 2 }),
        ];
        for (rows, expected) in cases {
            assert_eq!(principal_plane(rows), Err(expected));
        }
    }
}
