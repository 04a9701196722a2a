//! The pool of labeled sentences that training draws from.

use std::collections::BTreeMap;

use medclip_core::{Certainty, Finding, Labels};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::label::{LabelPolicy, LabelVector};
use crate::random::pick;

/// What becomes of a report's sentences.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SentenceConfig {
    /// Sentences with fewer legible words are dropped; the published code drops those of fewer than 5 tokens.
    pub min_words: usize,
    /// Keep sentences whose label vector is all zeros. The matching loss learns nothing from them; `InfoNCE` may.
    #[serde(rename = "keep_unlabelled")]
    pub keep_unlabeled: bool,
    /// How often a draw by finding takes a prompt rather than a report sentence, where there are both; 0–1.
    pub prompt_share: f32,
}

impl Default for SentenceConfig {
    fn default() -> Self {
        Self { min_words: 3, keep_unlabeled: false, prompt_share: 0.0 }
    }
}

/// Whether a sentence says that a finding is there or that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polarity {
    /// Label 1.
    Positive,
    /// Label −1.
    Negative,
}

/// A distinct sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Sentence {
    /// As its first report spells it.
    pub text: String,
    /// What it says of each finding.
    pub labels: Labels,
    /// What the loss compares, by the [`LabelPolicy`].
    pub vector: LabelVector,
    /// How often reports say it, up to case, spacing and final punctuation; 0 for prompts.
    pub count: usize,
}

/// Distinct labeled sentences, found by report, by finding or by frequency.
#[derive(Debug, Clone, Default)]
pub struct SentencePool {
    sentences: Vec<Sentence>,
    by_report: Vec<Vec<usize>>,
    /// Sentences of reports by finding and polarity.
    said: [[Vec<usize>; 2]; Finding::COUNT],
    /// Prompts by finding and polarity.
    prompted: [[Vec<usize>; 2]; Finding::COUNT],
    /// Running total of `count`.
    cumulative: Vec<usize>,
    prompt_share: f32,
}

impl SentencePool {
    /// The pool of `reports`, each already split and labeled, and of labeled `prompts`, with label vectors by `policy`.
    ///
    /// Dropped: sentences with fewer than `min_words` legible words, those with more removed words (`XXXX`) than legible
    /// ones, and, unless `keep_unlabeled`, those whose vector is all zeros. A sentence is positive for what its vector says,
    /// and negative for what its words deny, whether the policy keeps that in the vector or not.
    pub fn new(
        reports: impl IntoIterator<Item = Vec<(String, Labels)>>,
        prompts: impl IntoIterator<Item = (String, Labels)>,
        config: &SentenceConfig,
        policy: &LabelPolicy,
    ) -> Self {
        let new = |text, labels| Sentence { text, labels, vector: policy.sentence(&labels), count: 0 };
        let mut pool = Self { prompt_share: config.prompt_share, ..Self::default() };
        let mut index_of = BTreeMap::new();
        for report in reports {
            let mut said = Vec::with_capacity(report.len());
            for (text, labels) in report {
                let unlabeled = policy.sentence(&labels) == LabelVector::default();
                if !legible(&text, config.min_words) || (unlabeled && !config.keep_unlabeled) {
                    continue;
                }
                let index = *index_of.entry(normalized(&text)).or_insert_with(|| {
                    pool.sentences.push(new(text, labels));
                    pool.sentences.len() - 1
                });
                pool.sentences[index].count += 1;
                said.push(index);
            }
            pool.by_report.push(said);
        }
        let from_reports = pool.sentences.len();
        pool.sentences.extend(prompts.into_iter().map(|(text, labels)| new(text, labels)));

        for (index, sentence) in pool.sentences.iter().enumerate() {
            let buckets = if index < from_reports { &mut pool.said } else { &mut pool.prompted };
            for (finding, certainty) in sentence.labels.iter() {
                let [positive, negative] = &mut buckets[finding.index()];
                if sentence.vector[finding.index()] == 1.0 {
                    positive.push(index);
                } else if certainty == Certainty::Negative {
                    negative.push(index);
                }
            }
        }
        pool.cumulative = pool
            .sentences
            .iter()
            .scan(0, |total, sentence| {
                *total += sentence.count;
                Some(*total)
            })
            .collect();
        pool
    }

    /// All sentences; draws give indices into this.
    pub fn sentences(&self) -> &[Sentence] {
        &self.sentences
    }

    /// The sentences of one report, as often as it says them; empty for an unknown report.
    pub fn of_report(&self, report: usize) -> &[usize] {
        self.by_report.get(report).map_or(&[], Vec::as_slice)
    }

    /// How many distinct report sentences and prompts speak of `finding`.
    pub fn counts(&self, finding: Finding, polarity: Polarity) -> [usize; 2] {
        [&self.said, &self.prompted].map(|buckets| buckets[finding.index()][polarity as usize].len())
    }

    /// True when some sentence or prompt says this.
    pub fn has(&self, finding: Finding, polarity: Polarity) -> bool {
        self.counts(finding, polarity) != [0, 0]
    }

    /// A sentence that says this of `finding`, each distinct one as likely as the next: rare wordings count.
    pub fn draw(&self, finding: Finding, polarity: Polarity, rng: &mut impl Rng) -> Option<usize> {
        let [said, prompted] =
            [&self.said, &self.prompted].map(|buckets| &buckets[finding.index()][polarity as usize]);
        let prompt = rng.random::<f32>() < self.prompt_share;
        let bucket = if said.is_empty() || (prompt && !prompted.is_empty()) { prompted } else { said };
        pick(bucket, rng)
    }

    /// A report sentence, as likely as reports say it; `None` when there is none.
    pub fn draw_by_frequency(&self, rng: &mut impl Rng) -> Option<usize> {
        let total = self.cumulative.last().copied().filter(|total| *total > 0)?;
        let ticket = rng.random_range(0..total);
        Some(self.cumulative.partition_point(|running| *running <= ticket))
    }
}

fn legible(text: &str, min_words: usize) -> bool {
    let words = text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric));
    let (removed, legible): (Vec<&str>, Vec<&str>) = words.partition(|word| word.contains("XXX"));
    legible.len() >= min_words && removed.len() <= legible.len()
}

fn normalized(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").trim_end_matches(['.', ',', ';', ':', ' ']).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    fn labels(finding: Finding, certainty: Certainty) -> Labels {
        let mut labels = Labels::default();
        labels[finding] = certainty;
        labels
    }

    fn pool(config: &SentenceConfig) -> SentencePool {
        pool_with(config, LabelPolicy::default())
    }

    fn pool_with(config: &SentenceConfig, policy: LabelPolicy) -> SentencePool {
        let clear = labels(Finding::LungOpacity, Certainty::Negative);
        let large = labels(Finding::Cardiomegaly, Certainty::Positive);
        SentencePool::new(
            [
                vec![("The lungs are clear.".into(), clear), ("Heart is enlarged.".into(), large)],
                vec![("the  lungs are clear".into(), clear), ("No effusion.".into(), clear)],
                vec![("XXXX XXXX heart XXXX is XXXX large".into(), large)],
                vec![("Comparison is made today.".into(), Labels::default())],
            ],
            [("a fractured rib".into(), labels(Finding::Fracture, Certainty::Positive))],
            config,
            &policy,
        )
    }

    #[test]
    fn keeps_each_usable_sentence_once() {
        let pool = pool(&SentenceConfig::default());
        let kept: Vec<(&str, usize)> = pool.sentences().iter().map(|s| (s.text.as_str(), s.count)).collect();
        assert_eq!(kept, [("The lungs are clear.", 2), ("Heart is enlarged.", 1), ("a fractured rib", 0)]);
        assert_eq!(pool.of_report(1), [0]);
        assert!(pool.of_report(2).is_empty());
        assert!(pool.of_report(99).is_empty());
        assert_eq!(pool.counts(Finding::Fracture, Polarity::Positive), [0, 1]);
    }

    #[test]
    fn unlabeled_sentences_are_an_option() {
        let config = SentenceConfig { keep_unlabeled: true, ..SentenceConfig::default() };
        assert_eq!(pool(&config).of_report(3).len(), 1);
    }

    #[test]
    fn folded_sentences_are_still_drawn_by_what_they_deny() {
        let folding = LabelPolicy { fold_certainty: true, ..LabelPolicy::default() };
        let pool = pool_with(&SentenceConfig::default(), folding);
        let texts: Vec<&str> = pool.sentences().iter().map(|sentence| sentence.text.as_str()).collect();
        assert_eq!(
            texts,
            ["The lungs are clear.", "Heart is enlarged.", "Comparison is made today.", "a fractured rib"],
            "what says nothing counts as normal"
        );
        assert_eq!(pool.counts(Finding::LungOpacity, Polarity::Negative), [1, 0]);
        assert_eq!(pool.counts(Finding::NoFinding, Polarity::Positive), [2, 0]);
        let normal = folding.sentence(&Labels::default());
        let vectors: Vec<LabelVector> = pool.sentences().iter().map(|sentence| sentence.vector).collect();
        assert_eq!((vectors[0], vectors[2]), (normal, normal));
        assert!(vectors.iter().flatten().all(|entry| *entry >= 0.0));
    }

    #[test]
    fn draws_follow_finding_and_frequency() {
        let pool = pool(&SentenceConfig::default());
        let mut rng = stream(0, Purpose::Sentences, 0, 0);
        assert_eq!(pool.draw(Finding::Cardiomegaly, Polarity::Positive, &mut rng), Some(1));
        assert_eq!(
            pool.draw(Finding::Fracture, Polarity::Positive, &mut rng),
            Some(2),
            "falls back to prompts"
        );
        assert_eq!(pool.draw(Finding::Edema, Polarity::Positive, &mut rng), None);
        let drawn: Vec<usize> = (0..3000).filter_map(|_| pool.draw_by_frequency(&mut rng)).collect();
        let clear = drawn.iter().filter(|index| **index == 0).count();
        assert!((1900..2100).contains(&clear), "{clear}");
        assert!(!drawn.contains(&2), "prompts have no frequency");
    }
}
