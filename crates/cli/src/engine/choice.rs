//! An engine by name, or the fastest that can run.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use anyhow::bail;
use medclip_runtime::{EngineKind, EngineOptions, LoadError, UnknownEngine};

use super::reason;

/// The engines on the processor, the fastest first: the table of `docs/results/engines.md`. Engines on devices have to be
/// asked for by name, as none has been measured.
const BY_SPEED: [EngineKind; 3] = [EngineKind::OrtCpu, EngineKind::Rten, EngineKind::Tract];

/// What `--engine` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The fastest that can run here.
    Auto,
    /// This one.
    Named(EngineKind),
}

impl Choice {
    /// The engine to use; one that was not named is told on standard error, with what kept faster ones out.
    pub(super) fn resolve(self) -> anyhow::Result<EngineKind> {
        match self {
            Self::Named(kind) => Ok(kind),
            Self::Auto => {
                let found = fastest();
                let Some(kind) = found.engine else { bail!("no engine of this build can run here: {found}") };
                // A closed standard error is nobody's loss.
                let _ = writeln!(io::stderr(), "engine: {found}");
                Ok(kind)
            }
        }
    }
}

impl Default for Choice {
    fn default() -> Self {
        Self::Named(EngineKind::default())
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::Named(kind) => kind.fmt(f),
        }
    }
}

impl FromStr for Choice {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        if name == "auto" { Ok(Self::Auto) } else { name.parse().map(Self::Named) }
    }
}

/// The fastest engine that can run here, and why no faster one.
pub(crate) struct Fastest {
    pub(crate) engine: Option<EngineKind>,
    passed_over: Vec<(EngineKind, String)>,
}

/// Tries the engines on the processor, the fastest first, until one can run.
pub(crate) fn fastest() -> Fastest {
    first_of(&BY_SPEED, |kind| EngineOptions::from(kind).check())
}

fn first_of(kinds: &[EngineKind], check: impl Fn(EngineKind) -> Result<(), LoadError>) -> Fastest {
    let mut passed_over = Vec::new();
    for &kind in kinds {
        match check(kind) {
            Ok(()) => return Fastest { engine: Some(kind), passed_over },
            Err(error) => passed_over.push((kind, reason(error))),
        }
    }
    Fastest { engine: None, passed_over }
}

impl fmt::Display for Fastest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = self.engine {
            write!(f, "{kind}, the fastest that runs here on the processor")?;
        }
        for (index, (kind, reason)) in self.passed_over.iter().enumerate() {
            let joint = if index == 0 && self.engine.is_none() { "" } else { "; " };
            write!(f, "{joint}not {kind}, as {reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(runs: &[EngineKind]) -> String {
        let check = |kind: EngineKind| {
            if runs.contains(&kind) {
                return Ok(());
            }
            Err(LoadError::Engine { engine: kind.name(), source: "it lacks a library".into() })
        };
        first_of(&BY_SPEED, check).to_string()
    }

    #[test]
    fn the_fastest_that_runs_is_taken_and_faster_ones_have_a_reason() {
        let tail = "the fastest that runs here on the processor";
        for (runs, expected) in [
            (&[EngineKind::Tract, EngineKind::Rten, EngineKind::OrtCpu][..], format!("ort-cpu, {tail}")),
            (
                &[EngineKind::Tract, EngineKind::Rten],
                format!("rten, {tail}; not ort-cpu, as it lacks a library"),
            ),
            (
                &[EngineKind::Tract],
                format!("tract, {tail}; not ort-cpu, as it lacks a library; not rten, as it lacks a library"),
            ),
            (
                &[EngineKind::Cuda],
                "not ort-cpu, as it lacks a library; not rten, as it lacks a library; not tract, as it lacks a library"
                    .to_owned(),
            ),
        ] {
            assert_eq!(only(runs), expected);
        }
    }

    #[test]
    fn names_parse_back_and_auto_is_one() {
        for choice in [Choice::Auto, Choice::Named(EngineKind::Rten), Choice::default()] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert!("fast".parse::<Choice>().is_err());
    }
}
