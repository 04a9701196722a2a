//! Independent random streams by name: nothing that training draws depends on what was drawn before it.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a stream is used for; the numbers are part of every run's reproducibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Order of the images in an epoch.
    Order = 1,
    /// Sentences of one batch.
    Sentences = 2,
    /// Augmentation of one image visit.
    Augment = 3,
    /// Altered views of one batch's sentences.
    Texts = 4,
    /// How much of each other the images of one batch become.
    Mix = 5,
    /// What is drawn into one image visit.
    Lesion = 6,
}

/// The stream of `purpose` in `epoch` for the `index`-th batch or visit.
///
/// The four numbers are the `ChaCha` key, so different arguments give unrelated streams and an interrupted run needs only
/// (epoch, step) to go on exactly.
pub fn stream(seed: u64, purpose: Purpose, epoch: u64, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    let words = [seed, purpose as u64, epoch, index];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// A uniformly drawn element, `None` of an empty slice.
pub fn pick<T: Copy>(from: &[T], rng: &mut impl Rng) -> Option<T> {
    if from.is_empty() { None } else { from.get(rng.random_range(0..from.len())).copied() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_argument_matters_and_repeats() {
        let draw = |seed, purpose, epoch, index| stream(seed, purpose, epoch, index).random::<u64>();
        let base = draw(1, Purpose::Order, 2, 3);
        assert_eq!(base, draw(1, Purpose::Order, 2, 3));
        let others = [
            draw(2, Purpose::Order, 2, 3),
            draw(1, Purpose::Augment, 2, 3),
            draw(1, Purpose::Order, 3, 2),
            draw(1, Purpose::Order, 2, 4),
        ];
        assert!(others.iter().all(|other| *other != base));
    }
}
