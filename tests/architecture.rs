//! The arrows between crates, and what scoring must not need.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Floors of the house, the lowest first: a crate may depend on crates of lower floors, tests aside. ARCHITECTURE.md says why.
const FLOORS: &[&[&str]] = &[
    &["files", "plot", "stats"],
    &["core"],
    &["decode", "labeler", "nn", "onnx", "weights"],
    &["data", "export", "qc", "runtime"],
    &["phantom", "scorer", "train"],
    &["archive", "bundling"],
    &["index", "protocols"],
    // The front door.
    &["medclip"],
    &["cli"],
    // Beside the house.
    &["examples", "tests"],
];

/// Arrows within the house that would point down and are wrong nevertheless.
const NEVER: &[(&str, &[&str])] = &[
    ("core", &["plot", "stats"]),
    ("export", &["runtime"]),
    ("nn", &["files", "plot", "stats"]),
    ("runtime", &["decode", "qc"]),
    ("scorer", &["data", "export", "files", "labeler", "stats", "weights"]),
    ("archive", &["export", "labeler", "train", "weights"]),
    ("bundling", &["labeler", "nn", "plot", "qc", "scorer"]),
    ("index", &["export", "runtime", "train", "weights"]),
    ("protocols", &["export", "index", "nn", "phantom", "weights"]),
];

/// Packages that may depend on candle, tests aside; `bundling` behind a feature, for its referee.
const CANDLE_USERS: &[&str] = &["medclip-bundling", "medclip-nn", "medclip-train"];

/// Packages that scoring builds without: training, code generators, downloads, and anything that needs C++, cmake, protoc
/// or a system library.
const FORBIDDEN_IN_SCORING: &[&str] = &[
    "medclip-nn",
    "medclip-train",
    "candle-core",
    "candle-nn",
    "candle-onnx",
    "prost-build",
    "protobuf-src",
    "cmake",
    "cxx",
    "link-cplusplus",
    "bindgen",
    "onig_sys",
    "openssl-sys",
    "pkg-config",
    "ureq",
];

#[test]
fn crates_depend_on_lower_floors_only() {
    let actual = dependencies(|name| name.starts_with("medclip"));
    let floor_of = |name: &str| {
        let name = name.strip_prefix("medclip-").unwrap_or(name);
        FLOORS.iter().position(|floor| floor.contains(&name))
    };
    assert_eq!(
        actual.len(),
        FLOORS.iter().flat_map(|floor| floor.iter()).count(),
        "a floor without its crate"
    );
    for (name, dependencies) in &actual {
        let floor = floor_of(name).unwrap_or_else(|| panic!("{name} has no floor"));
        for dependency in dependencies {
            let below = floor_of(dependency).unwrap_or_else(|| panic!("{dependency} has no floor"));
            assert!(below < floor, "{name} (floor {floor}) may not depend on {dependency} (floor {below})");
        }
    }
    for (name, forbidden) in NEVER {
        for other in *forbidden {
            let arrow = actual[&format!("medclip-{name}")].contains(&format!("medclip-{other}"));
            assert!(!arrow, "{name} may not depend on {other}");
        }
    }
}

#[test]
fn candle_stays_in_training() {
    for (name, found) in dependencies(|name| name.starts_with("candle")) {
        assert!(found.is_empty() || CANDLE_USERS.contains(&name.as_str()), "{name} depends on {found:?}");
    }
}

#[test]
fn scoring_needs_neither_candle_nor_a_cpp_toolchain() {
    for package in ["medclip-cli", "medclip-examples"] {
        let tree = cargo(&[
            "tree",
            "-p",
            package,
            "-e",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p} [{f}]",
        ]);
        let packages: Vec<&str> = tree.lines().collect();
        assert!(packages.iter().any(|line| line.starts_with("tract-onnx ")), "the tree is that of scoring");
        for line in packages {
            let name = line.split(' ').next().unwrap_or_default();
            assert!(!FORBIDDEN_IN_SCORING.contains(&name), "{package} depends on {line}");
            assert!(!(name == "esaxx-rs" && line.contains("cpp")), "tokenizers builds C++: {line}");
            // ONNX Runtime is loaded when an engine needs it, never linked or fetched.
            let is_loaded = line.contains("disable-linking") && !line.contains("download-binaries");
            assert!(name != "ort-sys" || is_loaded, "{line}");
        }
    }
}

#[test]
fn bundles_are_made_without_candle() {
    let tree = cargo(&[
        "tree",
        "-p",
        "medclip-bundling",
        "-e",
        "normal,build",
        "--features",
        "make",
        "--prefix",
        "none",
    ]);
    assert!(
        tree.lines().any(|line| line.starts_with("medclip-export ")),
        "the tree is that of writing bundles"
    );
    for line in tree.lines() {
        let name = line.split(' ').next().unwrap_or_default();
        assert!(!FORBIDDEN_IN_SCORING.contains(&name), "only a comparison with candle needs {line}");
    }
}

#[test]
fn a_scanner_can_leave_imports_and_archives_out() {
    let tree =
        cargo(&["tree", "-p", "medclip-cli", "-e", "normal", "--no-default-features", "--prefix", "none"]);
    for package in
        ["medclip-export", "medclip-weights", "medclip-index", "medclip-protocols", "parquet", "tar", "zip"]
    {
        let is_there = tree.lines().any(|line| line.split(' ').next() == Some(package));
        assert!(!is_there, "{package} is only for imports and archives");
    }
}

#[test]
fn a_scanner_can_have_rten_alone() {
    let tree = cargo(&[
        "tree",
        "-p",
        "medclip-cli",
        "-e",
        "normal,build",
        "--no-default-features",
        "--features",
        "rten",
        "--prefix",
        "none",
    ]);
    let is_there = |package: &str| tree.lines().any(|line| line.split(' ').next() == Some(package));
    assert!(is_there("rten") && !is_there("cc"), "it wants no C compiler");
    for package in ["tract-onnx", "tract-linalg", "ort"] {
        assert!(!is_there(package), "{package} belongs to another engine");
    }
}

#[test]
fn a_scanner_can_leave_sentences_out() {
    let tree = |features: &str| {
        let of =
            ["tree", "-p", "medclip-cli", "-e", "normal", "--no-default-features", "--features", features];
        cargo(&[&of[..], &["--prefix", "none"]].concat())
    };
    let has_tokenizer = |features: &str| tree(features).lines().any(|line| line.starts_with("tokenizers "));
    assert!(!has_tokenizer("rten,dicom") && has_tokenizer("rten,dicom,text"));
}

/// Dependencies, development ones aside, of every member of the workspace, as far as `wanted` takes their names.
fn dependencies(wanted: impl Fn(&str) -> bool) -> BTreeMap<String, BTreeSet<String>> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"])).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let of = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let names = dependencies
            .filter(|dependency| dependency["kind"] != "dev")
            .map(|dependency| text(dependency, "name"));
        names.filter(|name| wanted(name)).collect()
    };
    packages.map(|package| (text(package, "name"), of(package))).collect()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap().to_owned()
}

fn cargo(arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--offline", "--locked"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
