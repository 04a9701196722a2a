//! Models and flags that cannot be used: exit status 2, nothing scored.

use std::fs;
use std::path::{Path, PathBuf};

use medclip_runtime::BundleFile;
use tempfile::TempDir;

use crate::setting::{bundle, images, medclip, text};

fn copy() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy");
    fs::create_dir(&path).unwrap();
    for entry in fs::read_dir(bundle()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), path.join(entry.file_name())).unwrap();
    }
    (directory, path)
}

/// Standard error of scoring with the model at `path`, which must be refused.
fn refusal(path: &Path, arguments: &[&str]) -> String {
    let directory = images(&["a.png"]);
    let mut command = medclip(&["score", "--model", path.to_str().unwrap(), "a.png"]);
    let output = command.args(arguments).current_dir(directory.path()).output().unwrap();
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(output.stdout.is_empty());
    assert_eq!(errors.lines().count(), 1, "{errors}");
    errors
}

#[test]
fn a_changed_byte_is_refused_naming_the_file() {
    for file in BundleFile::REQUIRED {
        let (_directory, path) = copy();
        let path_of_file = path.join(file.file_name());
        let mut bytes = fs::read(&path_of_file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path_of_file, bytes).unwrap();
        let errors = refusal(&path, &[]);
        assert!(errors.contains(file.file_name()) && errors.contains("has changed"), "{errors}");
    }
}

#[test]
fn a_missing_file_is_named() {
    for file in BundleFile::REQUIRED {
        let (_directory, path) = copy();
        fs::remove_file(path.join(file.file_name())).unwrap();
        let errors = refusal(&path, &[]);
        assert!(errors.contains(file.file_name()), "{errors}");
    }
}

#[test]
fn no_bundle_is_no_model() {
    let errors = refusal(Path::new("no/such/model"), &[]);
    assert!(errors.starts_with("error: cannot load the model: no/such/model"), "{errors}");
}

#[test]
fn unusable_prompts_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let prompts = directory.path().join("own.toml");
    let refusal = |contents: Option<&str>| {
        if let Some(contents) = contents {
            fs::write(&prompts, contents).unwrap();
        }
        refusal(bundle(), &["--prompts", prompts.to_str().unwrap()])
    };
    assert!(refusal(None).contains("own.toml"));
    assert!(refusal(Some("[[class]]\nname = 3")).contains("own.toml"));
    assert!(refusal(Some("")).contains("class"));
}

#[test]
fn flags_are_checked_before_anything_runs() {
    for arguments in [
        &["score"][..],
        &["score", "--format", "xml", "a.png"],
        &["score", "--engine", "gpu", "a.png"],
        &["score", "--threads", "0", "a.png"],
        &["diagnose"],
    ] {
        let output = medclip(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}
