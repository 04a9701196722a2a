//! `medclip doctor`.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::setting::{bundle, medclip, text};

const NOWHERE: &str = "/no/such/library";

#[test]
fn json_says_what_runs_and_what_is_missing() {
    let arguments = ["doctor", "--model", bundle().to_str().unwrap(), "--format", "json"];
    let output = medclip(&arguments).env("ORT_DYLIB_PATH", NOWHERE).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["medclip"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(report["machine"]["cores"].as_u64().unwrap() > 0);
    let engines = report["engines"].as_array().unwrap();
    let names: Vec<_> = engines.iter().map(|engine| engine["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["tract", "rten", "ort-cpu", "cuda", "tensorrt"]);
    for engine in &engines[..2] {
        assert_eq!(engine["problem"], Value::Null, "pure Rust runs anywhere");
    }
    assert_eq!(report["auto"], "tract");
    for engine in &engines[2..] {
        let problem = engine["problem"].as_str().unwrap();
        assert!(problem.contains(NOWHERE) && problem.contains("pip install onnxruntime"), "{problem}");
    }
    assert_eq!(report["onnx_runtime"]["path"], Value::Null);
    assert_eq!((&report["model"]["name"], &report["model"]["problem"]), (&"tiny".into(), &Value::Null));
}

#[test]
fn text_is_for_people() {
    let output = medclip(&["doctor", "--model", bundle().to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report = text(&output.stdout);
    for part in
        ["medclip ", "hardware threads", "NVIDIA devices", "ONNX Runtime", "all sums verified", "Runs here"]
    {
        assert!(report.contains(part), "{part} in {report}");
    }
}

#[test]
fn only_what_was_asked_for_is_an_error() {
    let code = |arguments: &[&str]| {
        let output = medclip(&["doctor"]).args(arguments).env("ORT_DYLIB_PATH", NOWHERE).output().unwrap();
        assert!(!output.stdout.is_empty(), "the report comes first");
        (output.status.code(), text(&output.stderr).lines().count())
    };
    assert_eq!(code(&["--engine", "tract", "--engine", "rten"]), (Some(0), 0));
    assert_eq!(code(&["--engine", "ort-cpu"]), (Some(2), 1));
    assert_eq!(code(&["--model", "no/such/model"]), (Some(2), 1));
}

/// The program under another name, which no source tree is around.
fn copy_of_program(place: &Path) {
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    let program = env!("CARGO_BIN_EXE_medclip");
    if fs::hard_link(program, place).is_err() {
        fs::copy(program, place).unwrap();
    }
}

/// What `doctor` of a program says of the model, without Cargo's variables.
fn model_of(program: &Path) -> Value {
    let output = Command::new(program)
        .args(["doctor", "--format", "json"])
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("MEDCLIP_MODEL")
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["model"].clone()
}

#[test]
fn a_program_that_was_moved_knows_nothing_of_where_it_was_built() {
    let directory = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(directory.path()).unwrap();
    let program = root.join("bin/medclip");
    copy_of_program(&program);
    let problem = model_of(&program)["problem"].as_str().unwrap().to_owned();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    assert!(problem.contains("bin/models/medclip-edge"), "{problem}");
    assert!(!problem.contains(source.to_str().unwrap()), "{problem}");

    // In `target` of a source tree it finds the tree's models, and so it does where Cargo runs it.
    let built = root.join("clone/target/x86/release/medclip");
    copy_of_program(&built);
    fs::create_dir_all(root.join("clone/crates/cli")).unwrap();
    fs::create_dir_all(root.join("clone/models/medclip-edge")).unwrap();
    for file in fs::read_dir(bundle()).unwrap().map(|entry| entry.unwrap().path()) {
        fs::copy(&file, root.join("clone/models/medclip-edge").join(file.file_name().unwrap())).unwrap();
    }
    assert!(model_of(&built)["problem"].is_string(), "no source tree yet");
    for file in ["clone/Cargo.toml", "clone/crates/cli/Cargo.toml"] {
        fs::write(root.join(file), "").unwrap();
    }
    assert_eq!(model_of(&built)["problem"], Value::Null);
    let output = Command::new(&program)
        .args(["doctor", "--format", "json"])
        .env("CARGO_MANIFEST_DIR", root.join("clone/crates/cli"))
        .env_remove("MEDCLIP_MODEL")
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["model"]["problem"], Value::Null, "{report}");
}

/// A library that writes a file when it is loaded.
#[cfg(all(unix, feature = "ort"))]
#[test]
fn a_library_in_the_current_directory_is_not_loaded() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let code = "#include <stdio.h>\n__attribute__((constructor)) static void f(void) { fclose(fopen(\"loaded\", \"w\")); }\n";
    fs::write(at.join("f.c"), code).unwrap();
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-o", "libonnxruntime.so", "f.c"])
        .current_dir(at)
        .status();
    assert!(made.unwrap().success());
    let python = at.join("lib/python3.12/site-packages/onnxruntime/capi");
    fs::create_dir_all(&python).unwrap();
    fs::copy(at.join("libonnxruntime.so"), python.join("libonnxruntime.so")).unwrap();
    fs::create_dir(at.join("bin")).unwrap();
    fs::write(at.join("bin/python3"), "").unwrap();
    fs::write(at.join("nvidia-smi"), "#!/bin/sh\ntouch loaded\n").unwrap();
    fs::set_permissions(at.join("nvidia-smi"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();

    let model = bundle().to_str().unwrap();
    let image = crate::setting::images(&["a.png"]);
    let image = image.path().join("a.png");
    let auto = ["score", "--engine", "auto", "--model", model, image.to_str().unwrap()];
    let list = if cfg!(target_vendor = "apple") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };
    for (name, value) in [
        (list, ":/nowhere"),
        (list, "."),
        (list, "/nowhere:./"),
        ("PATH", "bin"),
        ("PATH", ":/nowhere"),
        ("VIRTUAL_ENV", "."),
        ("CONDA_PREFIX", "./"),
        ("ORT_DYLIB_PATH", "libonnxruntime.so"),
        ("ORT_DYLIB_PATH", "./libonnxruntime.so"),
    ] {
        for arguments in [&["doctor", "--model", model][..], &auto] {
            let mut command = medclip(arguments);
            if name != "ORT_DYLIB_PATH" {
                command.env_remove("ORT_DYLIB_PATH");
            }
            let output = command.env(name, value).current_dir(at).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{name}={value}: {}", text(&output.stderr));
            assert!(!at.join("loaded").exists(), "{name}={value}");
            let said = text(&output.stdout) + &text(&output.stderr);
            assert!(arguments[0] != "doctor" || said.contains(name), "{name}={value}: {said}");
        }
    }
}
