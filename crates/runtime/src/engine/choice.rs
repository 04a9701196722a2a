//! An engine by name, or the preferred one of those that can run.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use medclip_core::ModelConfig;
use medclip_core::architecture::ImageTower;
use medclip_core::bundle::BundleFile;
use medclip_core::model::ModelConfigError;
use thiserror::Error;

use crate::error::LoadError;
use crate::kind::{EngineKind, UnknownEngine};
use crate::options::EngineOptions;

/// The engines on the processor by the tables of `docs/results/engines.md`: ONNX Runtime is ahead everywhere, tract of rten on
/// EfficientNet-Lite, and rten of tract on the full-size towers. Engines on devices have to be asked for by name, as none has
/// been measured.
const fn order(tower: &ImageTower) -> [EngineKind; 3] {
    match tower {
        ImageTower::EfficientnetLite(_) => [EngineKind::OrtCpu, EngineKind::Tract, EngineKind::Rten],
        ImageTower::Swin(_) | ImageTower::Resnet(_) => {
            [EngineKind::OrtCpu, EngineKind::Rten, EngineKind::Tract]
        }
    }
}

/// An engine that is named, or left to this library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineChoice {
    /// The one that is preferred for the model's image tower, of those that can run here.
    Auto,
    /// This one.
    Named(EngineKind),
}

impl Default for EngineChoice {
    /// The default engine.
    fn default() -> Self {
        Self::Named(EngineKind::default())
    }
}

impl fmt::Display for EngineChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::Named(kind) => kind.fmt(f),
        }
    }
}

impl FromStr for EngineChoice {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        if name == "auto" { Ok(Self::Auto) } else { name.parse().map(Self::Named) }
    }
}

/// Why no engine could be chosen for a bundle.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChoiceError {
    /// The bundle does not say what it is.
    #[error("cannot load the model")]
    Model(#[from] ModelConfigError),
    /// None of the engines that are preferred for its image tower.
    #[error("no engine of this build can run here: {0}")]
    Nothing(Preferred),
}

impl EngineChoice {
    /// The engine to use for the bundle in a directory, and how it was chosen where that was left to this library.
    ///
    /// # Errors
    /// [`ChoiceError`], only where it was left to this library.
    pub fn resolve(self, bundle: &Path) -> Result<(EngineKind, Option<Preferred>), ChoiceError> {
        if let Self::Named(kind) = self {
            return Ok((kind, None));
        }
        let config = ModelConfig::open(bundle.join(BundleFile::Model.file_name()))?;
        let found = Preferred::of(&config.architecture.image);
        match found.engine {
            Some(kind) => Ok((kind, Some(found))),
            None => Err(ChoiceError::Nothing(found)),
        }
    }
}

/// The engine that is preferred here, and what kept others out. It displays as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferred {
    order: [EngineKind; 3],
    /// None where none of them can run.
    pub engine: Option<EngineKind>,
    passed_over: Vec<(EngineKind, String)>,
}

impl Preferred {
    /// Tries the engines in the order in which they are preferred for `tower`, until one can run.
    pub fn of(tower: &ImageTower) -> Self {
        first_of(order(tower), |kind| EngineOptions::from(kind).check())
    }
}

fn first_of(order: [EngineKind; 3], check: impl Fn(EngineKind) -> Result<(), LoadError>) -> Preferred {
    let mut passed_over = Vec::new();
    for kind in order {
        match check(kind) {
            Ok(()) => return Preferred { order, engine: Some(kind), passed_over },
            Err(error) => passed_over.push((kind, error.lack())),
        }
    }
    Preferred { order, engine: None, passed_over }
}

impl fmt::Display for Preferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = self.engine {
            write!(f, "{kind}, the first of {} that runs here", self.order.map(EngineKind::name).join(", "))?;
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
    use medclip_core::architecture::{EfficientNetConfig, ResNetConfig, SwinConfig};

    use super::*;

    const ORDER: [EngineKind; 3] = [EngineKind::OrtCpu, EngineKind::Rten, EngineKind::Tract];

    fn only(runs: &[EngineKind]) -> String {
        let check = |kind: EngineKind| {
            let lacks = || LoadError::Engine { engine: kind, source: "it lacks a library".into() };
            runs.contains(&kind).then_some(()).ok_or_else(lacks)
        };
        first_of(ORDER, check).to_string()
    }

    #[test]
    fn the_first_that_runs_is_taken_and_those_before_it_have_a_reason() {
        let tail = "the first of ort-cpu, rten, tract that runs here";
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
    fn of_the_pure_rust_engines_the_one_that_is_ahead_on_a_tower_goes_first() {
        let second = |tower| order(&tower)[1];
        assert_eq!(second(ImageTower::EfficientnetLite(EfficientNetConfig::lite0(1))), EngineKind::Tract);
        assert_eq!(second(ImageTower::Swin(SwinConfig::tiny(1))), EngineKind::Rten);
        assert_eq!(second(ImageTower::Resnet(ResNetConfig::resnet50(1))), EngineKind::Rten);
    }

    #[test]
    fn a_named_engine_needs_no_bundle_and_auto_reads_it() {
        let nowhere = Path::new("no/such/bundle");
        let named = EngineChoice::Named(EngineKind::Rten).resolve(nowhere).unwrap();
        assert_eq!(named, (EngineKind::Rten, None));
        let error = EngineChoice::Auto.resolve(nowhere).unwrap_err();
        assert_eq!(error.to_string(), "cannot load the model");
    }

    #[test]
    fn names_parse_back_and_auto_is_one() {
        for choice in [EngineChoice::Auto, EngineChoice::Named(EngineKind::Rten), EngineChoice::default()] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert!("fast".parse::<EngineChoice>().is_err());
    }
}
