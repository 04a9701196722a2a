//! Every member of an archive has a row, a name of its own, and its own content.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

#[path = "members/tars.rs"]
mod tars;
#[path = "members/zips.rs"]
mod zips;

use std::collections::HashSet;
use std::io;
use std::path::Path;

use medclip_archive::inputs::{ArchiveReader, find};
use medclip_archive::{InputOptions, Nature, Skipped, Source, expand_and_count};

/// Texts that begin with `film` are films, `report…` are of a kind that is none.
fn options() -> InputOptions {
    let nature = |start: &[u8]| match start {
        [b'f', b'i', b'l', b'm', ..] => Nature::Film,
        [b'r', b'e', b'p', b'o', b'r', b't', ..] => Nature::NoFilm("report"),
        _ => Nature::Unknown,
    };
    InputOptions { extensions: vec!["png".to_owned()], by_start: Some(nature), portion: None }
}

fn search(path: &Path) -> (Vec<Source>, Skipped) {
    let mut sources = Vec::new();
    let counted = expand_and_count(&[path.to_owned()], &options(), &mut io::empty(), &mut |source| {
        sources.push(source);
        Ok(())
    });
    (sources, counted.unwrap())
}

/// Name and content of every input, `?kind` where it has none; each is found again by its id, whatever is read first.
fn rows(path: &Path) -> Vec<(String, String)> {
    let (sources, _) = search(path);
    let mut reader = ArchiveReader::default();
    let mut content = |source: &Source| match (&source.problem, &source.member) {
        (Some(problem), _) => format!("?{}", problem.kind),
        (None, Some(member)) => match reader.read(&source.path, member) {
            Ok(bytes) => String::from_utf8(bytes).unwrap(),
            Err(failure) => format!("?{}", failure.kind),
        },
        (None, None) => panic!("a file"),
    };
    let ids: HashSet<String> = sources.iter().map(Source::id).collect();
    assert_eq!(ids.len(), sources.len(), "an id twice: {ids:?}");
    let contents: Vec<String> = sources.iter().map(&mut content).collect();
    for (source, expected) in sources.iter().zip(&contents).rev() {
        if source.member.is_some() {
            assert_eq!(&find(&source.id()).unwrap(), source);
        }
        assert_eq!(&content(source), expected, "read in another order");
        let line = serde_json::to_string(source).unwrap();
        assert_eq!(&serde_json::from_str::<Source>(&line).unwrap(), source);
    }
    let prefix = format!("{}!", path.display());
    let name = |source: &Source| source.id().strip_prefix(&prefix).unwrap_or("").to_owned();
    sources.iter().map(name).zip(contents).collect()
}

fn assert_rows(path: &Path, expected: &[(&str, &str)]) {
    let rows = rows(path);
    let rows: Vec<_> = rows.iter().map(|(name, content)| (name.as_str(), content.as_str())).collect();
    assert_eq!(rows, expected, "{}", path.display());
}
