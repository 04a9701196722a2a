//! What it costs to make films into the batch that a tower takes.
//!
//! ```sh
//! cargo bench -p medclip-core --bench preprocess
//! ```

#![allow(clippy::unwrap_used, reason = "a bench whose setting is broken fails")]

mod film;

use std::fmt;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use film::film;
use medclip_core::{PreprocessConfig, Preprocessor};

fn main() {
    divan::main();
}

/// What a tower takes.
#[derive(Debug, Clone, Copy)]
struct Input {
    side: usize,
    channels: usize,
}

/// The shipped model's.
const EDGE: Input = Input { side: 128, channels: 1 };
/// The published model's.
const PUBLISHED: Input = Input { side: 224, channels: 3 };

impl Input {
    fn preprocessor(self) -> Preprocessor {
        Preprocessor::new(PreprocessConfig::medclip(self.side, self.channels)).unwrap()
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}² × {}", self.side, self.channels)
    }
}

#[derive(Debug, Clone, Copy)]
struct Case {
    width: u32,
    height: u32,
    input: Input,
}

const CASES: [Case; 7] = [
    Case { width: 512, height: 512, input: EDGE },
    Case { width: 1024, height: 1024, input: EDGE },
    Case { width: 2048, height: 2048, input: EDGE },
    // Not square, so padded.
    Case { width: 2048, height: 2500, input: EDGE },
    Case { width: 512, height: 512, input: PUBLISHED },
    Case { width: 1024, height: 1024, input: PUBLISHED },
    Case { width: 2048, height: 2048, input: PUBLISHED },
];

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {} → {}", self.width, self.height, self.input)
    }
}

/// One film of any size: padded, resized, normalized. Bytes are those of the film.
#[divan::bench(args = CASES)]
fn film_to_batch(bencher: Bencher, Case { width, height, input }: Case) {
    let preprocessor = input.preprocessor();
    let films = [film(width, height)];
    bencher
        .counter(ItemsCount::new(films.len()))
        .counter(BytesCount::of_slice(films[0].pixels()))
        .bench(|| preprocessor.batch(black_box(&films)));
}

/// Eight films that have the tower's size already, as training's cache does. Bytes are those of the batch.
#[divan::bench(args = [EDGE, PUBLISHED])]
fn eight_of_the_right_size(bencher: Bencher, input: Input) {
    let preprocessor = input.preprocessor();
    let films = vec![film(input.side as u32, input.side as u32); 8];
    let batch = preprocessor.normalize(&films).unwrap();
    bencher
        .counter(ItemsCount::new(films.len()))
        .counter(BytesCount::of_slice(batch.data()))
        .bench(|| preprocessor.normalize(black_box(&films)));
}
