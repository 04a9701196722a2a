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
    for &file in BundleFile::REQUIRED {
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
    for &file in BundleFile::REQUIRED {
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
fn prompts_that_cannot_mean_what_they_say_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let prompts = directory.path().join("own.toml");
    let long = "the heart is large ".repeat(20);
    for (positive, negative, says) in [
        // Lower-cased, or written with other spaces or signs, they are the same tokens.
        ("The heart is LARGE", "the heart is large", "the same to the model, token by token"),
        ("the heart is large.", "the heart is large .", "the same to the model"),
        ("the café heart is large", "the cafe heart is large", "the same to the model"),
        (
            "there is no opacity in the left lung, ohne",
            "there is no opacity in the left lung, mit",
            "the same to the model",
        ),
        (&*long, "the heart is normal", "80 tokens, of which the model reads 38; shorten it"),
        ("the heart is normal", &*long, "the negative sentence"),
        ("Das Herz ist nicht normal", "the heart is normal", "of its 5 tokens are unknown"),
        ("心臓が大きい", "the heart is normal", "are unknown to the vocabulary"),
        ("pneumonia.", "no pneumothorax.", "1 of its 2 tokens are unknown"),
        ("\\u200b", "the heart is normal", "it gives no token"),
    ] {
        let text = format!(
            "[[class]]\nname = 'Heart'\npositive.sentences = [\"{positive}\"]\nnegative.sentences = [\"{negative}\"]\n"
        );
        fs::write(&prompts, text).unwrap();
        let errors = refusal(bundle(), &["--prompts", prompts.to_str().unwrap()]);
        assert!(errors.contains("class `Heart`") && errors.contains(says), "{says}: {errors}");
    }
}

#[test]
fn a_variable_that_is_empty_names_no_model() {
    let run = |arguments: &[&str], variable: &str| {
        let output = medclip(arguments).env("MEDCLIP_MODEL", variable).output().unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, report, errors) = run(&["doctor"], "");
    assert_eq!(code, Some(0), "{errors}");
    assert!(report.contains("medclip-edge"), "{report}");
    let directory = images(&["a.png"]);
    let film = directory.path().join("a.png");
    let (code, line, errors) = run(&["score", "--format", "json", film.to_str().unwrap()], "");
    assert_eq!(code, Some(0), "{errors}");
    assert!(line.contains("\"medclip-edge\""), "{line}");
    // An option that is empty is a mistake, and a variable that names nothing is one too.
    let (code, _, errors) = run(&["score", "--model", "", film.to_str().unwrap()], "elsewhere");
    assert_eq!(code, Some(2));
    assert!(errors.contains("--model is empty"), "{errors}");
    assert_eq!(run(&["score", film.to_str().unwrap()], "no/such/model").0, Some(2));
}

#[test]
fn a_head_that_was_damaged_is_refused() {
    let directory = images(&["a.png"]);
    let model = medclip_runtime::Bundle::open(bundle()).unwrap();
    let dim = model.config().architecture.embedding_dim;
    let rows = |values: Vec<f32>, dim| medclip_core::Embeddings::new(values, dim).unwrap();
    let weights = rows(vec![0.5; dim], dim);
    let head =
        medclip_core::Head::new(model.id().to_owned(), vec!["A".to_owned()], weights, rows(vec![-1.0], 1))
            .unwrap();
    let bytes = head.to_bytes().unwrap();
    let with = |bytes: &[u8]| {
        fs::write(directory.path().join("head.safetensors"), bytes).unwrap();
        crate::setting::score(directory.path(), &["--head", "head.safetensors", "a.png"])
    };
    assert!(with(&bytes).status.success());
    // The exponent of the bias, of a weight, and a letter of the class.
    let class = bytes.windows(5).position(|window| window == b"[\\\"A\\").unwrap() + 3;
    for (at, bit) in [(bytes.len() - 1, 0x40), (bytes.len() - 9, 0x40), (class, 1)] {
        let mut damaged = bytes.clone();
        damaged[at] ^= bit;
        let output = with(&damaged);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "byte {at}: {errors}");
        assert!(errors.contains("the head has changed: the SHA-256 of its values"), "byte {at}: {errors}");
    }
}

#[test]
fn what_systems_leave_in_a_bundle_is_ignored() {
    let (_directory, path) = copy();
    for name in [
        ".DS_Store",
        "._model.toml",
        "Thumbs.db",
        "THUMBS.DB",
        "desktop.ini",
        "Desktop.ini",
        ".gitattributes",
        ".nfs0000a1",
    ] {
        fs::write(path.join(name), "x").unwrap();
    }
    fs::create_dir(path.join(".cache")).unwrap();
    let inspected = medclip(&["inspect", path.to_str().unwrap()]).output().unwrap();
    assert_eq!(inspected.status.code(), Some(0), "{}", text(&inspected.stderr));
    for name in ["weights.bin", "DS_Store", "model.toml~", "copy of model.toml"] {
        fs::write(path.join(name), "x").unwrap();
        assert!(refusal(&path, &[]).contains("is not a file of a bundle"));
        fs::remove_file(path.join(name)).unwrap();
    }
    // Line ends that Git rewrote are told from damage.
    let model = path.join("model.toml");
    let text = fs::read_to_string(&model).unwrap();
    fs::write(&model, text.replace('\n', "\r\n")).unwrap();
    assert!(refusal(&path, &[]).contains("its lines end in CR LF"));
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
