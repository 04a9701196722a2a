//! What a resize costs that is Pillow's to the bit, beside one that is not: the `image` crate's, of the same kernel.
//!
//! ```sh
//! cargo bench -p medclip-core --bench resize
//! ```
//!
//! Throughput is in bytes of the film, which are its pixels.

#![allow(clippy::unwrap_used, reason = "a bench whose setting is broken fails")]

mod film;

use std::fmt;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use film::film;
use image::imageops::{self, FilterType};
use medclip_core::Resample;
use medclip_core::preprocess::resample::resize;

fn main() {
    divan::main();
}

/// Sides in pixels.
#[derive(Debug, Clone, Copy)]
struct Case {
    from: u32,
    to: u32,
}

const CASES: [Case; 6] = [
    Case { from: 512, to: 128 },
    Case { from: 512, to: 224 },
    Case { from: 1024, to: 128 },
    Case { from: 1024, to: 224 },
    Case { from: 2048, to: 128 },
    Case { from: 2048, to: 224 },
];

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}² → {}²", self.from, self.to)
    }
}

#[divan::bench(args = CASES)]
fn bicubic(bencher: Bencher, case: Case) {
    ours(bencher, case, Resample::Bicubic);
}

#[divan::bench(args = CASES)]
fn bilinear(bencher: Bencher, case: Case) {
    ours(bencher, case, Resample::Bilinear);
}

#[divan::bench(args = CASES)]
fn bicubic_of_image(bencher: Bencher, case: Case) {
    yard_stick(bencher, case, FilterType::CatmullRom, Resample::Bicubic);
}

#[divan::bench(args = CASES)]
fn bilinear_of_image(bencher: Bencher, case: Case) {
    yard_stick(bencher, case, FilterType::Triangle, Resample::Bilinear);
}

fn ours(bencher: Bencher, Case { from, to }: Case, filter: Resample) {
    let film = film(from, from);
    bencher.counter(BytesCount::of_slice(film.pixels())).bench(|| resize(black_box(&film), to, to, filter));
}

/// `theirs` has to be the kernel that `ours` is, or the comparison is of different work: roundings aside, the results agree.
fn yard_stick(bencher: Bencher, Case { from, to }: Case, theirs: FilterType, ours: Resample) {
    let film = film(from, from);
    let image = image::GrayImage::from_raw(from, from, film.pixels().to_vec()).unwrap();
    let resized = imageops::resize(&image, to, to, theirs);
    let furthest =
        resized.iter().zip(resize(&film, to, to, ours).pixels()).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(furthest <= Some(1), "{furthest:?} grey levels apart");
    bencher
        .counter(BytesCount::of_slice(film.pixels()))
        .bench(|| imageops::resize(black_box(&image), to, to, theirs));
}
