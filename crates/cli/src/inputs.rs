//! Files and directories named on the command line.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use walkdir::WalkDir;

/// Extensions of the images looked for in directories, whatever their case.
pub(crate) const IMAGE_EXTENSIONS: [&str; 5] = ["jpg", "jpeg", "png", "dcm", "dicom"];

/// Bytes that tell whether a file is DICOM.
const DICOM_START: u64 = 132;

/// An image to read, or why a path gives none.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    pub(crate) problem: Option<anyhow::Error>,
}

/// Every file as named, and for every directory the images below it, sorted by name level by level.
///
/// A path that cannot be walked, or a directory without images, stays in the list with its problem.
pub(crate) fn expand(paths: &[PathBuf]) -> Vec<Input> {
    paths.iter().flat_map(|path| if path.is_dir() { images_below(path) } else { vec![sound(path)] }).collect()
}

/// An image file as a batch of one. An error gives the reason alone: callers name the path already.
#[cfg(any(feature = "search", feature = "train"))]
pub(crate) fn pixels(
    model: &medclip_runtime::Model,
    path: &Path,
) -> anyhow::Result<medclip_core::ImageBatch> {
    let limits = medclip_decode::Limits::default();
    let image = medclip_decode::open(path, &limits).map_err(|error| error.reason)?;
    Ok(model.preprocessor().batch(&[image])?)
}

fn images_below(dir: &Path) -> Vec<Input> {
    let mut found = Vec::new();
    for entry in WalkDir::new(dir).follow_links(true).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_image(entry.path()) => {
                found.push(sound(entry.path()));
            }
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(dir).to_owned();
                found.push(Input {
                    path,
                    problem: Some(anyhow::Error::new(error).context("cannot be walked")),
                });
            }
        }
    }
    if found.is_empty() {
        let problem =
            Some(anyhow!("no .jpg, .jpeg, .png, .dcm, .dicom or other DICOM file in this directory"));
        found.push(Input { path: dir.to_owned(), problem });
    }
    found
}

fn sound(path: &Path) -> Input {
    Input { path: path.to_owned(), problem: None }
}

/// By extension; archives often leave it out, or end names in an identifier, and then the content decides.
fn is_image(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let is_number = extension.bytes().all(|byte| byte.is_ascii_digit());
    IMAGE_EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(extension)) || is_number && is_dicom(path)
}

/// Whether the file starts as DICOM; one that cannot be read does not.
fn is_dicom(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(DICOM_START).read_to_end(&mut start));
    read.is_ok() && medclip_decode::is_dicom(&start)
}
