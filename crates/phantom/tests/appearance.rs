//! What a film shows, measured on its pixels.

use medclip_core::GrayImage;
use medclip_phantom::{Condition, Phantom, PhantomSpec, Severity, Side, Zone};
use sha2::{Digest, Sha256};

const SIZE: u32 = 128;
const SEEDS: std::ops::Range<u64> = 0..8;

fn film(seed: u64, conditions: &[Condition]) -> GrayImage {
    Phantom::new(PhantomSpec { seed, size: SIZE, conditions: conditions.to_vec() })
        .expect("a size within the range")
        .render()
}

/// Mean gray of a rectangle, in fractions of the image.
fn mean(image: &GrayImage, columns: [f32; 2], rows: [f32; 2]) -> f32 {
    let pixel = |fraction: f32| (fraction * SIZE as f32) as usize;
    let values: Vec<f32> = (pixel(rows[0])..pixel(rows[1]))
        .flat_map(|row| (pixel(columns[0])..pixel(columns[1])).map(move |column| (column, row)))
        .map(|(column, row)| f32::from(image.pixels()[row * SIZE as usize + column]))
        .collect();
    values.iter().sum::<f32>() / values.len() as f32
}

/// Widest run of bright columns around the midline over the rows of the heart, as a share of the image.
fn heart_width(image: &GrayImage) -> f32 {
    let (first, last) = ((0.5 * SIZE as f32) as usize, (0.62 * SIZE as f32) as usize);
    let column_mean = |column: usize| {
        (first..last).map(|row| f32::from(image.pixels()[row * SIZE as usize + column])).sum::<f32>()
            / (last - first) as f32
    };
    let columns: Vec<f32> = (0..SIZE as usize).map(column_mean).collect();
    let middle = SIZE as usize / 2;
    let lung = columns[middle / 2].min(columns[middle + middle / 2]);
    let threshold = 0.5 * (lung + columns[middle]);
    let bright = |column: &&f32| **column > threshold;
    let left = columns[..middle].iter().rev().take_while(bright).count();
    let right = columns[middle..].iter().take_while(bright).count();
    (left + right) as f32 / SIZE as f32
}

const RIGHT_UPPER: ([f32; 2], [f32; 2]) = ([0.24, 0.38], [0.25, 0.38]);
const RIGHT_BASE: ([f32; 2], [f32; 2]) = ([0.17, 0.26], [0.64, 0.70]);

#[test]
fn lungs_are_darker_than_heart_and_abdomen_and_corners_darkest() {
    for seed in SEEDS {
        let image = film(seed, &[]);
        let lung = mean(&image, RIGHT_UPPER.0, RIGHT_UPPER.1);
        let heart = mean(&image, [0.5, 0.58], [0.52, 0.6]);
        let abdomen = mean(&image, [0.3, 0.7], [0.88, 0.98]);
        let corner = mean(&image, [0.0, 0.05], [0.0, 0.04]);
        assert!(lung + 40.0 < heart && heart < abdomen + 20.0, "seed {seed}: {lung} {heart} {abdomen}");
        assert!(corner < lung, "seed {seed}: {corner} {lung}");
    }
}

#[test]
fn cardiomegaly_widens_the_heart_with_its_grade() {
    for seed in SEEDS {
        let width = |conditions: &[Condition]| heart_width(&film(seed, conditions));
        let normal = width(&[]);
        let mild = width(&[Condition::Cardiomegaly { severity: Severity::Mild }]);
        let severe = width(&[Condition::Cardiomegaly { severity: Severity::Severe }]);
        assert!(normal * 1.1 < mild && mild * 1.1 < severe, "seed {seed}: {normal} {mild} {severe}");
    }
}

#[test]
fn opacities_brighten_their_place_and_air_darkens_it() {
    let side = Side::Right;
    let cases = [
        (Condition::PleuralEffusion { side, severity: Severity::Moderate }, RIGHT_BASE, 25.0_f32),
        (Condition::Consolidation { side, zone: Zone::Upper }, RIGHT_UPPER, 25.0),
        (Condition::Pneumonia { side, zone: Zone::Upper }, RIGHT_UPPER, 10.0),
        (Condition::Opacity { side, zone: Zone::Upper }, RIGHT_UPPER, 8.0),
        (Condition::Edema { severity: Severity::Moderate }, RIGHT_UPPER, 10.0),
        (Condition::Pneumothorax { side, severity: Severity::Severe }, ([0.18, 0.24], [0.3, 0.5]), -3.0),
    ];
    for (condition, (columns, rows), least) in cases {
        let change = SEEDS
            .map(|seed| {
                mean(&film(seed, &[condition]), columns, rows) - mean(&film(seed, &[]), columns, rows)
            })
            .sum::<f32>()
            / SEEDS.count() as f32;
        assert!(change * least.signum() > least.abs(), "{condition:?} changes its place by {change}");
    }
}

#[test]
fn a_condition_leaves_the_other_side_alone() {
    for seed in SEEDS {
        let effusion = Condition::PleuralEffusion { side: Side::Left, severity: Severity::Severe };
        let (normal, ill) = (film(seed, &[]), film(seed, &[effusion]));
        for row in 0..SIZE as usize {
            let right_half = row * SIZE as usize..row * SIZE as usize + SIZE as usize * 2 / 5;
            assert_eq!(
                normal.pixels()[right_half.clone()],
                ill.pixels()[right_half],
                "seed {seed} row {row}"
            );
        }
    }
}

#[test]
fn grays_spread_like_those_of_films() {
    // 300 public frontal films at 256²: mean 156 ± 21 between films, standard deviation within a film 57.
    for seed in SEEDS {
        let image = film(seed, &[]);
        let mean = mean(&image, [0.0, 1.0], [0.0, 1.0]);
        let variance = image.pixels().iter().map(|gray| (f32::from(*gray) - mean).powi(2)).sum::<f32>()
            / image.pixels().len() as f32;
        assert!((115.0..200.0).contains(&mean), "seed {seed}: mean {mean}");
        assert!((35.0..80.0).contains(&variance.sqrt()), "seed {seed}: deviation {}", variance.sqrt());
    }
}

#[test]
fn a_seed_gives_the_same_bits_everywhere() {
    let mut hash = Sha256::new();
    for seed in 0..8 {
        hash.update(Phantom::random(seed, 96).unwrap().render().pixels());
    }
    let hex = hash.finalize().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    assert_eq!(hex, "76d3313fad2c83f88303e34b3185b9c73da6d7372a1cf70fb6142e2b889bd527");
}

#[test]
fn a_larger_film_shows_the_same_patient() {
    let spec = |size| PhantomSpec { seed: 4, size, conditions: Vec::new() };
    let small = Phantom::new(spec(64)).unwrap().render();
    let large = Phantom::new(spec(256)).unwrap().render();
    let difference: f32 = (0..64 * 64)
        .map(|index: usize| {
            let (row, column) = (index / 64 * 4, index % 64 * 4);
            let block: f32 = (0..16)
                .map(|cell| f32::from(large.pixels()[(row + cell / 4) * 256 + column + cell % 4]))
                .sum();
            (f32::from(small.pixels()[index]) - block / 16.0).abs()
        })
        .sum();
    assert!(difference / 4096.0 < 6.0, "mean difference {}", difference / 4096.0);
}
