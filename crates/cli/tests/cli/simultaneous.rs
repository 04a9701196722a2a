//! Many runs started at once on one output.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::setting::{images, start_scoring, text};

const STARTS: usize = 20;
const FILMS: usize = 24;

fn start(directory: &Path, films: &[String], options: &[&str]) -> Child {
    let own = ["--threads", "1", "--shard-size", "5", "--output", "scores.csv"];
    let films = films.iter().map(String::as_str);
    start_scoring(directory, own.into_iter().chain(options.iter().copied()).chain(films))
}

/// The files that have a row, in order.
fn rows(directory: &Path) -> Vec<String> {
    let table = fs::read_to_string(directory.join("scores.csv")).unwrap();
    table.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect()
}

/// Starts [`STARTS`] runs at once, each of `lists` in turn, and kills some of them; returns what the others said, by exit
/// status.
fn race(
    directory: &Path,
    lists: &[&[String]],
    options: &[&str],
    rng: &mut ChaCha8Rng,
) -> BTreeMap<i32, Vec<String>> {
    let mut children: Vec<Child> =
        (0..STARTS).map(|number| start(directory, lists[number % lists.len()], options)).collect();
    let mut victims: Vec<usize> = (0..STARTS).collect();
    victims.shuffle(rng);
    for victim in &victims[..6] {
        sleep(Duration::from_millis(rng.random_range(0..250)));
        // It may have come to its end.
        let _ = children[*victim].kill();
    }
    let mut said: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        if let Some(code) = output.status.code() {
            said.entry(code).or_default().push(text(&output.stderr));
        }
    }
    said
}

fn trial(seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let names: Vec<String> = (0..FILMS).map(|number| format!("{number:02}.png")).collect();
    let root = images(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let (evens, odds): (Vec<String>, Vec<String>) =
        names.into_iter().partition(|name| name.as_bytes()[1].is_multiple_of(2));

    // Of two lists one is scored, and by one process: no row of the other comes in.
    let said = race(root.path(), &[&evens, &odds], &["--resume"], &mut rng);
    let losers = said.iter().filter(|(code, _)| **code != 0).flat_map(|(_, said)| said);
    for said in losers {
        let tells = ["another process is at work on scores.csv.run", "is another run"];
        assert!(tells.iter().any(|told| said.contains(told)), "{said}");
    }
    let whole = [&evens, &odds].into_iter().filter(|list| {
        let end = start(root.path(), list, &["--resume"]).wait_with_output().unwrap();
        assert!(
            end.status.success() || text(&end.stderr).contains("is another run"),
            "{}",
            text(&end.stderr)
        );
        end.status.success()
    });
    let whole: Vec<&Vec<String>> = whole.collect();
    assert_eq!(whole.len(), 1, "one list is scored, and the other refused");
    assert_eq!(&rows(root.path()), whole[0]);

    // Started at once on the same list, those that do not do the work say who does, or find it done.
    fs::remove_dir_all(root.path().join("scores.csv.run")).unwrap();
    fs::remove_file(root.path().join("scores.csv")).unwrap();
    let said = race(root.path(), &[&evens], &[], &mut rng);
    for said in said.iter().filter(|(code, _)| **code != 0).flat_map(|(_, said)| said) {
        let at_work = said.contains("another process is at work on scores.csv.run: process ");
        assert!(at_work || said.contains("is there already"), "{said}");
    }
    assert!(said.get(&0).map_or(0, Vec::len) <= 1, "two processes have done it");
    if !said.contains_key(&0) {
        let end = start(root.path(), &evens, &["--resume"]).wait_with_output().unwrap();
        assert!(end.status.success(), "{}", text(&end.stderr));
    }
    assert_eq!(rows(root.path()), evens);
    let mut left: Vec<_> = fs::read_dir(root.path().join("scores.csv.run/_medclip")).unwrap().collect();
    left.retain(|entry| !medclip_files::is_staging(entry.as_ref().unwrap().file_name()));
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn of_twenty_runs_started_at_once_one_does_the_work() {
    for seed in 0..3 {
        trial(seed);
    }
}

/// `cargo test --workspace --features train --test cli twenty_trials -- --ignored`
#[test]
#[ignore = "minutes; the three trials above are of the same kind"]
fn twenty_trials_of_twenty_runs() {
    for seed in 100..120 {
        trial(seed);
    }
}
