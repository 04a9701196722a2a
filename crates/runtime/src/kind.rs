//! Engines by name.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use thiserror::Error;

/// The engines medclip knows; [`EngineKind::is_built`] says which of them this build has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum EngineKind {
    /// [tract](https://github.com/sonos/tract): pure Rust, CPU, nothing to install. The default, also in a build without it, which
    /// refuses it: what else a program's dependencies build changes no score.
    #[default]
    Tract,
    /// [rten](https://github.com/robertknight/rten): pure Rust, CPU, nothing to install.
    Rten,
    /// [ONNX Runtime](https://onnxruntime.ai) on the CPU; its library is found when a model is opened.
    OrtCpu,
    /// ONNX Runtime's CUDA provider: its GPU build and an NVIDIA device.
    Cuda,
    /// ONNX Runtime's TensorRT provider: its GPU build, TensorRT and an NVIDIA device.
    TensorRt,
}

impl EngineKind {
    /// Every engine, in every build.
    pub const ALL: &[Self] = &[Self::Tract, Self::Rten, Self::OrtCpu, Self::Cuda, Self::TensorRt];

    /// Name as scores and command lines write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tract => "tract",
            Self::Rten => "rten",
            Self::OrtCpu => "ort-cpu",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
        }
    }

    /// The feature of this crate that builds it.
    pub const fn feature(self) -> &'static str {
        match self {
            Self::Tract => "tract",
            Self::Rten => "rten",
            Self::OrtCpu => "ort",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
        }
    }

    /// The first of [`EngineKind::ALL`] that this build has.
    pub fn first_built() -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.is_built())
    }

    /// Images in a batch at which it is fast: one on the engines in Rust, which run images side by side as well.
    pub const fn preferred_batch(self) -> NonZeroUsize {
        match self {
            Self::Tract | Self::Rten => NonZeroUsize::MIN,
            Self::OrtCpu => const { NonZeroUsize::new(16).unwrap() },
            Self::Cuda | Self::TensorRt => const { NonZeroUsize::new(32).unwrap() },
        }
    }

    /// Whether this build has it.
    pub const fn is_built(self) -> bool {
        match self {
            Self::Tract => cfg!(feature = "tract"),
            Self::Rten => cfg!(feature = "rten"),
            Self::OrtCpu => cfg!(feature = "ort"),
            Self::Cuda => cfg!(feature = "cuda"),
            Self::TensorRt => cfg!(feature = "tensorrt"),
        }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no engine.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no engine is called {name:?}; there are {}", EngineKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "))]
pub struct UnknownEngine {
    /// The name asked for.
    pub name: String,
}

impl FromStr for EngineKind {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        let found = Self::ALL.iter().copied().find(|kind| kind.name() == name);
        found.ok_or_else(|| UnknownEngine { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_and_others_are_refused_with_the_choices() {
        for &kind in EngineKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        let refused = "gpu".parse::<EngineKind>().unwrap_err();
        assert_eq!(
            refused.to_string(),
            "no engine is called \"gpu\"; there are tract, rten, ort-cpu, cuda, tensorrt"
        );
    }
}
