//! Films on disk, with what is known of them.

use std::path::{Path, PathBuf};

use medclip_core::prompt::ExpandedClass;
use medclip_data::{Column, Kind, Table, TableError};
use medclip_runtime::Bundle;

/// A film to calibrate with or to judge by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabeledFilm {
    /// Its file.
    pub path: PathBuf,
    /// Whose it is: films of one patient are in one part.
    pub patient: String,
    /// For every class of the model, in its order, whether it is there; nothing where that is not known. May be empty.
    pub labels: Vec<Option<bool>>,
}

impl LabeledFilm {
    /// Films below a directory, of which nothing is known: each is a patient's, under its path from there.
    pub fn below(directory: &Path, films: impl IntoIterator<Item = PathBuf>) -> Vec<Self> {
        let film = |path: PathBuf| {
            let patient = path.strip_prefix(directory).unwrap_or(&path).to_string_lossy().into_owned();
            Self { patient, path, labels: Vec::new() }
        };
        films.into_iter().map(film).collect()
    }

    /// Reads the films that a manifest lists, with their labels for the classes of `bundle`.
    ///
    /// Column `path` is required and names files from the manifest's directory. The patient is in column `patient_group`, else
    /// `patient_id`; without either, every file is a patient. Columns named like classes hold 1, 0 or nothing.
    ///
    /// # Errors
    /// [`TableError`], which names row and column but not the file.
    pub fn listed(manifest: &Path, bundle: &Bundle) -> Result<Vec<Self>, TableError> {
        let mut columns = vec![
            Column::required("path", Kind::Name),
            Column::optional("patient_group", Kind::Name),
            Column::optional("patient_id", Kind::Name),
        ];
        let others = columns.len();
        let classes = bundle.bank().classes();
        columns.extend(classes.iter().map(|class| Column::optional(class.name.clone(), Kind::Number)));
        let table = Table::open(manifest, &columns)?;
        let patient = [1, 2, 0].into_iter().find(|column| table.has(*column)).unwrap_or_default();
        let directory = manifest.parent().unwrap_or(Path::new(""));
        let mut films = Vec::new();
        for row in table {
            let row = row?;
            if row.is_blank() {
                continue;
            }
            let label = |(index, class): (usize, &ExpandedClass)| match row.cell(others + index) {
                "1" | "1.0" => Ok(Some(true)),
                "0" | "0.0" => Ok(Some(false)),
                "" => Ok(None),
                other => Err(row.wrong(&class.name, other, "1, 0 or blank")),
            };
            let path = row.filled(0).ok_or_else(|| row.wrong("path", "", "a name"))?;
            films.push(Self {
                path: directory.join(path),
                patient: row.cell(patient).to_owned(),
                labels: classes.iter().enumerate().map(label).collect::<Result<_, _>>()?,
            });
        }
        Ok(films)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn films_below_a_directory_are_patients_by_their_place_in_it() {
        let films = LabeledFilm::below(Path::new("films"), ["films/a/1.png".into(), "films/b/1.png".into()]);
        let patients: Vec<_> = films.iter().map(|film| film.patient.replace('\\', "/")).collect();
        assert_eq!(patients, ["a/1.png", "b/1.png"]);
        assert_eq!(films[1].path, Path::new("films/b/1.png"));
    }
}
