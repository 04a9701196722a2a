//! Trained weights by name, as a checkpoint stores them.

mod mismatch;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use medclip_core::architecture::LogitScale;
use medclip_files::read_regular;
use medclip_files::sha256;
use medclip_weights::TensorFile;
use medclip_weights::names::{Mapping, NamesError, Shapes};
use safetensors::{Dtype, SafeTensors};
use thiserror::Error;

use crate::tensor::Tensor;

pub use mismatch::{Misshapen, WeightsMismatch};
use values::Values;

const LOGIT_SCALE: &str = "logit_scale";

/// Most bytes of a file of weights: ten times those of the largest towers.
const MAX_BYTES: u64 = 16 << 30;

/// Buffers that `PyTorch` modules save beside their weights and no tower reads.
const IGNORED_BUFFERS: [&str; 2] = [".position_ids", ".num_batches_tracked"];

/// Tensors in the order of their names, single precision and finite: those of a `weights.safetensors` in memory, those
/// of files of others on disk until a graph takes them.
#[derive(Clone)]
pub struct Weights {
    shapes: Shapes,
    values: Values,
    sha256: String,
}

impl Weights {
    /// Reads a safetensors file.
    ///
    /// # Errors
    /// [`WeightsError::Read`] and whatever [`Weights::from_bytes`] finds.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, WeightsError> {
        let path = path.as_ref();
        let bytes = read_regular(path, MAX_BYTES)
            .map_err(|source| WeightsError::Read { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes)
    }

    /// Reads the contents of a safetensors file.
    ///
    /// # Errors
    /// [`WeightsError::Format`] for anything that is not a safetensors file, [`WeightsError::ElementType`] for
    /// tensors other than single precision, [`WeightsError::NotFinite`] for infinities and not-a-numbers.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WeightsError> {
        let file = SafeTensors::deserialize(bytes).map_err(|error| WeightsError::Format(Box::new(error)))?;
        let (mut shapes, mut tensors) = (Shapes::new(), BTreeMap::new());
        for (name, view) in file.iter().filter(|(name, _)| !is_ignored(name)) {
            if view.dtype() != Dtype::F32 {
                let actual = view.dtype().to_string();
                return Err(WeightsError::ElementType { name: name.to_owned(), actual });
            }
            let (values, _) = view.data().as_chunks::<4>();
            let data: Vec<f32> = values.iter().map(|&value| f32::from_le_bytes(value)).collect();
            shapes.insert(name.to_owned(), view.shape().to_vec());
            tensors.insert(name.to_owned(), data);
        }
        let is_broken = |(_, data): &(_, &Vec<f32>)| data.iter().any(|value| !value.is_finite());
        let broken: Vec<String> = tensors.iter().filter(is_broken).map(|(name, _)| name.clone()).collect();
        if !broken.is_empty() {
            return Err(WeightsError::NotFinite { names: broken });
        }
        Ok(Self { shapes, values: Values::Memory(tensors), sha256: sha256(bytes) })
    }

    /// The tensors of `files` under their names here, read when they are asked for.
    pub(crate) fn from_files(files: Vec<(Mapping, TensorFile)>, sha256: String) -> Self {
        let shapes = files.iter().flat_map(|(mapping, _)| mapping.shapes()).collect();
        Self { shapes, values: Values::Files(Arc::new(Mutex::new(files))), sha256 }
    }

    /// SHA-256 of the file, 64 lower-case hexadecimal digits; of several files that of their sums.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Names and shapes, in the order of the names.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.shapes.iter().map(|(name, shape)| (name.as_str(), shape.as_slice()))
    }

    /// The temperature, from the scalar `logit_scale`.
    ///
    /// # Errors
    /// [`WeightsError::Mismatch`] when it is missing or not a scalar.
    pub fn logit_scale(&self) -> Result<LogitScale, WeightsError> {
        let scalar: Tensor<f32, 0> = self.tensor(LOGIT_SCALE)?;
        Ok(LogitScale::new(scalar.data().first().copied().unwrap_or_default()))
    }

    /// One tensor's values in row-major order, `None` for a name that is not there; [`Weights::shapes`] has its sizes.
    ///
    /// # Errors
    /// [`WeightsError`] when a file of others cannot be read, or holds what is not finite.
    pub fn values(&self, name: &str) -> Result<Option<Vec<f32>>, WeightsError> {
        self.values.get(name)
    }

    /// Compares the tensors whose names start with `prefix` with what a tower takes.
    ///
    /// # Errors
    /// [`WeightsError::Mismatch`] with every missing, unexpected and misshapen tensor.
    pub(crate) fn check(&self, prefix: &str, parameters: &[Parameter]) -> Result<(), WeightsError> {
        let mut mismatch = WeightsMismatch::default();
        for parameter in parameters {
            match self.shapes.get(&parameter.name) {
                None => mismatch.missing.push(parameter.name.clone()),
                Some(shape) if *shape != parameter.shape => mismatch.misshapen.push(Misshapen {
                    name: parameter.name.clone(),
                    expected: parameter.shape.clone(),
                    actual: shape.clone(),
                }),
                Some(_) => {}
            }
        }
        let known: BTreeSet<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let names = self.shapes.keys().filter(|name| name.starts_with(prefix));
        mismatch.unexpected = names.filter(|name| !known.contains(name.as_str())).cloned().collect();
        if mismatch.is_empty() { Ok(()) } else { Err(WeightsError::Mismatch(mismatch)) }
    }

    /// One tensor of known rank; its sizes were compared by [`Weights::check`].
    pub(crate) fn tensor<const RANK: usize>(&self, name: &str) -> Result<Tensor<f32, RANK>, WeightsError> {
        let (Some(actual), Some(data)) = (self.shapes.get(name), self.values.get(name)?) else {
            let missing = vec![name.to_owned()];
            return Err(WeightsError::Mismatch(WeightsMismatch { missing, ..WeightsMismatch::default() }));
        };
        let shape: Option<[usize; RANK]> = actual.as_slice().try_into().ok();
        shape.and_then(|shape| Tensor::new(shape, data)).ok_or_else(|| {
            let misshapen =
                Misshapen { name: name.to_owned(), expected: vec![1; RANK], actual: actual.clone() };
            WeightsError::Mismatch(WeightsMismatch {
                misshapen: vec![misshapen],
                ..WeightsMismatch::default()
            })
        })
    }
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Weights")
            .field("tensors", &self.shapes.len())
            .field("sha256", &self.sha256)
            .finish_non_exhaustive()
    }
}

/// A tensor that an architecture has in its checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Name, as `medclip_core::architecture` lists it.
    pub name: String,
    /// Sizes, in the layout of `PyTorch`.
    pub shape: Vec<usize>,
}

impl Parameter {
    pub(crate) fn new(name: impl Into<String>, shape: impl Into<Vec<usize>>) -> Self {
        Self { name: name.into(), shape: shape.into() }
    }

    pub(crate) fn logit_scale() -> Self {
        Self::new(LOGIT_SCALE, [])
    }
}

/// Why weights cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not a safetensors file, or a damaged one.
    #[error("the weights are not a valid safetensors file")]
    Format(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file of others fails while a tensor is read.
    #[error(transparent)]
    Foreign(Box<NamesError>),
    /// A tensor of another type than single precision.
    #[error("{name} holds {actual}, checkpoints hold F32")]
    ElementType {
        /// Name of the tensor.
        name: String,
        /// Its type, as safetensors calls it.
        actual: String,
    },
    /// Tensors with infinities or not-a-numbers, as a diverged training leaves them.
    #[error("the weights are not finite: {}", names.join(", "))]
    NotFinite {
        /// Their names.
        names: Vec<String>,
    },
    /// Tensors that do not belong to the architecture.
    #[error("the weights do not fit the architecture:{0}")]
    Mismatch(WeightsMismatch),
}

fn is_ignored(name: &str) -> bool {
    IGNORED_BUFFERS.iter().any(|buffer| name.ends_with(buffer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::tensor::TensorView;

    fn file(tensors: &[(&str, Dtype, &[usize], &[u8])]) -> Vec<u8> {
        let views = tensors
            .iter()
            .map(|&(name, dtype, shape, data)| (name, TensorView::new(dtype, shape.to_vec(), data).unwrap()));
        safetensors::serialize(views, None).unwrap()
    }

    fn bytes(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn every_difference_is_listed() {
        let data = bytes(&[1.0, 2.0]);
        let file = file(&[
            ("a.weight", Dtype::F32, &[2], &data),
            ("a.extra", Dtype::F32, &[1, 2], &data),
            ("a.position_ids", Dtype::I64, &[1], &[0; 8]),
            ("b.other", Dtype::F32, &[2], &data),
        ]);
        let weights = Weights::from_bytes(&file).unwrap();
        let parameters = [Parameter::new("a.weight", [1]), Parameter::new("a.bias", [3])];
        let Err(WeightsError::Mismatch(mismatch)) = weights.check("a.", &parameters) else {
            panic!("the file does not fit");
        };
        assert_eq!(mismatch.missing, ["a.bias"]);
        assert_eq!(mismatch.unexpected, ["a.extra"]);
        assert_eq!(mismatch.misshapen[0].actual, [2]);
        assert_eq!(
            WeightsError::Mismatch(mismatch).to_string(),
            "the weights do not fit the architecture:\n  missing a.bias\n  unexpected a.extra\n  a.weight is [2], needs [1]"
        );
    }

    #[test]
    fn hostile_files_are_refused_by_kind() {
        let data = bytes(&[1.0, f32::NAN]);
        let good = file(&[("a", Dtype::F32, &[2], &data)]);
        assert!(
            matches!(Weights::from_bytes(&good), Err(WeightsError::NotFinite { names }) if names == ["a"])
        );
        let half = file(&[("a", Dtype::F16, &[4], &data)]);
        assert!(
            matches!(Weights::from_bytes(&half), Err(WeightsError::ElementType { name, .. }) if name == "a")
        );
        for end in 0..good.len() {
            assert!(
                matches!(Weights::from_bytes(&good[..end]), Err(WeightsError::Format(_))),
                "cut at {end}"
            );
        }
        let mut huge = good.clone();
        huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(matches!(Weights::from_bytes(&huge), Err(WeightsError::Format(_))));
        assert!(matches!(Weights::open("no/such/file"), Err(WeightsError::Read { .. })));
    }

    #[test]
    fn the_temperature_is_a_scalar() {
        let data = bytes(&[2.0]);
        let weights = Weights::from_bytes(&file(&[("logit_scale", Dtype::F32, &[], &data)])).unwrap();
        assert_eq!(weights.logit_scale().unwrap().ln(), 2.0);
        let weights = Weights::from_bytes(&file(&[("logit_scale", Dtype::F32, &[1], &data)])).unwrap();
        assert!(matches!(weights.logit_scale(), Err(WeightsError::Mismatch(_))));
    }

    #[test]
    fn the_hash_is_the_files() {
        let empty = file(&[]);
        let weights = Weights::from_bytes(&empty).unwrap();
        assert_eq!(weights.sha256(), sha256(&empty));
    }
}
