//! What this build and this machine can do, and what is missing.

mod build;
mod model;
#[cfg(feature = "tables")]
mod table;

use std::path::PathBuf;

use serde::Serialize;

#[cfg(feature = "ort")]
use crate::engine::OnnxRuntime;
use crate::engine::Preferred;
use crate::kind::EngineKind;
use crate::machine::Machine;
use crate::options::EngineOptions;
pub use build::Build;
pub use model::ModelState;

/// All of it; the fields are the keys of a JSON object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnosis {
    /// The program.
    pub medclip: Build,
    /// The machine.
    pub machine: Machine,
    /// The library that some engines need.
    pub onnx_runtime: OrtLibrary,
    /// Every engine.
    pub engines: Vec<EngineState>,
    /// What [`EngineChoice::Auto`](crate::EngineChoice::Auto) would take for the model.
    pub auto: Option<&'static str>,
    /// The model.
    pub model: ModelState,
}

impl Diagnosis {
    /// Tries everything: libraries are loaded and devices opened. `further` are features of the program beside the engines.
    pub fn of(model: ModelState, further: &[&'static str]) -> Self {
        Self {
            medclip: Build::this(further),
            machine: Machine::this(),
            onnx_runtime: OrtLibrary::find(),
            engines: EngineState::all(),
            auto: model.tower.as_ref().and_then(|tower| Preferred::of(tower).engine).map(EngineKind::name),
            model,
        }
    }

    /// Why an engine cannot run here; none when it can.
    pub fn problem_of(&self, engine: EngineKind) -> Option<&str> {
        let found = self.engines.iter().find(|state| state.name == engine.name());
        found.and_then(|state| state.problem.as_deref())
    }
}

/// Whether an engine can run here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EngineState {
    /// Its name.
    pub name: &'static str,
    /// Why it cannot run here; none when it can.
    pub problem: Option<String>,
}

/// The ONNX Runtime library that engines would use.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct OrtLibrary {
    /// Where it lies; none when there is none.
    pub path: Option<PathBuf>,
    /// Its version, where it tells it.
    pub version: Option<String>,
    /// How it was built.
    pub build: Option<String>,
    /// Entries of environment variables that are not searched.
    pub ignored: Vec<String>,
    /// Why there is none.
    pub problem: Option<String>,
}

impl EngineState {
    /// Every engine, tried: libraries are loaded and devices opened.
    pub fn all() -> Vec<Self> {
        EngineKind::ALL.iter().map(|&kind| Self::of(kind)).collect()
    }

    fn of(kind: EngineKind) -> Self {
        Self { name: kind.name(), problem: EngineOptions::from(kind).check().err().map(|error| error.lack()) }
    }
}

impl OrtLibrary {
    /// The library, loaded.
    #[cfg(feature = "ort")]
    pub fn find() -> Self {
        let ignored = OnnxRuntime::ignored();
        match OnnxRuntime::load() {
            Ok(found) => Self {
                ignored,
                path: Some(found.path),
                version: found.version,
                build: Some(found.build),
                problem: None,
            },
            Err(error) => Self { ignored, problem: Some(error.lack()), ..Self::default() },
        }
    }

    /// None: this build has no engine that would use one.
    #[cfg(not(feature = "ort"))]
    pub fn find() -> Self {
        let problem = "not in this build; build with feature `ort`".to_owned();
        Self { problem: Some(problem), ..Self::default() }
    }
}
