//! Films to calibrate with, and others to judge by.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use medclip_core::ImageBatch;
use medclip_core::bundle::sha256;
use medclip_core::prompt::ExpandedClass;
use medclip_data::{Column, Kind, Table};
use medclip_decode::Limits;
use medclip_runtime::{Bundle, GrayImage};

use crate::inputs;
use crate::output::progress;

/// Images in one batch.
const BATCH: usize = 8;
/// Most films that ranges and layers are chosen by.
const MAX_CALIBRATED: usize = 200;
/// Fewest films of either part: with fewer, the figures mean nothing.
const MIN_FILMS: usize = 8;

/// Films in two parts that share no patient.
pub(super) struct Films {
    /// Ranges and layers are chosen by these.
    pub(super) calibration: Part,
    /// And judged by these.
    pub(super) gate: Part,
}

/// Films as the model takes them.
#[derive(Default)]
pub(super) struct Part {
    pub(super) batches: Vec<ImageBatch>,
    /// Of every film a label for every class of the model, where the manifest has one.
    pub(super) labels: Vec<Vec<Option<bool>>>,
}

/// A film on disk.
struct Film {
    path: PathBuf,
    patient: String,
    labels: Vec<Option<bool>>,
}

impl Films {
    /// Reads a directory, or a CSV file that names films and their labels.
    pub(super) fn open(path: &Path, bundle: &Bundle) -> anyhow::Result<Self> {
        let films = if path.is_dir() { below(path)? } else { listed(path, bundle)? };
        let (mut calibration, gate): (Vec<Film>, Vec<Film>) =
            films.into_iter().partition(|film| is_for_calibration(&film.patient));
        calibration.truncate(MAX_CALIBRATED);
        let counts = [("calibrate with", calibration.len()), ("judge by", gate.len())];
        if let Some((what, count)) = counts.into_iter().find(|&(_, count)| count < MIN_FILMS) {
            bail!(
                "{}: {count} films to {what}, needs {MIN_FILMS}; a third of the patients is for calibration",
                path.display()
            );
        }
        Ok(Self { calibration: Part::read(&calibration, bundle)?, gate: Part::read(&gate, bundle)? })
    }
}

impl Part {
    fn read(films: &[Film], bundle: &Bundle) -> anyhow::Result<Self> {
        let bar = progress(films.len(), "films");
        let mut part = Self::default();
        for chunk in films.chunks(BATCH) {
            let open = |film: &Film| {
                bar.inc(1);
                medclip_decode::open(&film.path, &Limits::default()).map(|film| film.image)
            };
            let images = chunk.iter().map(open).collect::<Result<Vec<GrayImage>, _>>()?;
            part.batches.push(bundle.preprocessor().batch(&images)?);
            part.labels.extend(chunk.iter().map(|film| film.labels.clone()));
        }
        bar.finish_and_clear();
        Ok(part)
    }

    pub(super) const fn len(&self) -> usize {
        self.labels.len()
    }
}

/// By the patient's name alone, so that more films of others change nothing.
fn is_for_calibration(patient: &str) -> bool {
    let sum = sha256(patient.as_bytes());
    u32::from_str_radix(&sum[..8], 16).is_ok_and(|number| number.is_multiple_of(3))
}

fn below(directory: &Path) -> anyhow::Result<Vec<Film>> {
    let film = |input: inputs::Input| {
        if let Some(problem) = input.problem {
            return Err(problem.context(input.path.display().to_string()));
        }
        let name = input.path.strip_prefix(directory).unwrap_or(&input.path);
        Ok(Film { patient: name.to_string_lossy().into_owned(), path: input.path, labels: Vec::new() })
    };
    inputs::expand(&[directory.to_owned()]).into_iter().map(film).collect()
}

fn listed(manifest: &Path, bundle: &Bundle) -> anyhow::Result<Vec<Film>> {
    let name = || manifest.display().to_string();
    let mut columns = vec![
        Column::required("path", Kind::Name),
        Column::optional("patient_group", Kind::Name),
        Column::optional("patient_id", Kind::Name),
    ];
    let others = columns.len();
    let classes = bundle.bank().classes();
    columns.extend(classes.iter().map(|class| Column::optional(class.name.clone(), Kind::Number)));
    let table = Table::open(manifest, &columns).with_context(name)?;
    let patient = [1, 2, 0].into_iter().find(|column| table.has(*column)).unwrap_or_default();
    let directory = manifest.parent().unwrap_or(Path::new(""));
    let mut films = Vec::new();
    for row in table {
        let row = row.with_context(name)?;
        if row.is_blank() {
            continue;
        }
        let label = |(index, class): (usize, &ExpandedClass)| match row.cell(others + index) {
            "1" | "1.0" => Ok(Some(true)),
            "0" | "0.0" => Ok(Some(false)),
            "" => Ok(None),
            other => Err(row.wrong(&class.name, other, "1, 0 or blank")),
        };
        let path = row.filled(0).ok_or_else(|| row.wrong("path", "", "a name")).with_context(name)?;
        films.push(Film {
            path: directory.join(path),
            patient: row.cell(patient).to_owned(),
            labels: classes.iter().enumerate().map(label).collect::<Result<_, _>>().with_context(name)?,
        });
    }
    Ok(films)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_a_third_of_the_patients_is_calibrated_on() {
        let count = (0..3000).filter(|k| is_for_calibration(&format!("patient {k}"))).count();
        assert!((900..1100).contains(&count), "{count}");
    }
}
