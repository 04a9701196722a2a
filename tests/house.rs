//! Rules of the house that the compiler does not hold.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::fs;
use std::path::{Path, PathBuf};

/// What only programs may do: print, draw, end the process, listen for signals, change its panic hook or its environment.
const OF_PROGRAMS: [&str; 11] = [
    "println!",
    "print!(",
    "eprintln!",
    "eprint!(",
    "indicatif",
    "set_hook",
    "process::exit",
    "ctrlc",
    "env::set_var",
    "env::remove_var",
    "stdout()",
];

/// Lines of the longest file, and of the one in the middle.
const LONGEST: usize = 500;
const MEDIAN: usize = 120;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Rust sources below a directory, with their text.
fn sources(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// Whether a file holds tests alone, as its module is declared or by its name.
fn is_of_tests(path: &Path, all: &[(PathBuf, String)]) -> bool {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let is_declared = |text: &str| text.contains(&format!("#[cfg(test)]\nmod {name};"));
    let beside = path.parent().unwrap();
    let declares = |other: &Path| other.with_extension("") == beside || other.parent() == Some(beside);
    name == "tests" || all.iter().any(|(other, text)| declares(other) && is_declared(text))
}

#[test]
fn libraries_neither_print_nor_draw_nor_touch_the_process() {
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let directory = entry.unwrap().path();
        if directory.ends_with("cli") {
            continue;
        }
        let all = sources(&directory.join("src"));
        assert!(!all.is_empty(), "{}", directory.display());
        for (path, text) in all.iter().filter(|(path, _)| !is_of_tests(path, &all)) {
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            for (number, line) in code.lines().enumerate() {
                let line = line.trim_start();
                let found = OF_PROGRAMS.iter().find(|word| !line.starts_with("//") && line.contains(*word));
                assert!(found.is_none(), "{}:{}: {line}", path.display(), number + 1);
            }
        }
    }
}

#[test]
fn files_are_small() {
    let root = root();
    let directories = ["crates", "tests", "examples"].map(|name| root.join(name));
    let all = directories.iter().flat_map(|directory| sources(directory));
    let mut lines: Vec<(usize, PathBuf)> = all.map(|(path, text)| (text.lines().count(), path)).collect();
    lines.sort();
    let (longest, path) = lines.last().unwrap();
    assert!(*longest <= LONGEST, "{} has {longest} lines", path.display());
    let (median, _) = &lines[lines.len() / 2];
    assert!(*median < MEDIAN, "the median file has {median} lines");
}
