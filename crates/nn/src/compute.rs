//! Where a model computes, and in which precision.

use std::fmt::{self, Display};
use std::str::FromStr;

use candle_core::{DType, Device};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A device and the precision of what passes through a model's towers.
#[derive(Debug, Clone)]
pub struct Compute {
    /// Where parameters are and everything is computed.
    pub device: Device,
    /// Of activations and of matrix products.
    pub precision: ComputePrecision,
}

impl Compute {
    /// Single precision on the CPU.
    pub const fn cpu() -> Self {
        Self { device: Device::Cpu, precision: ComputePrecision::F32 }
    }
}

/// Precision of activations and matrix products.
///
/// Parameters, their moments, statistics of normalizations, probabilities, embeddings and the loss are `f32` in either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ComputePrecision {
    /// Single precision.
    #[default]
    F32,
    /// `bfloat16`, which has the range of single precision, so that no loss needs scaling. It is for GPUs; on a CPU it is
    /// slower than `f32`.
    Bf16,
}

impl ComputePrecision {
    /// The type of activations.
    pub const fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::Bf16 => DType::BF16,
        }
    }
}

/// A device as a training file names it: `cpu`, `cuda` or `cuda:1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceName {
    /// The CPU.
    #[default]
    Cpu,
    /// The NVIDIA GPU of this number.
    Cuda(usize),
}

/// Why a device cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No device is called that.
    #[error("`{0}` is no device: give cpu, cuda or cuda:1")]
    Name(String),
    /// The program cannot use GPUs at all.
    #[error("this program is built without CUDA (feature train-cuda), so there is no {0}")]
    WithoutCuda(DeviceName),
    /// The driver has no such GPU.
    #[error("{device} cannot be used")]
    Unavailable {
        /// What was asked for.
        device: DeviceName,
        /// The driver's reason.
        source: Box<candle_core::Error>,
    },
}

impl DeviceName {
    /// Opens the device.
    ///
    /// # Errors
    /// [`DeviceError`] when it is not there; never another device instead.
    pub fn open(self) -> Result<Device, DeviceError> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda(_) if !candle_core::utils::cuda_is_available() => Err(DeviceError::WithoutCuda(self)),
            // A stream of its own: batches and sentences come from several threads, whose default streams would race.
            Self::Cuda(number) => Device::new_cuda_with_stream(number)
                .map_err(|source| DeviceError::Unavailable { device: self, source: Box::new(source) }),
        }
    }
}

impl Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl FromStr for DeviceName {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::Name(text.to_owned());
        match text {
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => {
                let number = text.strip_prefix("cuda:").ok_or_else(unknown)?;
                number.parse().map(Self::Cuda).map_err(|_| unknown())
            }
        }
    }
}

impl Serialize for DeviceName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_have_names() {
        for (text, expected) in [
            ("cpu", Some(DeviceName::Cpu)),
            ("cuda", Some(DeviceName::Cuda(0))),
            ("cuda:3", Some(DeviceName::Cuda(3))),
            ("cuda:", None),
            ("cuda:-1", None),
            ("gpu", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<DeviceName>().ok(), expected, "{text}");
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_device_that_is_not_there_is_refused_by_name() {
        let error = DeviceName::Cuda(1).open().unwrap_err().to_string();
        assert!(error.contains("cuda:1") && error.contains("train-cuda"), "{error}");
    }
}
