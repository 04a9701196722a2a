//! Which model: `--model`, its variable, or the shipped one.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use medclip_runtime::{Bundle, shipped_model};

/// Which model to use.
#[derive(Debug, Clone, Args)]
pub(crate) struct ModelArg {
    /// Bundle directory [default: the shipped model]
    ///
    /// Without it the shipped model is looked for in `models/` beside the program, in `../share/medclip/models/` from
    /// there, and in `models/` of the source tree where Cargo runs the program or built it in `target`.
    #[arg(long, value_name = "DIR", env = MODEL_VARIABLE, hide_env_values = true, value_parser = any_path())]
    model: Option<PathBuf>,
}

/// Variable that names a model where no option does.
const MODEL_VARIABLE: &str = "MEDCLIP_MODEL";

/// A path that may be empty, as a variable's that was set to nothing.
fn any_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

impl ModelArg {
    /// The directory that is named; an empty variable names none.
    ///
    /// # Errors
    /// When the option is empty.
    pub(crate) fn named(self) -> anyhow::Result<Option<PathBuf>> {
        if self.model.as_ref().is_none_or(|path| !path.as_os_str().is_empty()) {
            return Ok(self.model);
        }
        if env::var_os(MODEL_VARIABLE).is_some_and(|value| value.is_empty()) {
            return Ok(None);
        }
        bail!("--model is empty; name a bundle directory, or leave the option out for the shipped model")
    }

    /// The directory named, or the shipped model's.
    ///
    /// # Errors
    /// When none is named and none was shipped, naming every place looked at.
    pub(crate) fn resolve(self) -> anyhow::Result<PathBuf> {
        self.named()?.map_or_else(shipped, Ok)
    }

    /// The bundle there, verified.
    ///
    /// # Errors
    /// As [`ModelArg::resolve`], and when it is none.
    pub(crate) fn open(self) -> anyhow::Result<Bundle> {
        Bundle::open(self.resolve()?).context("cannot load the model")
    }
}

/// Directory of the shipped model.
///
/// # Errors
/// As [`ModelArg::resolve`].
pub(crate) fn shipped() -> anyhow::Result<PathBuf> {
    shipped_model().map_err(|error| anyhow!("{error}; name a bundle with --model or MEDCLIP_MODEL"))
}
