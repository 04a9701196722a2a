//! Films that take more memory than the run may use are scored again when it may use more, and only they.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use medclip_archive::{Content, End, Format, Settings, Stages, Target, work};
use medclip_scorer::{Failure, Report, Schema};
use support::{PATIENT, Texts, contents, files, go, open, settings, threads};

/// 17 films; two of them take 100 bytes, one takes 1,000, one takes a million.
fn films(root: &Path) -> Vec<PathBuf> {
    let inputs = files(root, 17);
    for (number, bytes) in [(2, 100), (6, 1_000_000), (7, 1_000), (12, 100)] {
        fs::write(&inputs[number], format!("large {bytes}")).unwrap();
    }
    inputs
}

fn with(format: Format, memory: Option<u64>, wide: bool) -> Settings {
    let mut settings = settings(format, 5);
    settings.memory = memory;
    if wide {
        settings.schema.patient = PATIENT;
    }
    settings.schema.embedding_dim = wide.then_some(3);
    settings.options.insert("window".to_owned(), "auto".to_owned());
    settings
}

fn target(root: &Path, name: &str, format: Format, in_one_file: bool) -> Target {
    let name = root.join(name);
    if in_one_file { Target::File(name.with_extension(format.extension())) } else { Target::Directory(name) }
}

/// The rows, which are all that counts.
fn rows(target: &Target) -> Vec<Vec<u8>> {
    match target {
        Target::File(file) => vec![fs::read(file).unwrap()],
        Target::Directory(directory) => {
            let mut files = contents(directory);
            files.retain(|path, _| path.to_str().unwrap().starts_with("rows-"));
            files.into_values().collect()
        }
    }
}

/// Refuses to see a film that it was not asked for again.
struct Only<'a> {
    inner: Texts,
    allowed: &'a [&'a Path],
}

impl Stages for Only<'_> {
    type Prepared = Result<Vec<u8>, Failure>;

    fn schema(&self) -> &Arc<Schema> {
        &self.inner.schema
    }

    fn prepare(&self, content: Content<'_>) -> Self::Prepared {
        let Content::File(path) = content else { panic!("no archives here") };
        assert!(self.allowed.contains(&path), "{} was scored again", path.display());
        self.inner.prepare(content)
    }

    fn score(&self, films: &[Self::Prepared]) -> Vec<Report> {
        self.inner.score(films)
    }
}

#[test]
fn with_more_memory_just_those_rows_are_scored_again() {
    for format in Format::ALL {
        for (in_one_file, wide) in [(true, true), (false, false)] {
            let root = tempfile::tempdir().unwrap();
            let inputs = films(root.path());
            let target = target(root.path(), "scores", format, in_one_file);
            let mut memory = 10;
            let mut run = open(&target, with(format, Some(memory), wide), &inputs).unwrap();
            go(&mut run);
            assert_eq!(run.summary().failures["too_much_memory"], 4);
            drop(run);
            for (more, again, left) in [
                (10, vec![], 4),
                (5, vec![], 4),
                (500, vec![2, 6, 7, 12], 2),
                (400, vec![], 2),
                (2000, vec![6, 7], 1),
            ] {
                let allowed: Vec<&Path> =
                    again.iter().map(|number: &usize| inputs[*number].as_path()).collect();
                let mut run = open(&target, with(format, Some(more), wide), &inputs).unwrap();
                let stages = Only { inner: Texts::new(run.settings(), more), allowed: &allowed };
                assert_eq!(run.is_finished(), again.is_empty());
                let end = work(&mut run, &stages, &threads(2, 1, 1), &AtomicBool::new(false), |_, _| Ok(()))
                    .unwrap();
                assert_eq!(
                    (end, run.summary().failures["too_much_memory"]),
                    (End::Complete, left),
                    "{format:?} {more}"
                );
                memory = memory.max(more);
                drop(run);
                // As if it had been so from the start.
                let fresh = self::target(root.path(), &format!("fresh-{more}"), format, in_one_file);
                go(&mut open(&fresh, with(format, Some(memory), wide), &inputs).unwrap());
                let (found, expected) = (rows(&target), rows(&fresh));
                assert_eq!(found.len(), expected.len());
                // Messages of films that are still too large tell the limit of their time.
                if more == memory {
                    assert!(found == expected, "{format:?} {in_one_file} {wide} {more}");
                }
            }
        }
    }
}

#[test]
fn killed_while_rows_are_put_in_the_place_of_others_it_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let inputs = films(root.path());
    let directory = root.path().join("scores");
    let target = Target::Directory(directory.clone());
    go(&mut open(&target, with(Format::Csv, Some(10), false), &inputs).unwrap());
    let before = contents(&directory);
    go(&mut open(&target, with(Format::Csv, Some(5000), false), &inputs).unwrap());
    let after = contents(&directory);

    let commit = Path::new("_medclip/commits/00001.json");
    let next = Path::new("_medclip/commits/00001.next");
    let rows = Path::new("rows-00001.csv");
    for (rows_of, commit_of) in [(&before, &before), (&after, &before), (&after, &after)] {
        fs::remove_dir_all(&directory).unwrap();
        for (path, bytes) in &before {
            fs::create_dir_all(directory.join(path).parent().unwrap()).unwrap();
            fs::write(directory.join(path), bytes).unwrap();
        }
        fs::remove_file(directory.join("_medclip/finished.json")).unwrap();
        fs::write(directory.join(next), &after[commit]).unwrap();
        fs::write(directory.join(rows), &rows_of[rows]).unwrap();
        fs::write(directory.join(commit), &commit_of[commit]).unwrap();
        let mut run = open(&target, with(Format::Csv, Some(5000), false), &inputs).unwrap();
        go(&mut run);
        drop(run);
        assert!(contents(&directory) == after);
    }
}
