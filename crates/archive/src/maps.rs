//! Where scores come from, as files for people and for programs.

mod npy;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Cursor};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};
use medclip_core::map::ClassMap;
use medclip_files::{StagingError, replace_file, sha256};
use medclip_plot::{Overlay, OverlayError};
use medclip_scorer::{FilmMaps, Report, Schema};
use thiserror::Error;

/// Said on every overlay.
const NOTICE: &str = "Research use only, not for diagnosis.";
/// Classes that are drawn where none is named.
const HIGHEST: NonZeroUsize = NonZeroUsize::new(3).unwrap();
/// Letters of a film's name in the names of its files.
const STEM: usize = 60;
/// Hexadecimal digits that tell films of one name apart.
const ID: usize = 12;

/// Which classes have overlays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapClasses {
    /// As many as this, those with the highest scores.
    Highest(NonZeroUsize),
    /// These.
    Named(Vec<String>),
}

impl MapClasses {
    /// Those of these names; without any, the three with the highest scores.
    pub fn of(names: &[String]) -> Self {
        if names.is_empty() { Self::Highest(HIGHEST) } else { Self::Named(names.to_vec()) }
    }
}

/// Maps that cannot be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MapError {
    /// No class of the model has this name.
    #[error("the model has no class `{name}`; its classes are {}", classes.join(", "))]
    NoClass {
        /// What was asked for.
        name: String,
        /// Classes of the model.
        classes: Vec<String>,
    },
    /// The directory cannot be made.
    #[error("cannot make {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write a map")]
    Write(#[from] StagingError),
    /// An overlay cannot be drawn.
    #[error("cannot draw a map")]
    Draw(#[from] OverlayError),
    /// A picture cannot be encoded.
    #[error("cannot encode a map")]
    Encode(#[from] ImageError),
}

/// Writes the maps of films into a directory.
///
/// Of a film `a/chest.dcm` there are `chest-ID.npy`, the maps of all classes as NumPy reads them, and `chest-ID.CLASS.png`, the
/// film under the map of a class. `ID` are the first 12 digits of the SHA-256 of the film's name, as its row has it, so that films
/// of one name in different directories have files of their own.
#[derive(Debug, Clone)]
pub struct MapWriter {
    directory: PathBuf,
    classes: MapClasses,
    /// Names of the classes as parts of file names.
    slugs: Vec<String>,
}

impl MapWriter {
    /// Makes the directory where it is missing.
    ///
    /// # Errors
    /// [`MapError`] when that is not possible, or the model lacks a class that is named.
    pub fn new(directory: &Path, classes: MapClasses, schema: &Schema) -> Result<Self, MapError> {
        if let MapClasses::Named(names) = &classes
            && let Some(name) = names.iter().find(|name| !schema.classes.contains(name))
        {
            return Err(MapError::NoClass { name: name.clone(), classes: schema.classes.clone() });
        }
        fs::create_dir_all(directory)
            .map_err(|source| MapError::Directory { path: directory.to_owned(), source })?;
        Ok(Self { directory: directory.to_owned(), classes, slugs: slugs(&schema.classes) })
    }

    /// Writes the maps of a film that has some; files of an earlier run are replaced.
    ///
    /// # Errors
    /// [`MapError`] when a file cannot be written.
    pub fn write(&self, report: &Report) -> Result<(), MapError> {
        let Some(maps) = report.maps() else { return Ok(()) };
        let stem = stem(report.path.as_deref().unwrap_or_default());
        self.put(&format!("{stem}.npy"), &npy::stacked(&maps.classes))?;
        for class in self.chosen(report) {
            let (Some(map), Some(finding)) = (maps.classes.get(class), report.findings().nth(class)) else {
                continue;
            };
            let title = format!("{}  {:+.2}", map.name, finding.logit);
            let png = overlay(maps, map, &title)?;
            self.put(&format!("{stem}.{}.png", self.slugs[class]), &png)?;
        }
        Ok(())
    }

    /// Positions of the classes that are drawn.
    fn chosen(&self, report: &Report) -> Vec<usize> {
        match &self.classes {
            MapClasses::Named(names) => {
                let named = |class: &usize| names.contains(&report.schema.classes[*class]);
                (0..report.schema.classes.len()).filter(named).collect()
            }
            MapClasses::Highest(count) => {
                let mut all: Vec<(usize, f32)> =
                    report.findings().map(|finding| finding.logit).enumerate().collect();
                all.sort_by(|a, b| b.1.total_cmp(&a.1));
                all.into_iter().take(count.get()).map(|(class, _)| class).collect()
            }
        }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), MapError> {
        Ok(replace_file(self.directory.join(name), bytes)?)
    }
}

/// A film under the map of a class, as a PNG file.
///
/// # Errors
/// [`MapError`] when it cannot be drawn.
pub fn overlay(maps: &FilmMaps, map: &ClassMap, title: &str) -> Result<Vec<u8>, MapError> {
    let overlay = Overlay {
        film: maps.film.pixels(),
        size: [maps.film.width() as usize, maps.film.height() as usize],
        values: &map.values,
        grid: [map.rows, map.columns],
        part: maps.part,
        title,
        notice: NOTICE,
    };
    let pixels = overlay.draw()?;
    let mut png = Cursor::new(Vec::new());
    let (width, height) = (pixels.width() as u32, pixels.height() as u32);
    PngEncoder::new(&mut png).write_image(pixels.rgb(), width, height, ExtendedColorType::Rgb8)?;
    Ok(png.into_inner())
}

/// What the names of a film's files begin with.
fn stem(path: &str) -> String {
    let name = path.rsplit(['/', '\\', '!']).next().unwrap_or_default();
    let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    let name: String = name.chars().take(STEM).map(safe).collect();
    format!("{name}-{}", &sha256(path.as_bytes())[..ID])
}

/// Classes as parts of file names, each another.
fn slugs(classes: &[String]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let slug = |class: &String| {
        let words = class.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let slug = words.collect::<Vec<_>>().join("-").to_lowercase();
        let slug: String = slug.chars().take(STEM).collect();
        let numbered = (2..).map(|number| format!("{slug}-{number}"));
        let free = std::iter::once(slug.clone()).chain(numbered).find(|slug| taken.insert(slug.clone()));
        free.unwrap_or(slug)
    };
    classes.iter().map(slug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn films_of_one_name_have_files_of_their_own() {
        let (first, second) = (stem("a/chest.dcm"), stem("b/chest.dcm"));
        assert!(first.starts_with("chest-") && second.starts_with("chest-") && first != second);
        assert_eq!(first.len(), "chest-".len() + 12);
    }

    #[test]
    fn a_film_cannot_name_another_place() {
        for path in ["../../etc/passwd", "z.zip!..\\up.png", "a/\u{202e}gnp", "..", "", "a/CON.png\0"] {
            let stem = stem(path);
            assert!(stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{stem}");
        }
        assert!(stem(&"x".repeat(4000)).len() < 100);
    }

    #[test]
    fn classes_of_like_names_have_slugs_of_their_own() {
        let classes = ["Pleural Effusion", "pleural/effusion", "???", "Épanchement"].map(str::to_owned);
        assert_eq!(slugs(&classes), ["pleural-effusion", "pleural-effusion-2", "", "épanchement"]);
    }
}
