//! Scores of other models as soft labels: distillation by way of the label vectors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use medclip_core::Finding;
use medclip_data::{Column, Kind, Place, Table, TableError};
use medclip_stats::{FitError, fit_path};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::data::label::LabelVector;
use crate::data::manifest::Record;

/// Inverse strength of the fit from scores to probabilities: one weight and a bias, all but unregularised.
const C: f64 = 1e3;

/// Whose scores soften the labels of training images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeacherConfig {
    /// Files that `medclip score --format csv` wrote, one a model or one a fold. Several files that score an image are
    /// averaged; every training image must be in at least one.
    pub scores: Vec<PathBuf>,
    /// What the scores weigh beside the annotations, 0–1.
    pub share: f32,
}

impl TeacherConfig {
    /// Checks what can be checked without opening a file.
    ///
    /// # Errors
    /// [`TeacherError::Share`], [`TeacherError::NoScores`].
    pub fn validate(&self) -> Result<(), TeacherError> {
        if !(0.0..=1.0).contains(&self.share) {
            return Err(TeacherError::Share);
        }
        if self.scores.is_empty() {
            return Err(TeacherError::NoScores);
        }
        Ok(())
    }
}

/// Why scores were refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TeacherError {
    /// A share outside its range.
    #[error("data.teacher.share must be in 0–1")]
    Share,
    /// No files.
    #[error("data.teacher.scores names no file")]
    NoScores,
    /// A file or a cell of it.
    #[error("scores {}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: TableError,
    },
    /// A file without the logits of any finding.
    #[error("scores {}: no column `… logit` of a finding", path.display())]
    NoFinding {
        /// The file.
        path: PathBuf,
    },
    /// Training images that no file scores.
    #[error("no score for {missing} of {images} training images, such as {}", first.display())]
    Missing {
        /// Images without a score.
        missing: usize,
        /// Training images.
        images: usize,
        /// The first without one.
        first: PathBuf,
        /// Its row in the manifest.
        row: Place,
    },
    /// Scores that no probability can be fitted to.
    #[error("probabilities of `{finding}` from scores")]
    Fit {
        /// The finding.
        finding: Finding,
        /// Why not.
        source: FitError,
    },
}

impl TeacherError {
    /// The error in words that name no image.
    pub fn unnamed(&self) -> String {
        match self {
            Self::Missing { missing, images, row, .. } => {
                format!(
                    "no score for {missing} of {images} training images, such as that of {row} of its manifest"
                )
            }
            _ => self.to_string(),
        }
    }
}

/// Label vectors of training images, softened by what other models make of the images.
///
/// Every file's logits of a finding are standardised over the training images it scores, averaged over files, and turned
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
pub(super) fn soften(
    config: &TeacherConfig,
    records: &[Record],
    labels: &[LabelVector],
    signed: bool,
) -> Result<Vec<LabelVector>, TeacherError> {
    let row_of: BTreeMap<&Path, usize> =
        records.iter().enumerate().map(|(row, record)| (record.path.as_path(), row)).collect();
    let mut means = Means::new(records.len());
    for path in &config.scores {
        means.add(standardised(read(path, &row_of)?));
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
fn standardised(mut scores: Scores) -> Scores {
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
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::data::fixture::{self, Row};
    use crate::data::manifest::read_manifest_from;

    /// Eight images, of which the first four have oedema; the last is not annotated.
    fn records() -> Vec<Record> {
        let row = |index: usize| {
            let mut row = Row::new(&format!("{index}.png"), &format!("p{index}"));
            if index < 7 {
                row.findings = vec![(Finding::Edema, if index < 4 { "1" } else { "0" })];
            }
            row
        };
        read_manifest_from(fixture::manifest(&(0..8).map(row).collect::<Vec<_>>()).as_bytes()).unwrap()
    }

    fn scores(directory: &TempDir, name: &str, logits: &[(usize, f32)]) -> PathBuf {
        let path = directory.path().join(name);
        let rows = logits.iter().map(|(image, logit)| format!("{image}.png,m,tract,,{logit},0.5\n"));
        let header = "path,model,engine,error,Edema logit,Edema probability\n".to_owned();
        fs::write(&path, std::iter::once(header).chain(rows).collect::<String>()).unwrap();
        path
    }

    fn labels(records: &[Record]) -> Vec<LabelVector> {
        let policy = crate::data::label::LabelPolicy::default();
        records.iter().map(|record| policy.vector(&record.annotations, None)).collect()
    }

    const LOGITS: [f32; 8] = [3.0, 1.0, 2.0, -1.0, 0.5, -2.0, -3.0, 0.0];

    #[test]
    fn scores_move_labels_towards_their_probability() {
        let directory = TempDir::new().unwrap();
        let all: Vec<_> = LOGITS.into_iter().enumerate().collect();
        let config = |share| TeacherConfig { scores: vec![scores(&directory, "a.csv", &all)], share };
        let records = records();
        let hard = labels(&records);
        assert_eq!(soften(&config(0.0), &records, &hard, true).unwrap(), hard);
        let edema = |vectors: &[LabelVector]| {
            vectors.iter().map(|vector| vector[Finding::Edema.index()]).collect::<Vec<_>>()
        };
        let soft = edema(&soften(&config(1.0), &records, &hard, true).unwrap());
        for (a, b) in [(0, 2), (2, 1), (1, 4), (4, 7), (7, 3), (3, 5), (5, 6)] {
            assert!(soft[a] > soft[b], "in the order of the scores: {soft:?}");
        }
        assert!(soft.iter().all(|entry| (-1.0..=1.0).contains(entry)));
        let half = edema(&soften(&config(0.5), &records, &hard, true).unwrap());
        for ((half, soft), hard) in half.iter().zip(&soft).zip(edema(&hard)) {
            assert!((half - 0.5 * (soft + hard)).abs() < 1e-6);
        }
        let unsigned = edema(&soften(&config(1.0), &records, &hard, false).unwrap());
        assert!(unsigned.iter().zip(&soft).all(|(p, signed)| (2.0 * p - 1.0 - signed).abs() < 1e-6));
        // Of the annotated images as many are present as the probabilities add up to.
        assert!((unsigned[..7].iter().sum::<f32>() - 4.0).abs() < 0.05, "{unsigned:?}");
    }

    #[test]
    fn models_of_any_temperature_and_folds_count_alike() {
        let directory = TempDir::new().unwrap();
        let records = records();
        let hard = labels(&records);
        let soft = |scores: Vec<PathBuf>| {
            soften(&TeacherConfig { scores, share: 1.0 }, &records, &hard, true).unwrap()
        };
        let all: Vec<_> = LOGITS.into_iter().enumerate().collect();
        let cold: Vec<_> = all.iter().map(|(image, logit)| (*image, logit * 16.0 - 4.0)).collect();
        let one = soft(vec![scores(&directory, "a.csv", &all)]);
        let both = soft(vec![scores(&directory, "b.csv", &all), scores(&directory, "c.csv", &cold)]);
        for (one, both) in one.iter().zip(&both) {
            assert!((one[Finding::Edema.index()] - both[Finding::Edema.index()]).abs() < 1e-5);
        }
        let (first, second) = all.split_at(3);
        let folds = soft(vec![scores(&directory, "d.csv", first), scores(&directory, "e.csv", second)]);
        assert!(folds.iter().all(|vector| vector[Finding::Edema.index()] != 0.0));
    }

    #[test]
    fn refusals_name_the_file_and_the_image() {
        let directory = TempDir::new().unwrap();
        let records = records();
        let hard = labels(&records);
        let refused = |scores: Vec<PathBuf>, share| {
            let config = TeacherConfig { scores, share };
            let error = config.validate().and_then(|()| soften(&config, &records, &hard, true)).unwrap_err();
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            format!("{error}: {cause}")
        };
        let some = scores(&directory, "some.csv", &[(0, 1.0), (1, -1.0)]);
        assert!(
            refused(vec![some.clone()], 0.5)
                .starts_with("no score for 6 of 8 training images, such as 2.png")
        );
        assert!(refused(vec![some.clone()], 1.5).contains("data.teacher.share"));
        assert!(refused(Vec::new(), 0.5).contains("no file"));
        let text = fs::read_to_string(&some).unwrap();
        fs::write(&some, text.replace(",-1,", ",NaN,")).unwrap();
        let message = refused(vec![some.clone()], 0.5);
        assert!(
            message.contains("some.csv") && message.contains("`NaN` is not a finite number"),
            "{message}"
        );
        fs::write(&some, text.replace("Edema", "Oedema")).unwrap();
        assert!(refused(vec![some], 0.5).contains("some.csv: no column"));
    }
}
