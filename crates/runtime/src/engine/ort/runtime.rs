//! The library, loaded once for the whole process.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;
use thiserror::Error;

use super::library::{Surroundings, search};
use super::log;
use crate::engine::{EngineFailure, guard};
use crate::error::LoadError;
use crate::kind::EngineKind;

/// Where to get a library; every error about one ends with it.
const HOW_TO_GET_IT: &str = "`pip install onnxruntime` is found by itself, or unpack a release of \
    https://github.com/microsoft/onnxruntime/releases and set ORT_DYLIB_PATH to its library file";

/// The ONNX Runtime library this process uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnnxRuntime {
    /// Its file.
    pub path: PathBuf,
    /// Its version, where the file's name gives it.
    pub version: Option<String>,
    /// What it says of its build.
    pub build: String,
}

impl OnnxRuntime {
    /// Finds and loads the library, unless that is done already.
    ///
    /// Where `ORT_DYLIB_PATH` names one, only that is tried; else the directory of the executable, the package
    /// `onnxruntime` of the Pythons at hand, and the system's library directories, in this order.
    ///
    /// # Errors
    /// [`LoadError::Engine`] when there is none that can be used, with every place tried.
    ///
    /// Places that are given relative to the current directory are not searched ([`OnnxRuntime::ignored`]).
    pub fn load() -> Result<Self, LoadError> {
        let describe = || {
            let Loaded { path, .. } = loaded()?;
            Ok(Self { version: version(&path), build: ort::info().to_owned(), path })
        };
        guard::guard(describe).map_err(|source| LoadError::Engine { engine: EngineKind::OrtCpu, source })
    }

    /// Entries of environment variables that are not searched, in words: empty and relative ones stand for the current
    /// directory, where a library may be anyone's.
    pub fn ignored() -> Vec<String> {
        Surroundings::here().ignored
    }
}

/// The library with the environment its sessions share.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub(super) environment: Environment,
    pub(super) path: PathBuf,
}

/// Why there is no library.
#[derive(Debug, Error)]
enum LibraryError {
    #[error(
        "ORT_DYLIB_PATH names {}, a path relative to the current directory; name the library by its absolute path",
        path.display()
    )]
    Relative { path: PathBuf },
    #[error("ORT_DYLIB_PATH names {}, which cannot be used: {reason}; {HOW_TO_GET_IT}", path.display())]
    Named { path: PathBuf, reason: String },
    #[error("no ONNX Runtime library, 1.{} or newer, was found; tried {}; {HOW_TO_GET_IT}", ort::MINOR_VERSION, tried.join(", "))]
    NotFound { tried: Vec<String> },
    #[error("ONNX Runtime in {} cannot be set up: {reason}", path.display())]
    SetUp { path: PathBuf, reason: String },
}

/// Finds and loads the library the first time; a failure is tried again at the next call.
pub(super) fn loaded() -> Result<Loaded, EngineFailure> {
    static LOADED: Mutex<Option<Loaded>> = Mutex::new(None);
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loaded) = loaded.as_ref() {
        return Ok(loaded.clone());
    }
    Ok(loaded.insert(load(&Surroundings::here())?).clone())
}

fn load(surroundings: &Surroundings) -> Result<Loaded, LibraryError> {
    if let Some(path) = &surroundings.named {
        let path = path.clone();
        if !path.is_absolute() {
            return Err(LibraryError::Relative { path });
        }
        return start(&path)?.map_err(|reason| LibraryError::Named { path, reason });
    }
    let mut tried = vec!["ORT_DYLIB_PATH (not set)".to_owned()];
    for place in search(surroundings) {
        let Some(library) = place.library else {
            tried.push(place.searched.display().to_string());
            continue;
        };
        match start(&library)? {
            Ok(loaded) => return Ok(loaded),
            Err(reason) => tried.push(format!("{} ({reason})", library.display())),
        }
    }
    tried.extend(surroundings.ignored.iter().map(|entries| format!("not {entries}")));
    Err(LibraryError::NotFound { tried })
}

/// Loads the library at `path`; the inner error leaves the process free to try another.
fn start(path: &Path) -> Result<Result<Loaded, String>, LibraryError> {
    let builder = match ort::init_from(path) {
        Ok(builder) => builder,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let environment = builder.with_name("medclip").with_telemetry(false).with_logger(log::logger()).build();
    let environment = environment
        .map_err(|error| LibraryError::SetUp { path: path.to_owned(), reason: error.to_string() })?;
    environment.set_log_level(LogLevel::Error);
    Ok(Ok(Loaded { environment, path: path.to_owned() }))
}

/// The version in the name of the file that `path` leads to, as in `libonnxruntime.so.1.24.0`.
fn version(path: &Path) -> Option<String> {
    let file = path.canonicalize().ok()?;
    let name = file.file_name()?.to_str()?;
    let start = name.find(|character: char| character.is_ascii_digit())?;
    let version: String = name[start..]
        .chars()
        .take_while(|character| character.is_ascii_digit() || *character == '.')
        .collect();
    let version = version.trim_end_matches('.');
    version.contains('.').then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_version_is_read_from_the_name_of_the_file_itself() {
        let directory = tempfile::tempdir().unwrap();
        for (name, expected) in [
            ("libonnxruntime.so.1.24.0", Some("1.24.0")),
            ("libonnxruntime.1.24.0.dylib", Some("1.24.0")),
            ("onnxruntime.dll", None),
            ("libonnxruntime.so.1", None),
        ] {
            let path = directory.path().join(name);
            fs::write(&path, "").unwrap();
            assert_eq!(version(&path).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn a_relative_name_is_refused() {
        let named = Surroundings { named: Some("libonnxruntime.so".into()), ..Surroundings::default() };
        let error = load(&named).unwrap_err().to_string();
        assert!(error.contains("relative to the current directory"), "{error}");
    }

    #[test]
    fn what_is_no_library_is_explained_with_the_places_tried() {
        let directory = tempfile::tempdir().unwrap();
        let text = directory.path().join("libonnxruntime.so");
        fs::write(&text, "not a library").unwrap();
        let named = Surroundings { named: Some(text.clone()), ..Surroundings::default() };
        let error = load(&named).unwrap_err().to_string();
        assert!(error.contains(text.to_str().unwrap()) && error.contains(HOW_TO_GET_IT), "{error}");
        let beside =
            Surroundings { executable: Some(directory.path().to_owned()), ..Surroundings::default() };
        let error = load(&beside).unwrap_err().to_string();
        assert!(error.contains("ORT_DYLIB_PATH (not set)") && error.contains(HOW_TO_GET_IT), "{error}");
        assert!(error.contains(directory.path().to_str().unwrap()), "{error}");
    }
}
