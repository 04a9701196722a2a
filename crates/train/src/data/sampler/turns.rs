//! How often an epoch comes to each image.

use std::collections::{BTreeMap, BTreeSet};

use medclip_core::Finding;
use medclip_data::LabelVector;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::config::SamplerConfig;

/// How often an epoch comes to each image.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    /// What each image weighs.
    weights: Vec<f64>,
    /// Number of each image's source; empty where no source has a share.
    sources: Vec<usize>,
}

impl Turns {
    pub(super) fn new(config: &SamplerConfig, labels: &[LabelVector], sources: &[&str]) -> Self {
        let mut weights = weights(labels, config.balance);
        if config.source_share.is_empty() {
            return Self { weights, sources: Vec::new() };
        }
        scale(&mut weights, config, sources);
        let distinct: BTreeSet<&str> = sources.iter().copied().collect();
        let number: BTreeMap<&str, usize> =
            distinct.into_iter().enumerate().map(|(number, source)| (source, number)).collect();
        Self { weights, sources: sources.iter().map(|source| number[source]).collect() }
    }

    /// One visit for every image there is, at equal spaces along the images, each as wide as it weighs.
    ///
    /// Where sources have shares, the images of one lie together and come to floor or ceiling of their part.
    pub(super) fn take(&self, rng: &mut impl Rng) -> Vec<usize> {
        let count = self.weights.len();
        let mut images: Vec<usize> = (0..count).collect();
        if !self.sources.is_empty() {
            // Manifests list views in turn, and equal spaces could come to the same view each time.
            images.shuffle(rng);
            images.sort_by_key(|image| self.sources[*image]);
        }
        let ends: Vec<f64> = images
            .iter()
            .scan(0.0, |total, image| {
                *total += self.weights[*image];
                Some(*total)
            })
            .collect();
        let total = ends.last().copied().unwrap_or_default();
        let offset: f64 = rng.random();
        (0..count)
            .map(|visit| {
                let position = (visit as f64 + offset) / count as f64 * total;
                images[ends.partition_point(|end| *end <= position).min(count - 1)]
            })
            .collect()
    }
}

/// What each image weighs by its rarest positive finding.
fn weights(labels: &[LabelVector], balance: f32) -> Vec<f64> {
    let positives: [usize; Finding::COUNT] =
        std::array::from_fn(|finding| labels.iter().filter(|vector| vector[finding] == 1.0).count());
    let weight = |vector: &LabelVector| {
        let rarest = vector.iter().zip(positives).filter(|(entry, _)| **entry == 1.0).map(|(_, n)| n).min();
        let share = labels.len() as f64 / rarest.unwrap_or(labels.len()) as f64;
        share.powf(f64::from(balance))
    };
    labels.iter().map(weight).collect()
}

/// Scales weights so that each named source has its share of them, and the others together the rest.
fn scale(weights: &mut [f64], config: &SamplerConfig, sources: &[&str]) {
    let mut sums = BTreeMap::new();
    for (weight, source) in weights.iter().zip(sources) {
        *sums.entry(*source).or_insert(0.0) += weight;
    }
    let named = &config.source_share;
    let unnamed: f64 =
        sums.iter().filter(|(source, _)| !named.contains_key(**source)).map(|(_, sum)| sum).sum();
    let rest = 1.0 - config.named_share();
    for (weight, source) in weights.iter_mut().zip(sources) {
        *weight *= named.get(*source).map_or(rest / unnamed, |share| share / sums[source]);
    }
}
