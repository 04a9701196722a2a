//! Where the model lies that ships with medclip.

use std::env;
use std::iter;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Directory name of the model that ships with medclip.
pub const SHIPPED_MODEL: &str = "medclip-edge";

/// The shipped model is not there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the shipped model {SHIPPED_MODEL} is in none of {}", shown(places))]
pub struct NoShippedModel {
    /// Directories that were looked for, in this order.
    pub places: Vec<PathBuf>,
}

/// Directory of the shipped model: in `models/` beside the program, in `../share/medclip/models/` from there, or in `models/` of
/// the source tree where Cargo runs the program or built it in `target`.
///
/// # Errors
/// [`NoShippedModel`].
pub fn shipped_model() -> Result<PathBuf, NoShippedModel> {
    let program = env::current_exe().ok().and_then(|program| program.canonicalize().ok());
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let places = places(program.as_deref().and_then(Path::parent), package.as_deref());
    places.iter().find(|place| place.is_dir()).cloned().ok_or(NoShippedModel { places })
}

/// Where the model may lie, for a program in the directory `beside`, started by Cargo for `package`.
fn places(beside: Option<&Path>, package: Option<&Path>) -> Vec<PathBuf> {
    let installed = beside.into_iter().flat_map(|directory| {
        let shared = directory.parent().map(|prefix| prefix.join("share/medclip/models"));
        iter::once(directory.join("models")).chain(shared)
    });
    let source_tree = package.and_then(by_cargo).or_else(|| by_place(beside?));
    let source_tree = source_tree.map(|root| root.join("models"));
    installed.chain(source_tree).map(|models| models.join(SHIPPED_MODEL)).collect()
}

/// Root of the source tree whose program `cargo run` or `cargo test` has started. Nothing of it is known to the program
/// itself, which may be on another machine.
fn by_cargo(package: &Path) -> Option<PathBuf> {
    let root = package.parent()?.parent()?;
    (package.is_absolute() && is_source_tree(root)).then(|| root.to_owned())
}

/// Root of the source tree in whose `target` a program lies.
fn by_place(beside: &Path) -> Option<PathBuf> {
    let target = beside.ancestors().find(|directory| directory.file_name() == Some("target".as_ref()))?;
    target.parent().filter(|root| is_source_tree(root)).map(Path::to_owned)
}

fn is_source_tree(root: &Path) -> bool {
    root.join("Cargo.toml").is_file() && root.join("crates").join("cli").join("Cargo.toml").is_file()
}

fn shown(places: &[PathBuf]) -> String {
    places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_source_tree_is_one_by_its_files_and_comes_last() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let beside = root.join("target/x86/release");
        let installed = [
            root.join("target/x86/release/models/medclip-edge"),
            root.join("target/x86/share/medclip/models/medclip-edge"),
        ];
        assert_eq!(places(Some(&beside), None), installed, "no source tree yet");
        fs::create_dir_all(root.join("crates/cli")).unwrap();
        for file in ["Cargo.toml", "crates/cli/Cargo.toml"] {
            fs::write(root.join(file), "").unwrap();
        }
        let tree = root.join("models/medclip-edge");
        let all = [&installed[..], std::slice::from_ref(&tree)].concat();
        assert_eq!(places(Some(&beside), None), all);
        assert_eq!(places(None, Some(&root.join("crates/node"))), [tree]);
        assert!(places(None, Some(Path::new("crates/node"))).is_empty(), "a relative package");
        let error = NoShippedModel { places: all };
        assert!(error.to_string().ends_with("models/medclip-edge"), "{error}");
        assert_eq!(error.to_string().matches(", ").count(), 2, "{error}");
    }
}
