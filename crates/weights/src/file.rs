//! A file of tensors, opened.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::element::ElementType;
use crate::error::{FileFault, TensorFault, TensorFileError};
use crate::format::{self, Container, OpenFault, Storage};
use crate::state;
use crate::view::View;

/// Tensors by name, their values on disk until asked for.
///
/// What wrappers leave around a state dictionary is taken off: outer dictionaries (`state_dict`, `model_state_dict`,
/// `model`) and a prefix that all names share (`module.`, `_orig_mod.`).
pub struct TensorFile {
    path: PathBuf,
    tensors: BTreeMap<String, View>,
    storages: Vec<Storage>,
    container: Container,
}

impl TensorFile {
    /// Opens a file by what it holds, whatever its name, and reads everything but the values.
    ///
    /// # Errors
    /// [`TensorFileError`] for a file that is none of the formats, is cut short or damaged, names a function that
    /// does not belong to a state dictionary, or has a tensor that does not lie within the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, TensorFileError> {
        let path = path.as_ref().to_owned();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(source) => return Err(TensorFileError::Read { path, source }),
        };
        let contents = match format::open(file) {
            Ok(contents) => contents,
            Err(OpenFault::File(fault)) => return Err(TensorFileError::File { path, fault }),
            Err(OpenFault::Tensor(name, fault)) => return Err(TensorFileError::Tensor { path, name, fault }),
        };
        for (name, view) in &contents.tensors {
            let count = contents.storages.get(view.storage).map_or(0, |storage| storage.count);
            if let Err(fault) = view.check(count) {
                return Err(TensorFileError::Tensor { path, name: name.clone(), fault });
            }
        }
        if contents.tensors.is_empty() {
            return Err(TensorFileError::File { path, fault: FileFault::NoStateDictionary("nothing") });
        }
        let tensors = state::strip_wrappers(contents.tensors);
        Ok(Self { path, tensors, storages: contents.storages, container: contents.container })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Sizes of a tensor; none when the file lacks it.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|view| view.shape.as_slice())
    }

    /// Type of a tensor's elements; none when the file lacks it.
    pub fn element(&self, name: &str) -> Option<ElementType> {
        let view = self.tensors.get(name)?;
        self.storages.get(view.storage).map(|storage| storage.element)
    }

    /// The values of a tensor in row-major order, rounded to single precision. Reads this tensor alone.
    ///
    /// # Errors
    /// [`TensorFileError::Tensor`] when there is none of that name, it holds no real numbers, the file ends, or the
    /// checksum of its bytes is wrong.
    pub fn f32(&mut self, name: &str) -> Result<Vec<f32>, TensorFileError> {
        self.read(name).map_err(|fault| TensorFileError::Tensor {
            path: self.path.clone(),
            name: name.to_owned(),
            fault,
        })
    }

    fn read(&mut self, name: &str) -> Result<Vec<f32>, TensorFault> {
        let view = self.tensors.get(name).ok_or(TensorFault::Absent)?;
        let storage = self.storages.get(view.storage).ok_or(TensorFault::Absent)?;
        if !storage.element.is_real() {
            return Err(TensorFault::NotReal(storage.element));
        }
        self.container.read(storage, view).map_err(TensorFault::Values)
    }
}

impl fmt::Debug for TensorFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TensorFile")
            .field("path", &self.path)
            .field("tensors", &self.tensors.len())
            .finish_non_exhaustive()
    }
}
