//! Pictures that are no chest films.

use medclip_core::GrayImage;
use rand::{Rng, RngExt};

use super::rearrange;

const SIDE: u32 = 256;

/// A plane of gray before rounding, `[SIDE, SIDE]`.
type Plane = Vec<f32>;

pub(super) fn blank(rng: &mut impl Rng) -> GrayImage {
    let level = uniform(0.0, 255.0, rng);
    let spread = uniform(0.0, 2.0, rng);
    let plane: Plane = (0..SIDE * SIDE).map(|_| level + uniform(-spread, spread, rng)).collect();
    image(&plane)
}

pub(super) fn noise(rng: &mut impl Rng) -> GrayImage {
    let block = [1, 4, 16, 64][rng.random_range(0..4)];
    let blocks = SIDE / block;
    let levels: Vec<u8> = (0..blocks * blocks).map(|_| rng.random()).collect();
    rearrange(SIDE, SIDE, |x, y| levels[((y / block) * blocks + x / block) as usize])
}

pub(super) fn clouds(rng: &mut impl Rng) -> GrayImage {
    image(&cloud_plane(rng))
}

pub(super) fn shapes(rng: &mut impl Rng) -> GrayImage {
    image(&shape_plane(rng))
}

pub(super) fn mixture(rng: &mut impl Rng) -> GrayImage {
    let (clouds, shapes) = (cloud_plane(rng), shape_plane(rng));
    let share = uniform(0.2, 0.8, rng);
    let plane: Plane = clouds.iter().zip(shapes).map(|(a, b)| share * a + (1.0 - share) * b).collect();
    image(&plane)
}

pub(super) fn scene(rng: &mut impl Rng) -> GrayImage {
    let mut plane = shaded(rng);
    for _ in 0..rng.random_range(2..9) {
        let thing = shaded(rng);
        let (width, height) = (uniform(30.0, 220.0, rng), uniform(30.0, 220.0, rng));
        let (x, y) = (uniform(-60.0, 226.0, rng), uniform(-60.0, 226.0, rng));
        let is_round = rng.random::<bool>();
        paint_from(&mut plane, &thing, [x, y, width, height], |u, v| !is_round || within_ellipse(u, v));
    }
    for _ in 0..rng.random_range(0..3) {
        blur(&mut plane);
    }
    image(&plane)
}

/// A grain between two gray levels, darker towards one side.
fn shaded(rng: &mut impl Rng) -> Plane {
    let (level, depth) = (uniform(10.0, 245.0, rng), uniform(0.05, 0.8, rng));
    let (across, down) = (uniform(-90.0, 90.0, rng), uniform(-90.0, 90.0, rng));
    let grain = cloud_plane(rng);
    let shade = |index: usize| {
        let at = |position: usize| position as f32 / SIDE as f32 - 0.5;
        across * at(index % SIDE as usize) + down * at(index / SIDE as usize)
    };
    grain.iter().enumerate().map(|(index, grain)| level + depth * (grain - 127.0) + shade(index)).collect()
}

pub(super) fn page(rng: &mut impl Rng) -> GrayImage {
    let mut plane = vec![uniform(180.0, 255.0, rng); (SIDE * SIDE) as usize];
    let mut y = 8.0;
    while y < 248.0 {
        let mut x = 8.0;
        while x < 240.0 {
            let (width, height) = (uniform(3.0, 30.0, rng), uniform(3.0, 7.0, rng));
            let level = uniform(0.0, 80.0, rng);
            paint(&mut plane, level, [x, y, width, height], |_, _| true);
            x += width + 4.0;
        }
        y += uniform(9.0, 14.0, rng);
    }
    image(&plane)
}

pub(super) fn slice(rng: &mut impl Rng) -> GrayImage {
    let mut plane = vec![uniform(0.0, 8.0, rng); (SIDE * SIDE) as usize];
    let (a, b) = (uniform(85.0, 122.0, rng), uniform(60.0, 100.0, rng));
    let center = SIDE as f32 / 2.0;
    let ellipse = |plane: &mut Plane, level, x: f32, y: f32, a: f32, b: f32| {
        paint(plane, level, [x - a, y - b, 2.0 * a, 2.0 * b], within_ellipse);
    };
    ellipse(&mut plane, uniform(110.0, 190.0, rng), center, center, a, b);
    for side in [-1.0, 1.0] {
        let (width, height) = (uniform(0.28, 0.36, rng), uniform(0.5, 0.65, rng));
        ellipse(&mut plane, uniform(0.0, 40.0, rng), center + side * a * 0.5, center, a * width, b * height);
    }
    let heart = uniform(0.15, 0.3, rng);
    ellipse(&mut plane, uniform(120.0, 210.0, rng), center - a * 0.1, center - b * 0.1, a * heart, b * 0.3);
    ellipse(&mut plane, uniform(200.0, 255.0, rng), center, center + b * 0.6, 12.0, b * 0.18);
    let spread = uniform(1.0, 12.0, rng);
    for level in &mut plane {
        *level += uniform(-spread, spread, rng);
    }
    image(&plane)
}

/// Value noise: random grids of every size from 2 to 128, each smoother one weighing more by a random power.
fn cloud_plane(rng: &mut impl Rng) -> Plane {
    let (roughness, gamma) = (uniform(0.3, 1.2, rng), uniform(0.4, 2.2, rng));
    let mut plane = vec![0.0; (SIDE * SIDE) as usize];
    for octave in 1..=7 {
        let cells = 1_usize << octave;
        let weight = roughness.powi(octave - 1);
        let grid: Vec<f32> = (0..(cells + 1) * (cells + 1)).map(|_| rng.random()).collect();
        for (index, level) in plane.iter_mut().enumerate() {
            let at = |position: usize| {
                let scaled = position as f32 / SIDE as f32 * cells as f32;
                let share = scaled.fract();
                // Smooth at the grid's lines.
                (scaled as usize, share * share * (3.0 - 2.0 * share))
            };
            let ((x, right), (y, down)) = (at(index % SIDE as usize), at(index / SIDE as usize));
            let corner = |x: usize, y: usize| grid[y * (cells + 1) + x];
            let upper = corner(x, y) * (1.0 - right) + corner(x + 1, y) * right;
            let lower = corner(x, y + 1) * (1.0 - right) + corner(x + 1, y + 1) * right;
            *level += weight * (upper * (1.0 - down) + lower * down);
        }
    }
    let low = plane.iter().copied().fold(f32::INFINITY, f32::min);
    let high = plane.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    plane.iter().map(|level| 255.0 * ((level - low) / (high - low)).powf(gamma)).collect()
}

fn shape_plane(rng: &mut impl Rng) -> Plane {
    let mut plane = vec![uniform(0.0, 255.0, rng); (SIDE * SIDE) as usize];
    for _ in 0..rng.random_range(2..40) {
        let (x, y) = (uniform(-40.0, 256.0, rng), uniform(-40.0, 256.0, rng));
        let (width, height) = (uniform(5.0, 150.0, rng), uniform(5.0, 150.0, rng));
        let level = uniform(0.0, 255.0, rng);
        let thickness = uniform(0.02, 0.3, rng);
        match rng.random_range(0..3) {
            0 => paint(&mut plane, level, [x, y, width, height], within_ellipse),
            1 => paint(&mut plane, level, [x, y, width, height], |_, _| true),
            _ => paint(&mut plane, level, [x, y, width, height], |u, v| (u - v).abs() < thickness),
        }
    }
    for _ in 0..rng.random_range(0..4) {
        blur(&mut plane);
    }
    let (spread, slope) = (uniform(0.0, 25.0, rng), uniform(-80.0, 80.0, rng));
    for (index, level) in plane.iter_mut().enumerate() {
        *level += uniform(-spread, spread, rng) + slope * (index % SIDE as usize) as f32 / SIDE as f32;
    }
    plane
}

/// Whether a point of the box −1–1 is within its ellipse.
fn within_ellipse(u: f32, v: f32) -> bool {
    u * u + v * v <= 1.0
}

/// Paints what `within` says of a box, whose sides run from −1 to 1.
fn paint(plane: &mut [f32], level: f32, area: [f32; 4], within: impl Fn(f32, f32) -> bool) {
    each_within(area, within, |index| plane[index] = level);
}

/// As [`paint`], from another plane.
fn paint_from(plane: &mut [f32], source: &[f32], area: [f32; 4], within: impl Fn(f32, f32) -> bool) {
    each_within(area, within, |index| plane[index] = source[index]);
}

fn each_within(
    [x, y, width, height]: [f32; 4],
    within: impl Fn(f32, f32) -> bool,
    mut each: impl FnMut(usize),
) {
    let span = |start: f32, length: f32| {
        (start.max(0.0) as usize)..((start + length).clamp(0.0, SIDE as f32) as usize)
    };
    for row in span(y, height) {
        for column in span(x, width) {
            let (u, v) = (2.0 * (column as f32 - x) / width - 1.0, 2.0 * (row as f32 - y) / height - 1.0);
            if within(u, v) {
                each(row * SIDE as usize + column);
            }
        }
    }
}

/// Mean over three neighbors along rows, then along columns.
fn blur(plane: &mut Plane) {
    let side = SIDE as usize;
    for step in [1, side] {
        let before = plane.clone();
        for index in side..before.len() - side {
            plane[index] = (before[index - step] + before[index] + before[index + step]) / 3.0;
        }
    }
}

fn image(plane: &[f32]) -> GrayImage {
    rearrange(SIDE, SIDE, |x, y| plane[(y * SIDE + x) as usize].clamp(0.0, 255.0) as u8)
}

fn uniform(low: f32, high: f32, rng: &mut impl Rng) -> f32 {
    low + (high - low) * rng.random::<f32>()
}
