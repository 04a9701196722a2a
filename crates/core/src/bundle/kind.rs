//! By what a directory is known for a bundle, sound or damaged.

use std::path::Path;

use medclip_files::Kind;

use super::{BundleFile, sums};
use crate::checkpoint;
use medclip_files::{MAX_TEXT_BYTES, start_of};

/// Bundles. [`BundleWriter`](super::BundleWriter) replaces no other directory.
pub static BUNDLE: Kind = Kind { name: "a bundle", is_marked, holds };

/// The list of sums names a model's configuration, or the configuration is there.
fn is_marked(directory: &Path) -> bool {
    let start = |name: &str| start_of(&directory.join(name), MAX_TEXT_BYTES).ok();
    let names_model = |text: String| {
        let mut lines = text.lines().filter_map(|line| line.split_once("  "));
        lines.any(|(sum, name)| sum.len() == 64 && name == BundleFile::Model.file_name())
    };
    start(sums::FILE_NAME).is_some_and(names_model)
        || start(BundleFile::Model.file_name()).is_some_and(|text| checkpoint::is_configuration(&text))
}

fn holds(path: &str) -> bool {
    // Version control is the user's own; what systems leave by themselves is not missed.
    let of_system =
        |name: &str| sums::is_of_system(name) && !name.starts_with(".git") && !name.ends_with('/');
    path == sums::FILE_NAME || BundleFile::named(path).is_some() || of_system(path)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_bundle_is_known_while_sums_or_configuration_are_there() {
        let root = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(root.path().join(name), text).unwrap();
        let sums = format!("{:064}  image.onnx\n{:064}  model.toml\n", 1, 2);
        for (name, text, expected) in [
            ("README.md", "model", false),
            ("model.toml", "[server]\nport = 1\n", false),
            ("model.toml", "format = 1\nname = \"x\"\n\n[architecture]\ndamaged", true),
            ("model.toml", "", false),
            ("SHA256SUMS", "no sums", false),
            ("SHA256SUMS", &sums, true),
        ] {
            put(name, text);
            assert_eq!(is_marked(root.path()), expected, "{name}: {text}");
        }
    }

    #[test]
    fn all_files_of_a_bundle_are_its_own_and_no_others() {
        for file in BundleFile::ALL {
            assert!(holds(file.file_name()), "{}", file.file_name());
        }
        for name in ["SHA256SUMS", ".DS_Store", "._image.onnx"] {
            assert!(holds(name), "{name}");
        }
        for name in ["notes.txt", "model.toml/", ".gitignore", ".cache/", "sub/model.toml", ""] {
            assert!(!holds(name), "{name}");
        }
    }
}
