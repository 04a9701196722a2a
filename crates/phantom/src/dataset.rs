//! A directory of phantoms that training and evaluation read like one of films.

use std::fs;
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageFormat};
use medclip_core::{Certainty, Finding, GrayImage};
use thiserror::Error;

use crate::phantom::{Phantom, PhantomError};

/// A data set that cannot be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The phantoms asked for cannot be drawn.
    #[error(transparent)]
    Phantom(#[from] PhantomError),
    /// A data set is there already.
    #[error("{} exists: choose another directory or remove it", path.display())]
    Exists {
        /// The manifest found.
        path: PathBuf,
    },
    /// A directory cannot be made.
    #[error("cannot make the directory {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An image cannot be written.
    #[error("cannot write the image {}", path.display())]
    Image {
        /// The image.
        path: PathBuf,
        /// Why.
        source: image::ImageError,
    },
    /// A table cannot be written.
    #[error("cannot write the table {}", path.display())]
    Table {
        /// The table.
        path: PathBuf,
        /// Why.
        source: csv::Error,
    },
}

/// Writes `count` random phantoms of `size`² pixels to `dir`: `images/*.png`, `manifest.csv` and `reports.csv`.
///
/// `manifest.csv` has the columns `path` (relative to `dir`), `split` (`train`, or `val` for every fifth), `fold`
/// (0–4), `source` (`synthetic`), `patient_id`, `patient_group`, `view` (`PA`), the 14 findings (1 present,
/// 0 absent, blank unclear) and `text`. `reports.csv` has `id` (the manifest's `patient_id`), `split`, `text`.
/// The same arguments give the same files; every phantom is a patient of its own.
///
/// # Errors
/// [`DatasetError`] when `dir` holds a manifest already, when the size is out of range, or when a file cannot be
/// written. The tables are written last.
pub fn write_dataset(dir: &Path, count: u32, seed: u64, size: u32) -> Result<(), DatasetError> {
    let manifest_path = dir.join("manifest.csv");
    if manifest_path.exists() {
        return Err(DatasetError::Exists { path: manifest_path });
    }
    let images = dir.join("images");
    fs::create_dir_all(&images).map_err(|source| DatasetError::Directory { path: images.clone(), source })?;

    let mut manifest = vec![manifest_header()];
    let mut reports = vec![["id", "split", "text"].map(str::to_owned).to_vec()];
    for index in 0..count {
        let phantom = Phantom::random(phantom_seed(seed, index), size)?;
        let name = format!("{index:06}.png");
        write_png(&phantom.render(), &images.join(&name))?;

        let id = format!("phantom:{seed}-{index}");
        let split = if index % 5 == 4 { "val" } else { "train" };
        let text =
            phantom.sentences().into_iter().map(|sentence| sentence.text).collect::<Vec<_>>().join(" ");
        let fold = (index / 5 + index) % 5;
        let mut row: Vec<String> = vec![format!("images/{name}"), split.to_owned(), fold.to_string()];
        row.extend(["synthetic", &id, &id, "PA"].map(str::to_owned));
        row.extend(phantom.labels().iter().map(|(_, certainty)| cell(certainty).to_owned()));
        row.push(text.clone());
        manifest.push(row);
        reports.push(vec![id, split.to_owned(), text]);
    }
    write_table(&dir.join("reports.csv"), &reports)?;
    write_table(&manifest_path, &manifest)
}

/// Writes an image as 8-bit gray PNG.
///
/// # Errors
/// [`DatasetError::Image`] when the file cannot be written.
pub fn write_png(image: &GrayImage, path: &Path) -> Result<(), DatasetError> {
    let (width, height) = (image.width(), image.height());
    image::save_buffer_with_format(
        path,
        image.pixels(),
        width,
        height,
        ExtendedColorType::L8,
        ImageFormat::Png,
    )
    .map_err(|source| DatasetError::Image { path: path.to_owned(), source })
}

/// The seed of one phantom of a data set (Weyl sequence: neighbors share no phantom).
fn phantom_seed(seed: u64, index: u32) -> u64 {
    (seed ^ (seed >> 31))
        .wrapping_mul(0xD6E8_FEB8_6659_FD93)
        .wrapping_add(u64::from(index).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn manifest_header() -> Vec<String> {
    let before = ["path", "split", "fold", "source", "patient_id", "patient_group", "view"];
    before.into_iter().chain(Finding::ALL.map(Finding::name)).chain(["text"]).map(str::to_owned).collect()
}

const fn cell(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Positive => "1",
        Certainty::Negative => "0",
        Certainty::Uncertain | Certainty::Unmentioned => "",
    }
}

fn write_table(path: &Path, rows: &[Vec<String>]) -> Result<(), DatasetError> {
    let table = |source| DatasetError::Table { path: path.to_owned(), source };
    let mut writer = csv::Writer::from_path(path).map_err(table)?;
    for row in rows {
        writer.write_record(row).map_err(table)?;
    }
    writer.flush().map_err(|source| table(source.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_agree_with_the_images_and_an_old_set_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        write_dataset(dir.path(), 11, 3, 16).unwrap();
        let mut manifest = csv::Reader::from_path(dir.path().join("manifest.csv")).unwrap();
        let header: Vec<String> = manifest.headers().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(header.get(7).map(String::as_str), Some("No Finding"));
        let rows: Vec<csv::StringRecord> = manifest.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 11);
        for (index, row) in (0_u32..).zip(&rows) {
            let bytes = fs::read(dir.path().join(&row[0])).unwrap();
            let phantom = Phantom::random(phantom_seed(3, index), 16).unwrap();
            let image = image::load_from_memory(&bytes).unwrap().into_luma8();
            assert_eq!(image.as_raw(), phantom.render().pixels());
            for (finding, certainty) in phantom.labels().iter() {
                assert_eq!(&row[7 + finding.index()], cell(certainty));
            }
        }
        assert!(rows.iter().any(|row| &row[1] == "val"));
        let reports = csv::Reader::from_path(dir.path().join("reports.csv")).unwrap().into_records().count();
        assert_eq!(reports, 11);
        let again = write_dataset(dir.path(), 1, 3, 16);
        assert!(matches!(again, Err(DatasetError::Exists { .. })));
    }
}
