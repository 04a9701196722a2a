//! Names of types that are spoken of everywhere, and the spelling of all names.

use std::collections::BTreeMap;
use std::fs;

use crate::tokens::{Token, without_tests};
use crate::{root, sources};

/// What each of these names is one type of the libraries; the program's own are out of sight of others.
const ONE_TYPE: [&str; 6] = ["Film", "Identity", "Manifest", "Precision", "Report", "Shard"];

/// How British spelling shows. Words of both, such as `analysis` and `supervised`, are in none.
const BRITISH: [&str; 23] = [
    "behaviour",
    "catalogue",
    "centre",
    "centred",
    "colour",
    "favour",
    "grey",
    "initialis",
    "judgement",
    "labelled",
    "licence",
    "maximis",
    "minimis",
    "neighbour",
    "normalis",
    "optimis",
    "organis",
    "quantis",
    "recognis",
    "regularis",
    "serialis",
    "standardis",
    "summaris",
];

/// Names of others, and of columns in the results of a probe.
const AS_THEY_ARE: [&str; 2] = ["colour_encoding", "regularisation"];

#[test]
fn one_name_is_one_type() {
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let directory = entry.unwrap().path();
        if directory.ends_with("cli") {
            continue;
        }
        for (path, text) in sources(&directory.join("src")) {
            if crate::is_of_tests(&path, &[]) || path.components().any(|part| part.as_os_str() == "tests") {
                continue;
            }
            let (tokens, _) = without_tests(&text);
            for pair in tokens.windows(2) {
                let (Some("struct" | "enum" | "trait" | "type" | "union"), Some(name)) =
                    (pair[0].word(), pair[1].word())
                else {
                    continue;
                };
                if let Some(name) = ONE_TYPE.into_iter().find(|known| *known == name) {
                    found.entry(name).or_default().push(path.display().to_string());
                }
            }
        }
    }
    found.retain(|_, places| places.len() > 1);
    assert!(found.is_empty(), "give all but one another name: {found:#?}");
}

#[test]
fn names_are_spelled_as_in_america() {
    let directories = ["crates", "tests", "examples"].map(|name| root().join(name));
    for (path, text) in directories.iter().flat_map(|directory| sources(directory)) {
        for token in crate::tokens::all(&text) {
            let Token::Word(name) = token else { continue };
            let lower = name.to_lowercase();
            let british = BRITISH.iter().find(|part| lower.contains(*part));
            let is_known = AS_THEY_ARE.contains(&name.as_str());
            assert!(british.is_none() || is_known, "{}: {name}", path.display());
        }
    }
}
