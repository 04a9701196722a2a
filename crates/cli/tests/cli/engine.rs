//! Engines that need an ONNX Runtime library: with it, without it, and with what only looks like one.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use medclip_tests::engines;
use tempfile::TempDir;

use crate::setting::{bundle, images, json_lines, medclip, text};

/// A library that is not there.
const NOWHERE: &str = "/no/such/library";

/// Exit status and standard error of scoring on `engine` with this library.
fn refusal(engine: &str, library: impl AsRef<OsStr>) -> (Option<i32>, String) {
    let directory = images(&["a.png"]);
    let arguments = ["score", "--model", bundle().to_str().unwrap(), "--engine", engine, "a.png"];
    let mut command = medclip(&arguments);
    let output = command.current_dir(directory.path()).env("ORT_DYLIB_PATH", library).output().unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code(), text(&output.stderr))
}

#[test]
fn what_is_no_library_is_explained() {
    let directory = tempfile::tempdir().unwrap();
    let not_a_library = directory.path().join("libonnxruntime.so");
    fs::write(&not_a_library, "not a library").unwrap();
    for library in [directory.path().join("nowhere.so"), not_a_library, directory.path().to_owned()] {
        for engine in ["ort-cpu", "cuda", "tensorrt"] {
            let (code, errors) = refusal(engine, &library);
            assert_eq!((code, errors.lines().count()), (Some(2), 1), "{errors}");
            assert!(errors.contains(&format!("engine {engine} cannot run here")), "{errors}");
            assert!(errors.contains(library.to_str().unwrap()), "{errors}");
            assert!(
                errors.contains("pip install onnxruntime") && errors.contains("ORT_DYLIB_PATH"),
                "{errors}"
            );
        }
    }
}

/// A library that says it is ONNX Runtime of this version and has no functions.
#[cfg(unix)]
fn impostor(version: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let (source, library) = (directory.path().join("ort.c"), directory.path().join("libonnxruntime.so"));
    let code = format!(
        "#include <stddef.h>\n\
         static const void *api(unsigned version) {{ (void)version; return NULL; }}\n\
         static const char *name(void) {{ return \"{version}\"; }}\n\
         static const struct {{ const void *(*api)(unsigned); const char *(*name)(void); }} base = {{ api, name }};\n\
         const void *OrtGetApiBase(void) {{ return &base; }}\n"
    );
    fs::write(&source, code).unwrap();
    let status = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    assert!(status.unwrap().success(), "building medclip needs a C compiler anyway");
    (directory, library)
}

#[cfg(unix)]
#[test]
fn a_library_that_is_too_old_is_refused_with_its_version() {
    let (_directory, library) = impostor("1.10.0");
    let (code, errors) = refusal("ort-cpu", &library);
    assert_eq!((code, errors.lines().count()), (Some(2), 1), "{errors}");
    assert!(errors.contains("1.10.0") && errors.contains("1.24"), "{errors}");
}

#[cfg(unix)]
#[test]
fn a_library_that_makes_the_engine_panic_is_an_error() {
    let (_directory, library) = impostor("1.99.0");
    let (code, errors) = refusal("ort-cpu", &library);
    assert_eq!(code, Some(2), "{errors}");
    let last = errors.lines().last().unwrap();
    assert!(last.starts_with("error: ") && last.contains("the engine panicked"), "{errors}");
}

#[test]
fn every_engine_that_runs_gives_the_scores_of_tract_in_order() {
    let directory = images(&["a.png", "b.png", "c.png", "d.png", "e.png"]);
    let score = |engine: &str| {
        let arguments =
            ["score", "--model", bundle().to_str().unwrap(), "--engine", engine, "--format", "json"];
        let output =
            medclip(&arguments).args(["--threads", "2", "."]).current_dir(directory.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        json_lines(&output)
    };
    let expected = score("tract");
    for engine in engines() {
        let found = score(engine.name());
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!((&found["path"], &found["engine"]), (&expected["path"], &engine.name().into()));
            let logit = |record: &serde_json::Value| record["findings"][0]["logit"].as_f64().unwrap();
            assert!((logit(found) - logit(expected)).abs() < 1e-4, "{engine}");
        }
    }
}

#[test]
fn a_device_that_is_not_there_is_refused_and_never_replaced_by_the_processor() {
    let directory = images(&["a.png"]);
    for engine in ["cuda", "tensorrt"] {
        let arguments =
            ["score", "--model", bundle().to_str().unwrap(), "--engine", engine, "--format", "json"];
        let output = medclip(&arguments).arg("a.png").current_dir(directory.path()).output().unwrap();
        let errors = text(&output.stderr);
        if output.status.code() == Some(0) {
            assert_eq!(json_lines(&output)[0]["engine"], engine, "on a machine that has the device");
        } else {
            assert_eq!((output.status.code(), errors.lines().count()), (Some(2), 1), "{errors}");
            assert!(errors.contains(&format!("engine {engine} cannot run here")), "{errors}");
            assert!(output.stdout.is_empty());
        }
    }
}

#[test]
fn auto_says_what_it_took_and_why_and_a_name_does_not() {
    let directory = images(&["a.png"]);
    let score = |engine: &str| {
        let arguments =
            ["score", "--model", bundle().to_str().unwrap(), "--engine", engine, "--format", "json", "a.png"];
        let command =
            medclip(&arguments).env("ORT_DYLIB_PATH", NOWHERE).current_dir(directory.path()).output();
        let output = command.unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        (json_lines(&output)[0]["engine"].clone(), text(&output.stderr))
    };
    let (engine, told) = score("auto");
    assert_eq!((engine, told.lines().count()), ("tract".into(), 1), "{told}");
    assert!(
        told.starts_with("engine: tract, the first of ort-cpu, tract, rten")
            && told.contains("not ort-cpu, as"),
        "{told}"
    );
    assert!(told.contains(NOWHERE), "the reason names the library: {told}");
    assert_eq!(score("rten"), ("rten".into(), String::new()));
}

#[test]
fn a_switch_that_would_print_among_the_scores_is_refused() {
    let directory = images(&["a.png"]);
    for switch in ["RTEN_TIMING", "RTEN_OPTIMIZER_DEBUG", "RTEN_INFER_SHAPES_DEBUG"] {
        let arguments = ["score", "--model", bundle().to_str().unwrap(), "--engine", "rten", "a.png"];
        let output = medclip(&arguments).env(switch, "1").current_dir(directory.path()).output().unwrap();
        let errors = text(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(errors.contains("engine rten cannot run here") && errors.contains(switch), "{errors}");
    }
}
