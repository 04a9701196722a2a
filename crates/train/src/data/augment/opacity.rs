//! Opacities drawn into normal films.

use medclip_core::Finding;
use medclip_data::LabelVector;
use rand::{Rng, RngExt};

use super::uniform;

/// Where centers lie, from left to right and from top to bottom, as shares of the side.
const FIELD: [(f32, f32); 2] = [(0.15, 0.85), (0.2, 0.75)];
/// Places that are tried; the darkest is taken, as lungs are dark.
const PLACES: usize = 6;
/// Share of the way from black to white below which a place lies outside of the body.
const OUTSIDE: f32 = 0.1;
/// Blobs of an opacity.
const BLOBS: (usize, usize) = (2, 5);
/// Radius of a blob, and its distance from the center, as shares of the side.
const RADIUS: (f32, f32) = (0.03, 0.08);
const SPREAD: f32 = 0.07;
/// Share of the way to white at the center of a blob.
const STRENGTH: (f32, f32) = (0.15, 0.45);

/// Draws an opacity into an image of a normal film, with probability `share`, and says so in its labels. The film with it and the
/// film without it differ in one place, so that what is learned from them lies there.
///
/// Films whose labels do not say that they are normal stay as they are.
///
/// # Shapes
/// - `pixels`: `[side, side]`, black `levels[0]`, white `levels[1]`
pub(crate) fn draw(
    share: f32,
    pixels: &mut [f32],
    side: usize,
    levels: [f32; 2],
    labels: &mut LabelVector,
    rng: &mut impl Rng,
) {
    let is_normal = labels[Finding::NoFinding.index()] > 0.0 && labels[Finding::LungOpacity.index()] <= 0.0;
    if !is_normal || rng.random::<f32>() >= share {
        return;
    }
    let Some(center) = darkest(pixels, side, levels, rng) else { return };
    let strength = uniform(STRENGTH.0, STRENGTH.1, rng);
    let count = rng.random_range(BLOBS.0..=BLOBS.1);
    let blobs: Vec<Blob> = (0..count).map(|_| Blob::near(center, rng)).collect();
    for (y, row) in pixels.chunks_exact_mut(side).enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            let at = [x, y].map(|place| (place as f32 + 0.5) / side as f32);
            let clear: f32 = blobs.iter().map(|blob| 1.0 - blob.share(at)).product();
            *pixel += (levels[1] - *pixel) * strength * (1.0 - clear);
        }
    }
    labels[Finding::LungOpacity.index()] = 1.0;
    labels[Finding::NoFinding.index()] = -1.0;
}

/// An ellipse with a soft edge.
struct Blob {
    center: [f32; 2],
    radii: [f32; 2],
}

impl Blob {
    fn near(center: [f32; 2], rng: &mut impl Rng) -> Self {
        Self {
            center: center.map(|place| place + uniform(-SPREAD, SPREAD, rng)),
            radii: [(); 2].map(|()| uniform(RADIUS.0, RADIUS.1, rng)),
        }
    }

    /// 1 at the center, falling off as a Gaussian.
    fn share(&self, at: [f32; 2]) -> f32 {
        let distance = |axis: usize| ((at[axis] - self.center[axis]) / self.radii[axis]).powi(2);
        (-0.5 * (distance(0) + distance(1))).exp()
    }
}

/// The darkest of some places within the body; none where all lie outside.
fn darkest(pixels: &[f32], side: usize, [black, white]: [f32; 2], rng: &mut impl Rng) -> Option<[f32; 2]> {
    let reach = (side / 24).max(1);
    let level = |center: [f32; 2]| {
        let [x, y] = center.map(|place| (place * side as f32) as usize);
        let rows = y.saturating_sub(reach)..(y + reach).min(side);
        let columns = x.saturating_sub(reach)..(x + reach).min(side);
        let count = (rows.len() * columns.len()) as f32;
        let sum: f32 = rows.map(|row| pixels[row * side..][columns.clone()].iter().sum::<f32>()).sum();
        (sum / count - black) / (white - black)
    };
    let places: Vec<[f32; 2]> =
        (0..PLACES).map(|_| FIELD.map(|(low, high)| uniform(low, high, rng))).collect();
    let within = places.into_iter().map(|place| (level(place), place)).filter(|(level, _)| *level > OUTSIDE);
    within.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, place)| place)
}

#[cfg(test)]
mod tests {
    use medclip_data::random::{Purpose, stream};

    use super::*;

    const SIDE: usize = 64;

    fn normal() -> LabelVector {
        let mut labels = [-1.0; Finding::COUNT];
        labels[Finding::NoFinding.index()] = 1.0;
        labels
    }

    /// A body of middle gray with a dark lung on its right side, black around.
    fn film() -> Vec<f32> {
        let level = |x: usize, y: usize| match (x, y) {
            (40..56, 12..50) => 0.25,
            (4..60, 4..60) => 0.6,
            _ => 0.0,
        };
        (0..SIDE * SIDE).map(|at| level(at % SIDE, at / SIDE)).collect()
    }

    #[test]
    fn an_opacity_brightens_one_place_of_a_lung_and_is_in_the_labels() {
        let mut in_lung = 0;
        for seed in 0..40 {
            let (mut pixels, mut labels) = (film(), normal());
            let mut rng = stream(seed, Purpose::Lesion, 0, 0);
            draw(1.0, &mut pixels, SIDE, [0.0, 1.0], &mut labels, &mut rng);
            assert_eq!(
                (labels[Finding::LungOpacity.index()], labels[Finding::NoFinding.index()]),
                (1.0, -1.0)
            );
            let film = film();
            let gained: Vec<f32> = pixels.iter().zip(&film).map(|(after, before)| after - before).collect();
            assert!(gained.iter().all(|gain| *gain >= 0.0) && pixels.iter().all(|pixel| *pixel <= 1.0));
            let strong = gained.iter().filter(|gain| **gain > 0.05).count();
            assert!((20..1600).contains(&strong), "{strong}");
            let most = (0..gained.len()).max_by(|a, b| gained[*a].total_cmp(&gained[*b])).unwrap();
            in_lung += usize::from((38..58).contains(&(most % SIDE)));
        }
        assert!(in_lung >= 30, "{in_lung} of 40");
    }

    #[test]
    fn films_with_findings_stay_as_they_are() {
        for finding in [Finding::LungOpacity, Finding::Edema] {
            let (mut pixels, mut labels) = (film(), [-1.0; Finding::COUNT]);
            labels[finding.index()] = 1.0;
            let before = labels;
            draw(1.0, &mut pixels, SIDE, [0.0, 1.0], &mut labels, &mut stream(1, Purpose::Lesion, 0, 0));
            assert_eq!((pixels, labels), (film(), before));
        }
    }
}
