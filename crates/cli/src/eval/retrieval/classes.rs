//! Image → sentence of the same class.

use std::io::{self, Write};

use anyhow::{Context, bail};
use medclip_core::Finding;
use medclip_runtime::Model;
use medclip_stats::{Interval, bootstrap_macro, grouped_order, precision_at_k};
use serde::Serialize;

use super::Pool;
use crate::eval::cells;
use crate::eval::exclusive::only_class;
use crate::eval::films::{Embedded, Films, ReportArgs};

/// Candidates looked at.
const DEPTHS: [usize; 4] = [1, 2, 5, 10];

/// Sentences that stand for one class.
pub(super) struct ClassSentences {
    pub(super) finding: Finding,
    pub(super) sentences: Vec<String>,
}

/// Precision by class, and its mean over classes.
#[derive(Debug, Serialize)]
pub(super) struct ClassRetrieval {
    pool: Pool,
    queries: usize,
    sentences_per_class: usize,
    /// Precision of sentences at random.
    chance: f64,
    classes: Vec<ClassPrecision>,
    /// Classes without a query or with too few sentences.
    left_out: Vec<LeftOut>,
    /// Mean over classes, one a depth.
    mean: Vec<AtDepth>,
}

#[derive(Debug, Serialize)]
struct ClassPrecision {
    name: &'static str,
    queries: usize,
    sentences_found: usize,
    precision: Vec<AtDepth>,
}

#[derive(Debug, Serialize)]
struct LeftOut {
    name: &'static str,
    queries: usize,
    sentences: usize,
}

#[derive(Debug, Clone, Serialize)]
struct AtDepth {
    k: usize,
    /// None where the pool has fewer sentences.
    precision: Option<Interval>,
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

/// Precision of the sentences nearest to each image that has exactly one of the classes.
pub(super) fn retrieve(
    films: &Films,
    embedded: &Embedded<'_>,
    pool: Pool,
    found: Vec<ClassSentences>,
    per_class: Option<usize>,
    args: &ReportArgs,
) -> anyhow::Result<ClassRetrieval> {
    let wanted: Vec<Finding> = found.iter().map(|class| class.finding).collect();
    let class_of: Vec<Option<Finding>> =
        embedded.records.iter().map(|record| only_class(record, &wanted)).collect();
    let queries_of = |finding: Finding| class_of.iter().filter(|class| **class == Some(finding)).count();
    let fewest = found.iter().filter(|class| queries_of(class.finding) > 0);
    let fewest = fewest.map(|class| class.sentences.len()).filter(|count| *count > 0).min();
    let per_class = per_class.or(fewest).context("no class has both an image and a sentence")?;
    let serves = |class: &ClassSentences| queries_of(class.finding) > 0 && class.sentences.len() >= per_class;
    let (kept, rest): (Vec<_>, Vec<_>) = found.into_iter().partition(serves);
    let left_out: Vec<LeftOut> = rest
        .iter()
        .map(|class| LeftOut {
            name: class.finding.name(),
            queries: queries_of(class.finding),
            sentences: class.sentences.len(),
        })
        .collect();
    if kept.len() < 2 {
        let reasons: Vec<String> = left_out.iter().map(LeftOut::text).collect();
        bail!("fewer than two classes have an image and {per_class} sentences: {}", reasons.join("; "));
    }

    let mut sentences = Vec::new();
    for class in &kept {
        let mut order = grouped_order(&class.sentences, args.seed);
        order.truncate(per_class);
        sentences.extend(order);
    }
    let candidates = films.embed_sentences(&sentences)?;
    let queries: Vec<usize> =
        (0..class_of.len()).filter(|&row| kept.iter().any(|c| Some(c.finding) == class_of[row])).collect();
    let place = |row: usize| kept.iter().position(|class| Some(class.finding) == class_of[row]);
    let class_of_query: Vec<usize> = queries.iter().filter_map(|&row| place(row)).collect();
    let precision: Vec<Vec<Option<f64>>> = queries
        .iter()
        .zip(&class_of_query)
        .map(|(&row, class)| {
            let similarity = super::reports::similarity(&embedded.embeddings[row], &candidates);
            let relevant: Vec<bool> = (0..candidates.len()).map(|at| at / per_class == *class).collect();
            DEPTHS.iter().map(|&k| precision_at_k(&similarity, &relevant, k)).collect()
        })
        .collect();

    let patients = embedded.patients();
    let patients: Vec<&str> = queries.iter().map(|&row| patients[row]).collect();
    let mut each: Vec<Vec<AtDepth>> = vec![Vec::new(); kept.len()];
    let mut mean = Vec::new();
    for (depth, k) in DEPTHS.into_iter().enumerate() {
        let statistic = |class: usize, rows: &[usize]| {
            let of_class = rows.iter().filter(|row| class_of_query[**row] == class);
            let values: Option<Vec<f64>> = of_class.map(|&row| precision[row][depth]).collect();
            values.filter(|values| !values.is_empty()).map(|v| v.iter().sum::<f64>() / v.len() as f64)
        };
        let intervals = bootstrap_macro(&patients, kept.len(), statistic, args.resamples, 0.95, args.seed)?;
        for (class, precision) in each.iter_mut().zip(intervals.each) {
            class.push(AtDepth { k, precision });
        }
        mean.push(AtDepth { k, precision: intervals.mean });
    }
    let classes = kept.iter().zip(each).map(|(class, precision)| ClassPrecision {
        name: class.finding.name(),
        queries: queries_of(class.finding),
        sentences_found: class.sentences.len(),
        precision,
    });
    Ok(ClassRetrieval {
        pool,
        queries: queries.len(),
        sentences_per_class: per_class,
        chance: 1.0 / kept.len() as f64,
        classes: classes.collect(),
        left_out,
        mean,
    })
}

impl LeftOut {
    fn text(&self) -> String {
        format!("{} ({} images, {} sentences)", self.name, self.queries, self.sentences)
    }
}

impl ClassRetrieval {
    pub(super) fn write_markdown(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { queries, sentences_per_class, chance, classes, .. } = self;
        let origin = match self.pool {
            Pool::Reports => "sentences of the chosen images' reports",
            Pool::Prompts => "positive prompts of the bundle",
        };
        writeln!(
            out,
            "Image → sentence of its class: {queries} images with exactly one of the classes;\n{} candidates, \
             {sentences_per_class} a class, {origin}; chance {chance:.3}.\n",
            sentences_per_class * classes.len()
        )?;
        writeln!(out, "| class | images | sentences found | P@1 | P@2 | P@5 | P@10 |")?;
        writeln!(out, "|---|--:|--:|--:|--:|--:|--:|")?;
        let cells = |precision: &[AtDepth]| {
            precision.iter().map(|at| cells::interval(at.precision.as_ref())).collect::<Vec<_>>()
        };
        for ClassPrecision { name, queries, sentences_found, precision } in classes {
            writeln!(out, "| {name} | {queries} | {sentences_found} | {} |", cells(precision).join(" | "))?;
        }
        writeln!(out, "| **mean of classes** | | | **{}** |", cells(&self.mean).join("** | **"))?;
        if !self.left_out.is_empty() {
            let texts: Vec<String> = self.left_out.iter().map(LeftOut::text).collect();
            writeln!(out, "\nLeft out, for want of images or sentences: {}.", texts.join("; "))?;
        }
        let of = |name, precision: &'_ [AtDepth]| -> Vec<_> {
            precision.iter().map(|at| (name, at.precision)).collect()
        };
        let mut figures: Vec<(&str, Option<Interval>)> =
            classes.iter().flat_map(|class| of(class.name, &class.precision)).collect();
        figures.extend(of("the mean", &self.mean));
        let note = cells::no_interval_note(figures.iter().map(|(name, found)| (*name, found.as_ref())));
        note.map_or(Ok(()), |note| writeln!(out, "\n{note}"))
    }
}
