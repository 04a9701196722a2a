//! Scores of other models as soft labels: distillation by way of the label vectors.

mod config;

use std::collections::BTreeMap;
use std::path::Path;

use medclip_core::Finding;
use medclip_stats::{FitError, fit_path};

pub use self::config::{TeacherConfig, TeacherError};
use crate::columns::{Column, Kind};
use crate::label::LabelVector;
use crate::manifest::Record;
use crate::table::Table;

/// Inverse strength of the fit from scores to probabilities: one weight and a bias, all but unregularized.
const C: f64 = 1e3;

/// Label vectors of training images, softened by what other models make of the images.
///
/// Every file's logits of a finding are standardized over the training images it scores, averaged over files, and turned
/// into the probability `p` of an annotated presence by a logistic regression on the images annotated present or absent. An
/// entry becomes `(1 − share)·label + share·soft`, annotated or not, where `soft` is `2p − 1` if `signed` and `p`
/// otherwise. Findings that no file scores, or that are not annotated both ways, stay as they are.
///
/// # Shapes
/// - `records`, `labels`: `[images]`
/// - returns: `[images]`
/// # Errors
/// [`TeacherError`].
/// # Source
/// Soft targets: Hinton et al. 2015; probabilities from scores: Platt 1999. Semantic matching compares label vectors by
/// their cosine and needs no change for it.
pub fn soften(
    config: &TeacherConfig,
    records: &[Record],
    labels: &[LabelVector],
    signed: bool,
) -> Result<Vec<LabelVector>, TeacherError> {
    let row_of: BTreeMap<&Path, usize> =
        records.iter().enumerate().map(|(row, record)| (record.path.as_path(), row)).collect();
    let mut means = Means::new(records.len());
    for path in &config.scores {
        means.add(standardized(read(path, &row_of)?));
    }
    means.check(records)?;

    let mut softened = labels.to_vec();
    for finding in Finding::ALL {
        let Some(column) = means.column(finding) else { continue };
        let Some(probabilities) = probabilities(finding, &column, records)? else { continue };
        for (vector, p) in softened.iter_mut().zip(probabilities) {
            let Some(p) = p else { continue };
            let soft = if signed { 2.0 * p - 1.0 } else { p };
            let entry = &mut vector[finding.index()];
            *entry += config.share * (soft - *entry);
        }
    }
    Ok(softened)
}

/// Logits of one file: by training image, and by finding; `None` where it has none.
type Scores = BTreeMap<usize, [Option<f64>; Finding::COUNT]>;

fn read(path: &Path, row_of: &BTreeMap<&Path, usize>) -> Result<Scores, TeacherError> {
    let wrong = |source| TeacherError::Table { path: path.to_owned(), source };
    let names = Finding::ALL.map(|finding| format!("{finding} logit"));
    let mut columns = vec![Column::required("path", Kind::Name)];
    columns.extend(names.iter().map(|name| Column::optional(name.clone(), Kind::Number)));
    let table = Table::open(path, &columns).map_err(wrong)?;
    if !(1..columns.len()).any(|column| table.has(column)) {
        return Err(TeacherError::NoFinding { path: path.to_owned() });
    }
    let mut scores = Scores::new();
    for row in table {
        let row = row.map_err(wrong)?;
        let Some(&image) = row_of.get(Path::new(row.cell(0))) else { continue };
        let mut logits = [None; Finding::COUNT];
        for (index, (logit, name)) in logits.iter_mut().zip(&names).enumerate() {
            let Some(cell) = row.filled(index + 1) else { continue };
            let value: Option<f64> = cell.parse().ok().filter(|value: &f64| value.is_finite());
            *logit = Some(value.ok_or_else(|| wrong(row.wrong(name, cell, "a finite number")))?);
        }
        // A failed image has blanks alone.
        if logits.iter().any(Option::is_some) {
            scores.insert(image, logits);
        }
    }
    Ok(scores)
}

/// Mean 0 and deviation 1 for every finding, so that models of other temperatures count alike.
fn standardized(mut scores: Scores) -> Scores {
    for finding in 0..Finding::COUNT {
        let values: Vec<f64> = scores.values().filter_map(|logits| logits[finding]).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let scale = if variance > 0.0 { variance.sqrt().recip() } else { 0.0 };
        for logit in scores.values_mut().filter_map(|logits| logits[finding].as_mut()) {
            *logit = (*logit - mean) * scale;
        }
    }
    scores
}

/// Sums and counts over files.
struct Means(Vec<[(f64, u32); Finding::COUNT]>);

impl Means {
    fn new(images: usize) -> Self {
        Self(vec![[(0.0, 0); Finding::COUNT]; images])
    }

    fn add(&mut self, scores: Scores) {
        for (image, logits) in scores {
            for ((sum, count), logit) in self.0[image].iter_mut().zip(logits) {
                if let Some(logit) = logit {
                    *sum += logit;
                    *count += 1;
                }
            }
        }
    }

    fn check(&self, records: &[Record]) -> Result<(), TeacherError> {
        let scored = |row: &[(f64, u32); Finding::COUNT]| row.iter().any(|(_, count)| *count > 0);
        let mut missing =
            self.0.iter().zip(records).filter(|(row, _)| !scored(row)).map(|(_, record)| record);
        let Some(first) = missing.next() else { return Ok(()) };
        Err(TeacherError::Missing {
            missing: 1 + missing.count(),
            images: records.len(),
            first: first.path.clone(),
            row: first.place,
        })
    }

    /// One finding's mean for every image; `None` when no file scores it.
    fn column(&self, finding: Finding) -> Option<Vec<Option<f32>>> {
        let mean = |(sum, count): (f64, u32)| (count > 0).then(|| (sum / f64::from(count)) as f32);
        let column: Vec<_> = self.0.iter().map(|row| mean(row[finding.index()])).collect();
        column.iter().any(Option::is_some).then_some(column)
    }
}

/// Probabilities of one finding; `None` when it is not annotated both ways.
fn probabilities(
    finding: Finding,
    scores: &[Option<f32>],
    records: &[Record],
) -> Result<Option<Vec<Option<f32>>>, TeacherError> {
    let known = |record: &Record| record.annotations[finding.index()].known();
    let (rows, labels): (Vec<[f32; 1]>, Vec<bool>) =
        scores.iter().zip(records).filter_map(|(score, record)| Some(([(*score)?], known(record)?))).unzip();
    let rows: Vec<&[f32]> = rows.iter().map(<[f32; 1]>::as_slice).collect();
    let mut fitted = match fit_path(&rows, &labels, &[C]) {
        Ok(fitted) => fitted,
        Err(FitError::OneClass { .. } | FitError::Shape { rows: 0, .. }) => return Ok(None),
        Err(source) => return Err(TeacherError::Fit { finding, source }),
    };
    let Some(classifier) = fitted.pop() else { return Ok(None) };
    let probability = |score: f32| (1.0 / (1.0 + (-classifier.logit(&[score])).exp())) as f32;
    Ok(Some(scores.iter().map(|score| score.map(probability)).collect()))
}

#[cfg(test)]
mod tests;
