//! Image → sentence of the same class.

use std::fmt;

use medclip_core::Finding;
use medclip_runtime::Model;
use medclip_stats::{Interval, bootstrap_macro, grouped_order, precision_at_k};
use serde::Serialize;

use super::similarity::similarity;
use super::{Pool, RetrievalError};
use crate::embed::EmbeddedFilms;
use crate::evaluator::Evaluator;
use crate::exclusive::only_class;
use crate::observer::Observer;
use crate::resampling::{LEVEL, Resampling};

/// Candidates looked at.
const DEPTHS: [usize; 4] = [1, 2, 5, 10];

/// Sentences that stand for one class.
pub(super) struct ClassSentences {
    pub(super) finding: Finding,
    pub(super) sentences: Vec<String>,
}

/// Precision by class, and its mean over classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassRetrieval {
    /// Where the sentences come from.
    pub pool: Pool,
    /// Films with exactly one of the classes.
    pub queries: usize,
    /// Candidates of each class.
    pub sentences_per_class: usize,
    /// Precision of sentences at random.
    pub chance: f64,
    /// One for every class that serves.
    pub classes: Vec<ClassPrecision>,
    /// Classes without a query or with too few sentences.
    pub left_out: Vec<ClassWithout>,
    /// Mean over classes, one a depth.
    pub mean: Vec<PrecisionAt>,
}

/// Precision of the sentences that films of one class retrieve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassPrecision {
    /// The class.
    pub name: &'static str,
    /// Its films.
    pub queries: usize,
    /// Its sentences, before as many were drawn as every class has.
    pub sentences_found: usize,
    /// One a depth.
    pub precision: Vec<PrecisionAt>,
}

/// A class that does not serve; shown as `Edema (3 images, 0 sentences)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassWithout {
    /// The class.
    pub name: &'static str,
    /// Its films.
    pub queries: usize,
    /// Its sentences.
    pub sentences: usize,
}

/// Share of the right ones among the nearest `k` sentences.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PrecisionAt {
    /// Sentences looked at.
    pub k: usize,
    /// `None` where there are fewer sentences.
    pub precision: Option<Interval>,
}

impl fmt::Display for ClassWithout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} images, {} sentences)", self.name, self.queries, self.sentences)
    }
}

/// The positive prompts of the bundle's classes of that name.
pub(super) fn prompts_by_class(model: &Model, wanted: &[Finding]) -> Vec<ClassSentences> {
    let of = |finding: &Finding| {
        let class = model.bundle().bank().classes().iter().find(|class| class.name == finding.name());
        ClassSentences {
            finding: *finding,
            sentences: class.map_or_else(Vec::new, |class| class.positive.clone()),
        }
    };
    wanted.iter().map(of).collect()
}

/// Classes that serve, with the films that look for them and the sentences to find.
pub(super) struct Pairs {
    kept: Vec<ClassSentences>,
    left_out: Vec<ClassWithout>,
    per_class: usize,
    /// `per_class` of each class, one class after another.
    candidates: Vec<String>,
    /// Films with exactly one of the classes, and the position of that class.
    queries: Vec<(usize, usize)>,
}

impl Pairs {
    /// Films of each class, and as many sentences of each.
    ///
    /// # Errors
    /// [`RetrievalError::NoClass`], [`RetrievalError::TooFew`].
    pub(super) fn of(
        embedded: &EmbeddedFilms<'_>,
        found: Vec<ClassSentences>,
        per_class: Option<usize>,
        seed: u64,
    ) -> Result<Self, RetrievalError> {
        let wanted: Vec<Finding> = found.iter().map(|class| class.finding).collect();
        let class_of: Vec<Option<Finding>> =
            embedded.records.iter().map(|record| only_class(record, &wanted)).collect();
        let queries_of = |finding: Finding| class_of.iter().filter(|class| **class == Some(finding)).count();
        let fewest = found.iter().filter(|class| queries_of(class.finding) > 0);
        let fewest = fewest.map(|class| class.sentences.len()).filter(|count| *count > 0).min();
        let per_class = per_class.or(fewest).ok_or(RetrievalError::NoClass)?;
        let serves =
            |class: &ClassSentences| queries_of(class.finding) > 0 && class.sentences.len() >= per_class;
        let (kept, rest): (Vec<_>, Vec<_>) = found.into_iter().partition(serves);
        let without = rest.iter().map(|class| ClassWithout {
            name: class.finding.name(),
            queries: queries_of(class.finding),
            sentences: class.sentences.len(),
        });
        let left_out: Vec<ClassWithout> = without.collect();
        if kept.len() < 2 {
            let without: Vec<String> = left_out.iter().map(ToString::to_string).collect();
            return Err(RetrievalError::TooFew { per_class, without: without.join("; ") });
        }
        let mut candidates = Vec::new();
        for class in &kept {
            let mut order = grouped_order(&class.sentences, seed);
            order.truncate(per_class);
            candidates.extend(order);
        }
        let place = |class: Option<Finding>| kept.iter().position(|other| Some(other.finding) == class);
        let rows = class_of.iter().enumerate();
        let queries = rows.filter_map(|(row, class)| Some((row, place(*class)?))).collect();
        Ok(Self { kept, left_out, per_class, candidates, queries })
    }

    /// Precision of the sentences nearest to each film that has exactly one of the classes.
    pub(super) fn retrieve(
        self,
        evaluator: &Evaluator,
        embedded: &EmbeddedFilms<'_>,
        pool: Pool,
        resampling: Resampling,
        observer: &mut dyn Observer,
    ) -> Result<ClassRetrieval, RetrievalError> {
        let candidates = evaluator.embed_sentences(&self.candidates, observer)?;
        let precision = self.queries.iter().map(|(row, class)| {
            let similarity = similarity(&embedded.embeddings[*row], &candidates);
            let relevant: Vec<bool> = (0..candidates.len()).map(|at| at / self.per_class == *class).collect();
            DEPTHS.map(|k| precision_at_k(&similarity, &relevant, k))
        });
        let precision: Vec<[Option<f64>; DEPTHS.len()]> = precision.collect();
        let patients = embedded.patients();
        let patients: Vec<&str> = self.queries.iter().map(|(row, _)| patients[*row]).collect();
        let Resampling { resamples, seed } = resampling;
        let mut each: Vec<Vec<PrecisionAt>> = vec![Vec::new(); self.kept.len()];
        let mut mean = Vec::new();
        for (depth, k) in DEPTHS.into_iter().enumerate() {
            let statistic = |class: usize, rows: &[usize]| {
                let of_class = rows.iter().filter(|row| self.queries[**row].1 == class);
                let values: Option<Vec<f64>> = of_class.map(|&row| precision[row][depth]).collect();
                values.filter(|values| !values.is_empty()).map(|v| v.iter().sum::<f64>() / v.len() as f64)
            };
            let intervals = bootstrap_macro(&patients, self.kept.len(), statistic, resamples, LEVEL, seed)?;
            for (class, precision) in each.iter_mut().zip(intervals.each) {
                class.push(PrecisionAt { k, precision });
            }
            mean.push(PrecisionAt { k, precision: intervals.mean });
        }
        let queries_of = |place: usize| self.queries.iter().filter(|(_, class)| *class == place).count();
        let classes =
            self.kept.iter().zip(each).enumerate().map(|(place, (class, precision))| ClassPrecision {
                name: class.finding.name(),
                queries: queries_of(place),
                sentences_found: class.sentences.len(),
                precision,
            });
        Ok(ClassRetrieval {
            pool,
            queries: self.queries.len(),
            sentences_per_class: self.per_class,
            chance: 1.0 / self.kept.len() as f64,
            classes: classes.collect(),
            left_out: self.left_out,
            mean,
        })
    }
}
