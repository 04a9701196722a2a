//! Which images and which sentences meet in a batch.

mod config;

use medclip_core::Finding;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

pub use self::config::{Pairing, SamplerConfig, SamplerError};
use crate::data::label::LabelVector;
use crate::data::sentences::{Polarity, SentencePool, pick};
use crate::data::stream::{Purpose, stream};

/// The images and sentences of one batch, by index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchPlan {
    /// Epoch, from 0.
    pub epoch: u64,
    /// Batch within the epoch, from 0.
    pub step: usize,
    /// Images; an image of a rare finding may occur twice.
    pub images: Vec<usize>,
    /// Sentences of the pool; with [`Pairing::Paired`] the i-th belongs to the i-th image.
    pub sentences: Vec<usize>,
}

/// Plans batches; any batch of any epoch, without the ones before it.
#[derive(Debug, Clone)]
pub struct Sampler {
    config: SamplerConfig,
    seed: u64,
    labels: Vec<LabelVector>,
    report_of: Vec<Option<usize>>,
    /// Running total of the images' weights.
    weights: Vec<f64>,
    /// Findings that some sentence is positive, or negative, for.
    spoken: [Vec<Finding>; 2],
}

impl Sampler {
    /// A sampler over images with these label vectors and, index by index, the reports they have in the pool.
    ///
    /// # Errors
    /// [`SamplerError`].
    pub fn new(
        config: SamplerConfig,
        seed: u64,
        labels: Vec<LabelVector>,
        report_of: Vec<Option<usize>>,
        pool: &SentencePool,
    ) -> Result<Self, SamplerError> {
        config.validate()?;
        if labels.len() < config.images {
            return Err(SamplerError::TooFewImages { batch: config.images, images: labels.len() });
        }
        let spoken = [Polarity::Positive, Polarity::Negative].map(|polarity| {
            Finding::ALL.into_iter().filter(|finding| pool.has(*finding, polarity)).collect()
        });
        if spoken.iter().all(Vec::is_empty) {
            return Err(SamplerError::NoSentence);
        }
        let weights = running_weights(&labels, config.balance);
        Ok(Self { config, seed, labels, report_of, weights, spoken })
    }

    /// Batches an epoch.
    pub fn steps(&self) -> usize {
        self.labels.len() / self.config.images
    }

    /// The images of `epoch` in order: as many visits as there are images, each image floor or ceiling of its fair number of times.
    pub fn order(&self, epoch: u64) -> Vec<usize> {
        let mut rng = stream(self.seed, Purpose::Order, epoch, 0);
        let count = self.labels.len();
        let total = self.weights.last().copied().unwrap_or_default();
        let offset: f64 = rng.random();
        let mut order: Vec<usize> = (0..count)
            .map(|visit| {
                let position = (visit as f64 + offset) / count as f64 * total;
                self.weights.partition_point(|running| *running <= position).min(count - 1)
            })
            .collect();
        order.shuffle(&mut rng);
        order
    }

    /// The batch of `step` in `epoch`, whose [`order`](Self::order) is `order`; `None` past the last step.
    pub fn plan(&self, epoch: u64, step: usize, order: &[usize], pool: &SentencePool) -> Option<BatchPlan> {
        let images = order.chunks_exact(self.config.images).nth(step)?.to_vec();
        let mut rng = stream(self.seed, Purpose::Sentences, epoch, step as u64);
        let sentences = match self.config.pairing {
            Pairing::Paired => images.iter().map(|image| self.sentence_for(*image, pool, &mut rng)).collect(),
            Pairing::Unpaired { sentences, natural, positive } => {
                (0..sentences).map(|_| self.any_sentence(natural, positive, pool, &mut rng)).collect()
            }
        };
        Some(BatchPlan { epoch, step, images, sentences })
    }

    fn sentence_for(&self, image: usize, pool: &SentencePool, rng: &mut impl Rng) -> usize {
        let own =
            self.report_of.get(image).copied().flatten().map_or(&[][..], |report| pool.of_report(report));
        let labels = self.labels.get(image).copied().unwrap_or_default();
        pick(own, rng)
            .or_else(|| sharing(&labels, 1.0, Polarity::Positive, pool, rng))
            .or_else(|| sharing(&labels, -1.0, Polarity::Negative, pool, rng))
            .unwrap_or_else(|| self.any_sentence(1.0, 0.5, pool, rng))
    }

    fn any_sentence(&self, natural: f32, positive: f32, pool: &SentencePool, rng: &mut impl Rng) -> usize {
        if rng.random::<f32>() < natural
            && let Some(sentence) = pool.draw_by_frequency(rng)
        {
            return sentence;
        }
        let wanted = if rng.random::<f32>() < positive { Polarity::Positive } else { Polarity::Negative };
        let other = if wanted == Polarity::Positive { Polarity::Negative } else { Polarity::Positive };
        [wanted, other]
            .into_iter()
            .find_map(|polarity| pool.draw(pick(&self.spoken[polarity as usize], rng)?, polarity, rng))
            .unwrap_or_default()
    }
}

/// A sentence of this polarity for one of the findings that have `value` in `labels`.
fn sharing(
    labels: &LabelVector,
    value: f32,
    polarity: Polarity,
    pool: &SentencePool,
    rng: &mut impl Rng,
) -> Option<usize> {
    let shared: Vec<Finding> = Finding::ALL
        .into_iter()
        .filter(|finding| labels[finding.index()] == value && pool.has(*finding, polarity))
        .collect();
    pool.draw(pick(&shared, rng)?, polarity, rng)
}

fn running_weights(labels: &[LabelVector], balance: f32) -> Vec<f64> {
    let positives: [usize; Finding::COUNT] =
        std::array::from_fn(|finding| labels.iter().filter(|vector| vector[finding] == 1.0).count());
    labels
        .iter()
        .scan(0.0, |total, vector| {
            let rarest =
                vector.iter().zip(positives).filter(|(entry, _)| **entry == 1.0).map(|(_, n)| n).min();
            let share = labels.len() as f64 / rarest.unwrap_or(labels.len()) as f64;
            *total += share.powf(f64::from(balance));
            Some(*total)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use medclip_core::{Certainty, Labels};

    use super::*;
    use crate::data::sentences::SentenceConfig;

    const UNPAIRED: Pairing = Pairing::Unpaired { sentences: 5, natural: 0.5, positive: 0.5 };

    fn pool() -> SentencePool {
        let say = |finding, certainty, text: &str| {
            let mut labels = Labels::default();
            labels[finding] = certainty;
            (text.to_owned(), labels)
        };
        SentencePool::new(
            [
                vec![say(Finding::NoFinding, Certainty::Positive, "normal chest film")],
                vec![say(Finding::Edema, Certainty::Positive, "there is oedema")],
                vec![say(Finding::Edema, Certainty::Negative, "there is no oedema")],
            ],
            [],
            &SentenceConfig::default(),
        )
    }

    fn with(finding: Finding, value: f32) -> LabelVector {
        let mut vector = LabelVector::default();
        vector[finding.index()] = value;
        vector
    }

    fn sampler(images: usize, pairing: Pairing, balance: f32, labels: Vec<LabelVector>) -> Sampler {
        let report_of = vec![None; labels.len()];
        Sampler::new(SamplerConfig { images, pairing, balance }, 7, labels, report_of, &pool()).unwrap()
    }

    #[test]
    fn without_balance_an_epoch_is_a_permutation() {
        let sampler = sampler(4, UNPAIRED, 0.0, vec![with(Finding::Edema, 1.0); 11]);
        let mut order = sampler.order(3);
        assert_ne!(order, sampler.order(4));
        assert_eq!(sampler.steps(), 2);
        assert!(sampler.plan(3, 2, &order, &pool()).is_none());
        order.sort_unstable();
        assert_eq!(order, (0..11).collect::<Vec<_>>());
    }

    #[test]
    fn balance_shows_rare_findings_more_often() {
        let mut labels = vec![with(Finding::NoFinding, 1.0); 90];
        labels.extend(vec![with(Finding::Edema, 1.0); 10]);
        let rare = |balance| {
            let sampler = sampler(4, UNPAIRED, balance, labels.clone());
            sampler.order(0).into_iter().filter(|image| *image >= 90).count()
        };
        assert_eq!((rare(0.0), rare(1.0)), (10, 50));
        assert!((20..30).contains(&rare(0.5)), "{}", rare(0.5));
    }

    #[test]
    fn any_batch_can_be_planned_alone() {
        let sampler = sampler(3, UNPAIRED, 0.3, vec![with(Finding::Edema, 1.0); 30]);
        let order = sampler.order(1);
        let all: Vec<_> = (0..10).map(|step| sampler.plan(1, step, &order, &pool()).unwrap()).collect();
        assert_eq!(sampler.plan(1, 6, &sampler.order(1), &pool()).unwrap(), all[6]);
        assert!(all.iter().any(|plan| plan.sentences != all[0].sentences));
    }

    #[test]
    fn paired_images_get_fitting_sentences() {
        let labels = vec![
            with(Finding::Edema, 1.0),
            with(Finding::Edema, -1.0),
            with(Finding::NoFinding, 1.0),
            with(Finding::Edema, 1.0),
        ];
        let config = SamplerConfig { images: 4, pairing: Pairing::Paired, balance: 0.0 };
        let report_of = vec![None, None, None, Some(0)];
        let sampler = Sampler::new(config, 7, labels, report_of, &pool()).unwrap();
        for epoch in 0..5 {
            let plan = sampler.plan(epoch, 0, &sampler.order(epoch), &pool()).unwrap();
            for (image, sentence) in plan.images.iter().zip(&plan.sentences) {
                assert_eq!(*sentence, [1, 2, 0, 0][*image], "image {image}");
            }
        }
    }

    #[test]
    fn refuses_what_cannot_work() {
        let new = |images, labels, pool: &SentencePool| {
            let config = SamplerConfig { images, pairing: UNPAIRED, balance: 0.0 };
            Sampler::new(config, 0, vec![LabelVector::default(); labels], vec![None; labels], pool)
                .unwrap_err()
        };
        assert_eq!(new(0, 5, &pool()).to_string(), "sampler.images must be at least 1");
        assert_eq!(new(6, 5, &pool()).to_string(), "a batch takes 6 images, there are 5");
        assert_eq!(new(2, 5, &SentencePool::default()), SamplerError::NoSentence);
    }
}
