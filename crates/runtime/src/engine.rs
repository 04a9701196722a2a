//! The one seam between medclip and whatever runs its graphs.
//!
//! A new engine is one file here that implements [`Engine`] and [`Session`], and one variant of [`EngineKind`].

mod tract;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::Path;
use std::str::FromStr;

use thiserror::Error;

pub(crate) use tract::graph_info;

use crate::graph::{ContractError, GraphContract, GraphInfo};

/// What an engine reports when it fails; the concrete type is the engine's own and not part of the API.
pub(crate) type EngineFailure = Box<dyn std::error::Error + Send + Sync>;

/// The engines this build can run graphs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum EngineKind {
    /// [tract](https://github.com/sonos/tract): pure Rust, CPU, nothing to install.
    #[default]
    Tract,
}

impl EngineKind {
    /// Every engine of this build.
    pub const ALL: &[Self] = &[Self::Tract];

    /// Name as scores and command lines write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tract => "tract",
        }
    }

    pub(crate) fn engine(self) -> Box<dyn Engine> {
        match self {
            Self::Tract => Box::new(tract::TractEngine),
        }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no engine of this build.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no engine is called {name:?}; this build has {}", EngineKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "))]
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

/// Runs graphs: asked for by name, it runs them or fails; it never falls back to another.
pub(crate) trait Engine: Send + Sync {
    /// Name as scores report it.
    fn name(&self) -> &'static str;

    /// Whether this machine has what the engine needs.
    fn check(&self) -> Result<(), EngineFailure>;

    /// Loads a graph after checking it against `contract`; a session may use up to `threads` threads in one call.
    fn prepare(
        &self,
        graph: GraphSource<'_>,
        contract: &GraphContract,
        threads: NonZeroUsize,
    ) -> Result<Box<dyn Session>, PrepareError>;
}

/// A loaded graph, usable from many threads at once.
pub(crate) trait Session: Send + Sync {
    /// What the graph says of itself.
    fn info(&self) -> &GraphInfo;

    /// Runs the graph on inputs in the contract's order.
    ///
    /// The first axis of every input and of the output counts rows, and a row of the output depends on the same row
    /// of the inputs only, so an engine may run rows together or apart.
    fn run(&self, inputs: &[TensorView<'_>]) -> Result<Tensor, EngineFailure>;
}

/// Where a graph is.
#[derive(Clone, Copy)]
pub(crate) enum GraphSource<'a> {
    File(&'a Path),
    Bytes(&'a [u8]),
}

/// Why a graph could not be loaded.
#[derive(Debug, Error)]
pub(crate) enum PrepareError {
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error(transparent)]
    Engine(EngineFailure),
}

/// Borrowed input, row-major.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TensorView<'a> {
    pub(crate) shape: &'a [usize],
    pub(crate) values: Values<'a>,
}

/// Elements of an input.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Values<'a> {
    F32(&'a [f32]),
    I64(&'a [i64]),
}

/// Owned output, row-major.
#[derive(Debug)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_and_others_are_refused_with_the_choices() {
        for &kind in EngineKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        let refused = "tensorrt".parse::<EngineKind>().unwrap_err();
        assert_eq!(refused.to_string(), "no engine is called \"tensorrt\"; this build has tract");
    }
}
