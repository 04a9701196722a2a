//! Which model: `--model`, its variable, and where the shipped one lies.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use medclip_runtime::Bundle;

/// Directory name of the model that ships with medclip.
pub(crate) const DEFAULT_MODEL: &str = "medclip-edge";

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
    let candidates = candidates();
    if let Some(found) = candidates.iter().find(|dir| dir.is_dir()) {
        return Ok(found.clone());
    }
    let looked: Vec<_> = candidates.iter().map(|dir| dir.display().to_string()).collect();
    bail!(
        "the shipped model {DEFAULT_MODEL} is in none of {}; name a bundle with --model or MEDCLIP_MODEL",
        looked.join(", ")
    )
}

fn candidates() -> Vec<PathBuf> {
    let program = env::current_exe().ok().and_then(|program| program.canonicalize().ok());
    let beside = program.as_deref().and_then(Path::parent);
    let installed = beside.into_iter().flat_map(|dir| {
        let shared = dir.parent().map(|prefix| prefix.join("share/medclip/models"));
        std::iter::once(dir.join("models")).chain(shared)
    });
    let source_tree = by_cargo().or_else(|| by_place(beside?)).map(|root| root.join("models"));
    installed.chain(source_tree).map(|models| models.join(DEFAULT_MODEL)).collect()
}

/// Root of the source tree whose program `cargo run` or `cargo test` has started. Nothing of it is known to the program
/// itself, which may be on another machine.
fn by_cargo() -> Option<PathBuf> {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    let root = package.parent()?.parent()?;
    (package.is_absolute() && is_source_tree(root)).then(|| root.to_owned())
}

/// Root of the source tree in whose `target` a program lies.
fn by_place(beside: &Path) -> Option<PathBuf> {
    let target = beside.ancestors().find(|directory| directory.file_name() == Some("target".as_ref()))?;
    target.parent().filter(|root| is_source_tree(root)).map(Path::to_owned)
}

fn is_source_tree(root: &Path) -> bool {
    [&["Cargo.toml"][..], &["crates", "cli", "Cargo.toml"]]
        .iter()
        .all(|file| file.iter().fold(root.to_owned(), |path, part| path.join(part)).is_file())
}
