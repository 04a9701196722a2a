//! Rules of the house that the compiler does not hold.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

#[path = "house/imports.rs"]
mod imports;
#[path = "house/names.rs"]
mod names;
#[path = "house/tokens.rs"]
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use imports::{Imports, circles};

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

/// Most modules of a circle of imports: a type and what makes it may know each other.
const CIRCLE: usize = 2;

#[test]
fn modules_import_in_no_circles() {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let directory = entry.unwrap().path();
        let imports = imports::of_crate(&directory.join("src"));
        assert!(!imports.is_empty(), "{}", directory.display());
        for circle in circles(&upward(&imports)) {
            found.push((directory.clone(), circle.iter().map(|name| name.join("/")).collect::<Vec<_>>()));
        }
        for (parent, arrows) in among_siblings(&imports) {
            for circle in circles(&arrows) {
                let name =
                    |child: &String| [parent.as_slice(), std::slice::from_ref(child)].concat().join("/");
                found.push((directory.clone(), circle.iter().map(name).collect()));
            }
        }
    }
    found.retain(|(_, circle)| circle.len() > CIRCLE);
    assert!(found.is_empty(), "move what they share below them: {found:#?}");
}

/// Imports between files. What a module takes from the modules that it declares is how it is made, and no import.
fn upward(imports: &Imports) -> Imports {
    let beyond = |(name, from): (&imports::Name, &BTreeSet<imports::Name>)| {
        (name.clone(), from.iter().filter(|other| !other.starts_with(name)).cloned().collect())
    };
    imports.iter().map(beyond).collect()
}

/// Imports between modules with all that is below them, by their common parent.
fn among_siblings(imports: &Imports) -> BTreeMap<imports::Name, BTreeMap<String, BTreeSet<String>>> {
    let mut found: BTreeMap<_, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (name, from) in imports {
        for other in from {
            let shared = name.iter().zip(other).take_while(|(one, other)| one == other).count();
            if let (Some(one), Some(two)) = (name.get(shared), other.get(shared)) {
                let arrows = found.entry(name[..shared].to_vec()).or_default();
                arrows.entry(one.clone()).or_default().insert(two.clone());
            }
        }
    }
    found
}
