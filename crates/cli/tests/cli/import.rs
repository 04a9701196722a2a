//! Weights that Python saved become a bundle that scores, or a reason.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use medclip_tests::{CLASSES, PROMPTS};
use tempfile::TempDir;

use crate::setting::{images, json_lines, medclip, text};

const WEIGHTS: [&str; 3] = ["medclip_swin.bin", "medclip_swin_v4.bin", "medclip_resnet.safetensors"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../export/tests/golden/import").join(name)
}

/// `medclip import` of `weights` to `bundle` in `directory`.
fn import(directory: &TempDir, weights: &Path, arguments: &[&str]) -> Output {
    fs::write(directory.path().join("prompts.toml"), PROMPTS).unwrap();
    let small = ["--heads", "2", "--image-size", "16", "--max-length", "40", "--prompts", "prompts.toml"];
    let mut command = medclip(&["import", weights.to_str().unwrap(), "-o", "bundle"]);
    command.args(small).args(arguments).current_dir(directory.path()).output().unwrap()
}

/// Standard error of an import that must be refused.
fn refusal(weights: &Path, arguments: &[&str]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let output = import(&directory, weights, arguments);
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(!directory.path().join("bundle").exists());
    errors
}

#[test]
fn every_file_becomes_a_bundle_that_scores() {
    for weights in WEIGHTS {
        let directory = images(&["a.png"]);
        let output = import(&directory, &fixture(weights), &["--mode", "reference", "--lowercase"]);
        assert!(output.status.success(), "{weights}: {}", text(&output.stderr));
        assert!(text(&output.stdout).contains("BERT, 3 layers of width 8, 2 heads, 40 tokens, lower-cased"));
        let model = fs::read_to_string(directory.path().join("bundle/model.toml")).unwrap();
        for field in
            ["name = \"bundle\"", "prompt_pooling = \"max\"", "pooling = \"reference\"", "lowercase = true"]
        {
            assert!(model.contains(field), "{field} in {model}");
        }
        let mut score = medclip(&["score", "--model", "bundle", "--format", "json", "a.png"]);
        let scored = score.current_dir(directory.path()).output().unwrap();
        let lines = json_lines(&scored);
        assert_eq!(lines[0]["findings"].as_array().unwrap().len(), CLASSES.len(), "{lines:?}");
    }
}

#[test]
fn a_bundle_that_is_there_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("bundle")).unwrap();
    let output = import(&directory, &fixture(WEIGHTS[0]), &[]);
    assert!(text(&output.stderr).contains("bundle already exists; --replace replaces it"));
}

#[test]
fn another_tower_than_the_one_asked_for_is_refused() {
    let errors = refusal(&fixture(WEIGHTS[2]), &["--vision", "swin-tiny"]);
    assert!(
        errors.contains("the image tower is a ResNet of width 4, blocks [2, 2], not swin-tiny"),
        "{errors}"
    );
    let errors = refusal(&fixture(WEIGHTS[0]), &["--vision", "swin-tiny"]);
    assert!(
        errors.contains("a Swin transformer of width 4, depths [2, 2], window 2, not swin-tiny"),
        "{errors}"
    );
}

#[test]
fn a_missing_vocabulary_is_explained() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pytorch_model.bin");
    fs::copy(fixture(WEIGHTS[0]), &path).unwrap();
    let errors = refusal(&path, &[]);
    assert!(errors.contains("no vocabulary: neither tokenizer.json nor vocab.txt is beside"), "{errors}");
    let errors = refusal(&path, &["--tokenizer", "none.txt"]);
    assert!(errors.contains("cannot read none.txt"), "{errors}");
}

#[test]
fn hostile_and_foreign_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pytorch_model.bin");
    let vocabulary = fixture("vocab.txt");
    let arguments = ["--tokenizer", vocabulary.to_str().unwrap()];
    let with = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        refusal(&path, &arguments)
    };
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n";
    assert!(with(pointer).contains("a Git LFS pointer that stands for 12345 bytes"));
    assert!(with(b"<!DOCTYPE html><html>").contains("a web page (HTML)"));
    let whole = fs::read(fixture(WEIGHTS[0])).unwrap();
    assert!(with(&whole[..whole.len() - 30]).contains("cut short"));
    assert!(
        with(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.").contains("the file calls os.system; refused")
    );
    let trunk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../weights/tests/fixtures/swin_timm.safetensors");
    let errors = refusal(&trunk, &arguments);
    assert!(errors.contains("name it as image.init in a training file"), "{errors}");
}

#[test]
fn options_are_named_where_they_help() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::copy(fixture(WEIGHTS[2]), at("weights.safetensors")).unwrap();
    let vocabulary = fs::read_to_string(fixture("vocab.txt")).unwrap();
    fs::write(at("vocab.txt"), vocabulary.replace("The\n", "this\n").replace("No\n", "that\n")).unwrap();
    fs::write(at("prompts.toml"), PROMPTS).unwrap();
    let run = |arguments: &[&str]| {
        let small = ["--image-size", "16", "--max-length", "40", "--prompts", "prompts.toml", "--replace"];
        let mut command = medclip(&["import", "weights.safetensors", "-o", "bundle"]);
        command.args(small).args(arguments).current_dir(directory.path()).output().unwrap()
    };
    let errors = text(&run(&["--lowercase"]).stderr);
    assert!(
        errors.contains("do not tell its number of attention heads")
            && errors.ends_with("(--heads N states it)\n"),
        "{errors}"
    );
    let errors = text(&run(&["--heads", "2"]).stderr);
    assert!(
        errors.contains("vocab.txt has no word with a capital")
            && errors.contains("(--lowercase, or --lowercase=false)"),
        "{errors}"
    );
    // Prompts with capitals for a vocabulary that has none, as it was asked for.
    let output = run(&["--heads", "2", "--lowercase=false"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let warning = text(&output.stderr);
    assert!(
        warning.starts_with(
            "warning: 7 of 9 prompts may not mean what they say, such as `The heart is enlarged.`: 1 of its"
        ),
        "{warning}"
    );

    fs::write(at("config.json"), "{\"hidden_size\": 8, \"num_attention_heads\": 2}").unwrap();
    let output = run(&["--lowercase"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let notes = text(&output.stderr);
    assert!(
        notes.starts_with("note: the text tower has 2 attention heads, as ") && notes.lines().count() == 1,
        "{notes}"
    );
}
