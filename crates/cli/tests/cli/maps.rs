//! `score --maps`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::setting::{images, json_lines, score, text};

/// Files of a film: its maps, and pictures of both classes, of which three would be drawn.
const FILES: usize = 1 + medclip_tests::CLASSES.len();

/// Names of the files in a directory, sorted.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn ends(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == ending)
}

/// Means of the maps in a file of NumPy.
fn means(file: &Path) -> Vec<f64> {
    let bytes = fs::read(file).unwrap();
    let length = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
    let classes = medclip_tests::CLASSES.len();
    assert!(header.contains(&format!("'shape': ({classes}, 8, 8)")), "{header}");
    let values: Vec<f64> = bytes[10 + length..]
        .chunks_exact(4)
        .map(|value| f64::from(f32::from_le_bytes(value.try_into().unwrap())))
        .collect();
    assert_eq!(values.len(), classes * 64);
    values.chunks_exact(64).map(|map| map.iter().sum::<f64>() / 64.0).collect()
}

fn logits(record: &Value) -> Vec<f64> {
    record["findings"].as_array().unwrap().iter().map(|finding| finding["logit"].as_f64().unwrap()).collect()
}

#[test]
fn a_map_averages_to_the_logit_and_has_its_picture() {
    let directory = images(&["a/film.png", "b/film.png"]);
    fs::write(directory.path().join("broken.png"), "no picture").unwrap();
    let inputs = ["a/film.png", "broken.png", "b/film.png"];
    let output = score(directory.path(), &[&["--format", "json", "--maps", "maps"], &inputs[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let plain = score(directory.path(), &[&["--format", "json"], &inputs[..]].concat());
    let (records, plain) = (json_lines(&output), json_lines(&plain));
    let maps = directory.path().join("maps");
    let files = names(&maps);
    let arrays: Vec<&String> = files.iter().filter(|name| ends(name, "npy")).collect();
    assert_eq!(arrays.len(), 2, "{files:?}");
    assert_eq!(files.len(), 2 * FILES, "of two films: {files:?}");
    for (record, plain) in [(&records[0], &plain[0]), (&records[2], &plain[2])] {
        let found = logits(record);
        assert!(found.iter().zip(logits(plain)).all(|(a, b)| (a - b).abs() < 1e-4), "scores stay");
        let agrees = |means: &[f64]| means.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-3);
        assert_eq!(arrays.iter().filter(|name| agrees(&means(&maps.join(name)))).count(), 1);
    }
    let picture = files.iter().find(|name| ends(name, "png")).unwrap();
    let picture = image::open(maps.join(picture)).unwrap().to_rgb8();
    assert!(picture.width() > 400 && picture.height() > 512);
    assert!(picture.pixels().any(|pixel| pixel[0].abs_diff(pixel[2]) > 60), "it has colors");
}

#[test]
fn classes_are_named_and_one_that_is_none_is_refused_at_once() {
    let directory = images(&["film.png"]);
    let named = ["--maps", "maps", "--maps-of", "Pleural Effusion", "film.png"];
    let output = score(directory.path(), &named);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let files = names(&directory.path().join("maps"));
    assert!(
        files.len() == 2 && files.iter().any(|name| name.ends_with(".pleural-effusion.png")),
        "{files:?}"
    );
    let output = score(directory.path(), &["--maps", "other", "--maps-of", "Efusion", "film.png"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.contains("the model has no class `Efusion`; its classes are") && output.stdout.is_empty(),
        "{said}"
    );
    assert!(!directory.path().join("other").exists());
}

#[test]
fn an_archive_has_maps_of_every_scored_film_and_stops_where_they_cannot_be_written() {
    let directory = images(&["a.png", "b.png", "c.png"]);
    let arguments = ["--output", "scores.csv", "--maps", "maps", "a.png", "b.png", "c.png"];
    fs::create_dir_all(directory.path().join("maps")).unwrap();
    let output = score(directory.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let files = names(&directory.path().join("maps"));
    assert_eq!(files.len(), 3 * FILES, "{files:?}");
    // A directory where a file should be: nothing of it may be lost, and no row counts.
    let blocked = files.iter().find(|name| name.starts_with("b-") && ends(name, "npy")).unwrap();
    fs::create_dir_all(directory.path().join("second").join(blocked).join("inside")).unwrap();
    let arguments = ["--output", "again.csv", "--maps", "second", "a.png", "b.png", "c.png"];
    let output = score(directory.path(), &arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot write a map"), "{}", text(&output.stderr));
    fs::remove_dir_all(directory.path().join("second")).unwrap();
    let output = score(directory.path(), &[&arguments[..], &["--resume"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(names(&directory.path().join("second")).len(), 3 * FILES);
}
