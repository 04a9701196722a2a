//! Whether a model can be used.

use std::fmt;
use std::path::PathBuf;

use medclip_core::architecture::ImageTower;
use medclip_core::bundle::Bundle;
use medclip_core::causes::{joined, with_causes};
use serde::Serialize;

/// A model, looked at.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ModelState {
    /// Directory of its bundle, where it is known.
    pub path: Option<PathBuf>,
    /// Its name, where it can be used.
    pub name: Option<String>,
    /// Its id, where it can be used.
    pub id: Option<String>,
    /// Its image tower, where it can be used.
    #[serde(skip)]
    pub tower: Option<ImageTower>,
    /// Why it cannot be used; none when every file is as its sum says.
    pub problem: Option<String>,
}

impl ModelState {
    /// The bundle in a directory, every file of it verified.
    pub fn of(path: PathBuf) -> Self {
        match Bundle::open(&path) {
            Ok(bundle) => Self {
                path: Some(path),
                name: Some(bundle.config().name.clone()),
                id: Some(bundle.id().to_owned()),
                tower: Some(bundle.config().architecture.image.clone()),
                problem: None,
            },
            Err(error) => {
                let causes = ["cannot load the model".to_owned(), with_causes(&error)];
                Self { path: Some(path), ..Self::missing(joined(causes)) }
            }
        }
    }

    /// None, for this reason.
    pub fn missing(problem: String) -> Self {
        Self { problem: Some(problem), ..Self::default() }
    }
}

impl fmt::Display for ModelState {
    /// `NAME in PATH, all sums verified`, or the problem.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.problem, &self.name, &self.path) {
            (Some(problem), ..) => f.write_str(problem),
            (None, Some(name), Some(path)) => write!(f, "{name} in {}, all sums verified", path.display()),
            (None, ..) => f.write_str("none"),
        }
    }
}
