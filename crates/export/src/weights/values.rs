//! Where the values of weights are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use medclip_weights::TensorFile;
use medclip_weights::names::{Mapping, NamesError};

use super::WeightsError;

/// In memory, or on disk until a graph takes them.
#[derive(Clone)]
pub(super) enum Values {
    Memory(BTreeMap<String, Vec<f32>>),
    Files(Arc<Mutex<Vec<(Mapping, TensorFile)>>>),
}

impl Values {
    /// The values called `name`; none when there are none of that name.
    pub(super) fn get(&self, name: &str) -> Result<Option<Vec<f32>>, WeightsError> {
        match self {
            Self::Memory(values) => Ok(values.get(name).cloned()),
            Self::Files(files) => {
                // A reader that panicked left no half-written state behind: files are only read.
                let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
                for (mapping, file) in files.iter_mut() {
                    match mapping.read(file, name) {
                        Err(NamesError::Absent(_)) => {}
                        Err(error) => return Err(WeightsError::Foreign(Box::new(error))),
                        Ok(values) if values.iter().all(|value| value.is_finite()) => {
                            return Ok(Some(values));
                        }
                        Ok(_) => return Err(WeightsError::NotFinite { names: vec![name.to_owned()] }),
                    }
                }
                Ok(None)
            }
        }
    }
}
