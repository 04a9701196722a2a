//! In which precision a tower is stored and computed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Precision of a tower's graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single-precision arithmetic: the model itself.
    #[default]
    Fp32,
    /// Matrices and kernels stored in half precision and widened while the graph loads; arithmetic is single.
    Fp16,
    /// Dense layers and convolutions multiply 8-bit numbers; sensitive ones may stay in single precision.
    Int8,
}

impl Precision {
    /// Every precision, the most exact first.
    pub const ALL: [Self; 3] = [Self::Fp32, Self::Fp16, Self::Int8];

    /// Name as command lines and files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Fp16 => "fp16",
            Self::Int8 => "int8",
        }
    }

    /// An engine that runs a tower in this precision, in one word: `tract`, or `ort-cpu/int8`.
    pub fn on(self, engine: &str) -> String {
        match self {
            Self::Fp32 => engine.to_owned(),
            Self::Fp16 | Self::Int8 => format!("{engine}/{self}"),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no precision.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no precision is called {name:?}; there are fp32, fp16, int8")]
pub struct UnknownPrecision {
    /// The name asked for.
    pub name: String,
}

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(name: &str) -> Result<Self, UnknownPrecision> {
        let found = Self::ALL.into_iter().find(|precision| precision.name() == name);
        found.ok_or_else(|| UnknownPrecision { name: name.to_owned() })
    }
}

/// One of a model's two towers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TowerKind {
    /// Pixels to embeddings.
    Image,
    /// Tokens to embeddings.
    Text,
}

impl TowerKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Image, Self::Text];

    /// `image` or `text`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Text => "text",
        }
    }
}

impl fmt::Display for TowerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_and_others_are_refused_with_the_choices() {
        for precision in Precision::ALL {
            assert_eq!(precision.name().parse(), Ok(precision));
        }
        let refused = "int4".parse::<Precision>().unwrap_err();
        assert_eq!(refused.to_string(), "no precision is called \"int4\"; there are fp32, fp16, int8");
    }
}
