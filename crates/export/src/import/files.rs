//! Files of weights, whole or in parts, as one model's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use medclip_files::{sha256, sha256_of_file};
use medclip_weights::names::Mapping;
use medclip_weights::{TensorFile, TensorFileOptions, WeightsNote};

use super::ImportError;
use crate::weights::Weights;

/// The weights of a model, and what was chosen where its files left a choice.
pub(super) struct Files {
    pub(super) weights: Weights,
    pub(super) notes: Vec<WeightsNote>,
}

/// Opens files that hold a tower each; where one holds no tower of its own, all of them as parts of one.
pub(super) fn open<P: AsRef<Path>>(paths: &[P], part: Option<&str>) -> Result<Files, ImportError> {
    let options = TensorFileOptions { part: part.map(str::to_owned) };
    if paths.iter().any(TensorFile::is_shard) {
        return together(paths, &options);
    }
    match apart(paths, &options) {
        // A shard whose name does not tell: it has no first layer, so nothing tells whose it is.
        Err(ImportError::Names(error)) if paths.len() > 1 => {
            together(paths, &options).map_err(|_| ImportError::Names(error))
        }
        other => other,
    }
}

fn together<P: AsRef<Path>>(paths: &[P], options: &TensorFileOptions) -> Result<Files, ImportError> {
    let file = TensorFile::open_all(paths, options)?;
    let mapping = map(&file)?;
    weights(vec![(mapping, file)])
}

fn apart<P: AsRef<Path>>(paths: &[P], options: &TensorFileOptions) -> Result<Files, ImportError> {
    let mut files = Vec::new();
    let mut owners: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in paths.iter().map(AsRef::as_ref) {
        let file = TensorFile::open_with(path, options)?;
        let mapping = map(&file)?;
        for name in mapping.names() {
            if let Some(first) = owners.insert(name.to_owned(), path.to_owned()) {
                let second = path.to_owned();
                return Err(ImportError::Twice { first, second, name: name.to_owned() });
            }
        }
        files.push((mapping, file));
    }
    weights(files)
}

fn map(file: &TensorFile) -> Result<Mapping, ImportError> {
    let mapping = Mapping::of(file)?;
    match mapping.layout().training_field() {
        None => Ok(mapping),
        Some(field) => {
            Err(ImportError::TrunkOnly { path: file.path().to_owned(), layout: mapping.layout(), field })
        }
    }
}

fn weights(files: Vec<(Mapping, TensorFile)>) -> Result<Files, ImportError> {
    let paths = files.iter().flat_map(|(_, file)| file.files());
    let sum = |path: &Path| {
        sha256_of_file(path).map_err(|source| ImportError::Read { path: path.to_owned(), source })
    };
    let sums = paths.map(sum).collect::<Result<Vec<String>, ImportError>>()?;
    let sum = match sums.as_slice() {
        [sum] => sum.clone(),
        sums => sha256(sums.concat().as_bytes()),
    };
    let notes = files.iter().flat_map(|(mapping, _)| mapping.notes().to_vec()).collect();
    Ok(Files { weights: Weights::from_files(files, sum), notes })
}
