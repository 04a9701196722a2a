//! Which images and which sentences meet in a batch.

mod config;
mod turns;

use medclip_core::Finding;
use medclip_data::random::{Purpose, pick, stream};
use medclip_data::{LabelVector, Polarity, SentencePool};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

pub use self::config::{Pairing, SamplerConfig, SamplerError};
use self::turns::Turns;

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
    turns: Turns,
    /// Findings that some sentence is positive, or negative, for.
    spoken: [Vec<Finding>; 2],
}

impl Sampler {
    /// A sampler over images with these label vectors and, index by index, their sources and the reports they have in the
    /// pool.
    ///
    /// # Errors
    /// [`SamplerError`].
    pub fn new(
        config: SamplerConfig,
        seed: u64,
        labels: Vec<LabelVector>,
        sources: &[&str],
        report_of: Vec<Option<usize>>,
        pool: &SentencePool,
    ) -> Result<Self, SamplerError> {
        config.validate()?;
        config.check_sources(sources)?;
        if labels.len() < config.images {
            return Err(SamplerError::TooFewImages { batch: config.images, images: labels.len() });
        }
        let spoken = [Polarity::Positive, Polarity::Negative].map(|polarity| {
            Finding::ALL.into_iter().filter(|finding| pool.has(*finding, polarity)).collect()
        });
        if spoken.iter().all(Vec::is_empty) {
            return Err(SamplerError::NoSentence);
        }
        let turns = Turns::new(&config, &labels, sources);
        Ok(Self { config, seed, labels, report_of, turns, spoken })
    }

    /// Batches an epoch.
    pub fn steps(&self) -> usize {
        self.labels.len() / self.config.images
    }

    /// The images of `epoch` in order: as many visits as there are images, each image, and each source that has a share,
    /// floor or ceiling of its fair number of times.
    pub fn order(&self, epoch: u64) -> Vec<usize> {
        let mut rng = stream(self.seed, Purpose::Order, epoch, 0);
        let mut order = self.turns.take(&mut rng);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use medclip_core::{Certainty, Labels};
    use medclip_data::{LabelPolicy, SentenceConfig};

    use super::*;

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
            &LabelPolicy::default(),
        )
    }

    fn with(finding: Finding, value: f32) -> LabelVector {
        let mut vector = LabelVector::default();
        vector[finding.index()] = value;
        vector
    }

    fn config(images: usize, pairing: Pairing, balance: f32) -> SamplerConfig {
        SamplerConfig { images, pairing, balance, source_share: BTreeMap::new() }
    }

    fn sampler(images: usize, pairing: Pairing, balance: f32, labels: Vec<LabelVector>) -> Sampler {
        let (sources, report_of) = (vec!["a"; labels.len()], vec![None; labels.len()]);
        Sampler::new(config(images, pairing, balance), 7, labels, &sources, report_of, &pool()).unwrap()
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
    fn visits_hold_the_shares_of_sources() {
        type Case<'a> = (&'a [(&'a str, f64)], [usize; 3]);
        let sources: Vec<&str> = (0..100).map(|image| ["a", "b", "c", "c"][image % 4]).collect();
        let rare = |image: usize| image % 20 < 4;
        let labels: Vec<LabelVector> = (0..100)
            .map(|image| with(if rare(image) { Finding::Edema } else { Finding::NoFinding }, 1.0))
            .collect();
        let cases: [Case; 4] = [
            (&[], [25, 25, 50]),
            (&[("a", 0.5)], [50, 17, 33]),
            (&[("a", 0.1), ("c", 0.2)], [10, 70, 20]),
            (&[("a", 0.6), ("b", 0.3), ("c", 0.1)], [60, 30, 10]),
        ];
        for pairing in [UNPAIRED, Pairing::Paired] {
            for balance in [0.0, 1.0] {
                for (shares, expected) in cases {
                    let source_share =
                        shares.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect();
                    let config = SamplerConfig { source_share, ..config(4, pairing, balance) };
                    let sampler =
                        Sampler::new(config, 7, labels.clone(), &sources, vec![None; 100], &pool()).unwrap();
                    for epoch in 0..3 {
                        let order = sampler.order(epoch);
                        let of = |name| order.iter().filter(|image| sources[**image] == name).count();
                        let counts = ["a", "b", "c"].map(of);
                        // The rest is no whole number of visits, so its two sources may be one off; without shares and
                        // with balance nothing holds the sources.
                        let free = shares.is_empty() && balance > 0.0;
                        let near = counts.into_iter().zip(expected).all(|(count, n)| count.abs_diff(n) <= 1);
                        assert!((near || free) && order.len() == 100, "{shares:?}: {counts:?}");
                        for (name, share) in shares {
                            assert_eq!(of(name), (share * 100.0).round() as usize, "{name} of {shares:?}");
                        }
                        let rare = order.iter().filter(|image| rare(**image)).count();
                        assert!(
                            rare.abs_diff(if balance == 0.0 { 20 } else { 50 }) <= 4,
                            "{shares:?}: {rare}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_source_that_is_seen_less_is_not_seen_at_equal_spaces() {
        let sources: Vec<&str> = (0..200).map(|image| if image < 100 { "a" } else { "b" }).collect();
        let source_share = BTreeMap::from([("a".to_owned(), 0.25)]);
        let config = SamplerConfig { source_share, ..config(4, UNPAIRED, 0.0) };
        let labels = vec![with(Finding::Edema, 1.0); 200];
        let sampler = Sampler::new(config, 7, labels, &sources, vec![None; 200], &pool()).unwrap();
        let order = sampler.order(0);
        let seen: Vec<usize> = order.into_iter().filter(|image| *image < 100).collect();
        let even = seen.iter().filter(|image| *image % 2 == 0).count();
        assert!(seen.len() == 50 && (15..=35).contains(&even), "{even} of {}", seen.len());
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
        let config = config(4, Pairing::Paired, 0.0);
        let report_of = vec![None, None, None, Some(0)];
        let sampler = Sampler::new(config, 7, labels, &["a"; 4], report_of, &pool()).unwrap();
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
            let vectors = vec![LabelVector::default(); labels];
            let (sources, report_of) = (vec!["a"; labels], vec![None; labels]);
            Sampler::new(config(images, UNPAIRED, 0.0), 0, vectors, &sources, report_of, pool).unwrap_err()
        };
        assert_eq!(new(0, 5, &pool()).to_string(), "sampler.images must be at least 1");
        assert_eq!(new(6, 5, &pool()).to_string(), "a batch takes 6 images, there are 5");
        assert_eq!(new(2, 5, &SentencePool::default()), SamplerError::NoSentence);
    }
}
