//! An index gives back what was put in, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::fs;
use std::path::Path;

use medclip_index::{BuildError, Index, IndexBuilder, Layout, QueryError, ReadError, Search};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DIM: usize = 24;

/// Points around 40 centers.
fn vectors(rows: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut point =
        |spread: f32| -> Vec<f32> { (0..DIM).map(|_| spread * (rng.random::<f32>() - 0.5)).collect() };
    let centers: Vec<Vec<f32>> = (0..40).map(|_| point(1.0)).collect();
    let near = |row: usize| centers[row % 40].iter().zip(point(0.7)).map(|(a, b)| a + b).collect();
    (0..rows).map(near).collect()
}

fn build(path: &Path, vectors: &[Vec<f32>], layout: Layout) -> medclip_index::BuildReport {
    let mut builder = IndexBuilder::new("tiny", "00ff", DIM).unwrap();
    for (row, vector) in vectors.iter().enumerate() {
        builder.push(format!("ä/{row}.png"), vector).unwrap();
    }
    builder.write(path, layout).unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn exact_search_is_that_of_double_precision_in_both_layouts() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("it.index");
    let films = vectors(3000, 1);
    for layout in [Layout::Flat, Layout::Lists { recall: 0.9 }] {
        build(&path, &films, layout);
        let index = Index::open(&path).unwrap();
        assert_eq!((index.len(), index.dim(), index.model(), index.model_id()), (3000, DIM, "tiny", "00ff"));
        for query in vectors(20, 2) {
            let mut expected: Vec<(f64, usize)> =
                films.iter().enumerate().map(|(row, film)| (cosine(film, &query), row)).collect();
            expected.sort_by(|a, b| b.0.total_cmp(&a.0));
            let hits = index.query(&query, 10, Search::Exact).unwrap();
            for (hit, (cosine, row)) in hits.iter().zip(&expected) {
                assert_eq!(index.id(hit.row).unwrap(), format!("ä/{row}.png"));
                assert!((f64::from(hit.cosine) - cosine).abs() < 1e-6);
            }
            assert_eq!(index.query(&query, 5000, Search::Exact).unwrap().len(), 3000);
        }
    }
}

#[test]
fn lists_reach_the_recall_asked_for_on_other_queries_too() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("it.index");
    let drawn = vectors(5200, 1);
    let (films, queries) = drawn.split_at(5000);
    let report = build(&path, films, Layout::Lists { recall: 0.95 });
    assert!(report.recall.unwrap() >= 0.95 && report.probes < report.lists / 2, "{report:?}");
    let index = Index::open(&path).unwrap();
    assert_eq!(index.lists(), (report.lists, report.probes));
    let mut found = 0;
    for query in queries {
        let exact = index.query(query, 10, Search::Exact).unwrap();
        let near = index.query(query, 10, index.default_search()).unwrap();
        found += exact.iter().filter(|hit| near.contains(hit)).count();
        assert_eq!(index.query(query, 10, Search::Probes(report.lists)).unwrap(), exact);
    }
    assert!(found >= 1860, "{found} of 2000");
}

#[test]
fn the_same_vectors_give_the_same_bytes() {
    let root = tempfile::tempdir().unwrap();
    let films = vectors(700, 3);
    for layout in [Layout::Flat, Layout::Lists { recall: 0.9 }] {
        let written = ["a", "b"].map(|name| {
            let path = root.path().join(name);
            build(&path, &films, layout);
            fs::read(path).unwrap()
        });
        assert!(written[0] == written[1]);
    }
}

#[test]
fn few_or_no_vectors_are_an_index_too() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("it.index");
    for rows in 0..4 {
        for layout in [Layout::Flat, Layout::Lists { recall: 1.0 }] {
            build(&path, &vectors(rows, 1), layout);
            let index = Index::open(&path).unwrap();
            assert_eq!(index.query(&[1.0; DIM], 10, index.default_search()).unwrap().len(), rows);
        }
    }
}

#[test]
fn what_cannot_be_indexed_or_searched_is_refused() {
    assert!(matches!(IndexBuilder::new("", "", 0), Err(BuildError::NoWidth)));
    let mut builder = IndexBuilder::new("", "", 2).unwrap();
    builder.push("a", &[1.0, 0.0]).unwrap();
    let mut refused = |id: &str, vector: &[f32]| builder.push(id, vector).unwrap_err().to_string();
    assert_eq!(refused("b", &[1.0]), "b: the vector has 1 values, the index takes 2");
    assert_eq!(refused("b", &[0.0, 0.0]), "b: the vector is zero or not finite");
    assert_eq!(refused("b", &[f32::NAN, 0.0]), "b: the vector is zero or not finite");
    assert_eq!(refused("a", &[1.0, 0.0]), "a is there already");
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("it.index");
    builder.write(&path, Layout::Flat).unwrap();
    let index = Index::open(&path).unwrap();
    assert_eq!(index.query(&[1.0], 1, Search::Exact), Err(QueryError::Width { expected: 2, actual: 1 }));
    assert_eq!(index.query(&[0.0; 2], 1, Search::Exact), Err(QueryError::NoDirection));
    assert_eq!(index.query(&[1.0; 2], 1, Search::Lists), Err(QueryError::NoLists));
    let builder = IndexBuilder::new("", "", 2).unwrap();
    assert!(matches!(builder.write(&path, Layout::Lists { recall: 1.5 }), Err(BuildError::Recall(_))));
}

#[test]
fn a_changed_byte_is_noticed_and_nothing_panics() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("it.index");
    build(&path, &vectors(60, 1), Layout::Lists { recall: 0.9 });
    let whole = fs::read(&path).unwrap();
    let message = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        Index::open(&path).unwrap_err().to_string()
    };
    assert!(message(b"").contains("not an index"));
    assert!(
        message(&[b"MEDCLIPV".as_slice(), &[3, 0, 0, 0, 0, 0, 0, 0]].concat()).contains("is of version 3")
    );
    for cut in (0..whole.len()).step_by(61) {
        message(&whole[..cut]);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for position in (0..200).chain((200..whole.len()).step_by(37)) {
        let mut bytes = whole.clone();
        bytes[position] ^= 1 << rng.random_range(0..8);
        let text = message(&bytes);
        assert!(text.starts_with(&format!("{}: ", path.display())), "{text}");
        // Not looked at closely, it may be read, but safely.
        if let Ok(index) = Index::open_unverified(&path)
            && let Ok(hits) = index.query(&vec![1.0; index.dim()], 5, index.default_search())
        {
            assert!(hits.iter().all(|hit| index.id(hit.row).unwrap().len() < 100));
        }
    }
}

#[test]
fn options_come_back_and_indexes_without_are_read() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("it.index");
    let options = [("frame", "2"), ("window", "40,400,sigmoid")];
    let options: std::collections::BTreeMap<String, String> =
        options.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let mut builder = IndexBuilder::new("tiny", "00ff", 2).unwrap().with_options(options.clone());
    builder.push("a.png", &[1.0, 2.0]).unwrap();
    builder.write(&path, Layout::Flat).unwrap();
    assert_eq!(Index::open(&path).unwrap().options(), Some(&options));

    // Without options, the same bytes but for the version are an index of version 1.
    let mut builder = IndexBuilder::new("tiny", "00ff", 2).unwrap();
    builder.push("a.png", &[1.0, 2.0]).unwrap();
    builder.write(&path, Layout::Flat).unwrap();
    for (version, is_read) in [(1, true), (2, true), (3, false), (0, false)] {
        let mut bytes = fs::read(&path).unwrap();
        bytes[8] = version;
        let other = root.path().join("other.index");
        fs::write(&other, bytes).unwrap();
        let index = Index::open_unverified(&other);
        assert_eq!(index.is_ok(), is_read, "version {version}");
        if let Ok(index) = index {
            assert_eq!((index.options(), index.id(0).unwrap().as_str()), (None, "a.png"));
        }
    }
}

/// A file that shrinks under a reader ended the program while it was mapped.
#[test]
fn an_index_that_is_cut_off_or_changed_after_it_was_opened_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("it.index");
    let films = vectors(3000, 1);
    for layout in [Layout::Flat, Layout::Lists { recall: 0.9 }] {
        for verify in [true, false] {
            for length in [0, 1000, 20_000, 150_000] {
                build(&path, &films, layout);
                let index =
                    if verify { Index::open(&path).unwrap() } else { Index::open_unverified(&path).unwrap() };
                fs::File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
                let truncated = ReadError::Truncated { path: path.clone() };
                for search in [Search::Exact, index.default_search()] {
                    let answer = index.query(&films[7], 10, search);
                    let is_read = search != Search::Exact && length > 20_000;
                    assert!(
                        is_read || answer == Err(QueryError::Read(truncated.clone())),
                        "{length}: {answer:?}"
                    );
                }
                assert_eq!(index.id(2), Err(truncated), "{length}");
            }
        }
    }
    build(&path, &films, Layout::Flat);
    let index = Index::open(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes.fill(0xff);
    fs::write(&path, bytes).unwrap();
    index.query(&films[7], 10, Search::Exact).unwrap();
    assert_eq!(index.id(2), Err(ReadError::Changed { path }));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_no_index() {
    let root = tempfile::tempdir().unwrap();
    let pipe = root.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let socket = root.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for path in [&pipe, &socket, Path::new("/dev/zero"), root.path()] {
        for opened in [Index::open(path), Index::open_unverified(path)] {
            assert!(opened.unwrap_err().to_string().starts_with(&path.display().to_string()));
        }
    }
}
