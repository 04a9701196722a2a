//! Every image that comes with pydicom, decoded as pydicom does or refused by name.
//!
//! `.ci/pydicom` writes what pydicom gives and prints where. `MEDCLIP_PYDICOM` is that directory, `MEDCLIP_REQUIRE_PYDICOM=1`
//! makes its absence a failure:
//!
//! ```sh
//! MEDCLIP_PYDICOM=$(.ci/pydicom) cargo test -p medclip-decode --all-features --test pydicom
//! ```
//!
//! What came of each file is in `golden/dicom.tsv`: `decoded` where neither values nor gray levels differ by more than one, the
//! differences allowed where decoders round lossy color apart (`decoded, values within 3, gray within 2`), or the refusal. Where it changes, `MEDCLIP_PYDICOM_TABLE=FILE` writes the table as it is
//! now. Files that are not in the table (of further directories that the script was given) are only compared.
#![cfg(all(feature = "dicom", feature = "jpeg2000"))]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that may be skipped says so")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use medclip_decode::Limits;
use medclip_decode::dicom::{self, DicomOptions};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/dicom.tsv");

/// A line of the index.
struct Expected {
    name: String,
    path: PathBuf,
    frame: u32,
    status: String,
    /// Rows, columns, samples.
    shape: [u32; 3],
    number: usize,
}

#[test]
fn every_file_is_decoded_as_pydicom_does_or_refused_by_name() {
    let Some(place) = env::var_os("MEDCLIP_PYDICOM").map(PathBuf::from) else {
        assert!(env::var_os("MEDCLIP_REQUIRE_PYDICOM").is_none(), "MEDCLIP_PYDICOM names no directory");
        eprintln!("skipped: MEDCLIP_PYDICOM names no directory that .ci/pydicom has written");
        return;
    };
    let committed = committed();
    let mut now = String::new();
    let mut failures = Vec::new();
    let mut seen = 0;
    for expected in index(&place) {
        let allowed = committed.get(&(expected.name.clone(), expected.frame));
        let outcome = outcome(&place, &expected, allowed.map(String::as_str));
        let line = format!("{}\t{}\t{outcome}", expected.name, expected.frame);
        writeln!(now, "{line}").unwrap();
        if outcome.starts_with("differs") {
            failures.push(line.clone());
        }
        match allowed {
            Some(committed) if *committed == outcome => seen += 1,
            Some(committed) => failures.push(format!("{line}\n    was: {committed}")),
            None => eprintln!("not in the table: {line}"),
        }
    }
    if let Some(file) = env::var_os("MEDCLIP_PYDICOM_TABLE") {
        fs::write(file, &now).unwrap();
    }
    assert!(failures.is_empty(), "{} files:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(seen, committed.len(), "files of the table that the index lacks");
}

fn index(place: &Path) -> Vec<Expected> {
    let text = fs::read_to_string(place.join("index.tsv")).unwrap();
    let lines = text.lines().enumerate().map(|(number, line)| {
        let fields: Vec<_> = line.split('\t').collect();
        let [name, path, frame, status, rows, columns, samples] = fields[..] else { panic!("{line}") };
        Expected {
            name: name.to_owned(),
            path: path.into(),
            frame: frame.parse().unwrap(),
            status: status.to_owned(),
            shape: [rows, columns, samples].map(|side| side.parse().unwrap()),
            number,
        }
    });
    lines.collect()
}

fn committed() -> BTreeMap<(String, u32), String> {
    let text = fs::read_to_string(TABLE).unwrap();
    let line = |line: &str| {
        let mut fields = line.splitn(3, '\t');
        let mut field = || fields.next().unwrap().to_owned();
        ((field(), field().parse().unwrap()), field())
    };
    text.lines().map(line).collect()
}

/// What came of a frame. `allowed` is the table's word on it.
fn outcome(place: &Path, expected: &Expected, allowed: Option<&str>) -> String {
    let bytes = fs::read(&expected.path).unwrap();
    let limits = Limits::default();
    let options = DicomOptions { frame: expected.frame, square_pixels: false, ..DicomOptions::default() };
    let values = dicom::values(&bytes, &limits, &options);
    let film = dicom::from_bytes(&bytes, &limits, &options);
    let pydicom_fails = expected.status != "ok";
    let (values, film) = match (values, film) {
        (Ok(values), Ok(film)) => (values, film),
        (Err(reason), _) | (Ok(_), Err(reason)) => {
            let other = if pydicom_fails { ", pydicom cannot either" } else { "" };
            return format!("refused{other}: {}: {reason}", reason.code());
        }
    };
    if pydicom_fails {
        return "decoded, pydicom cannot".to_owned();
    }
    let read = |kind: &str| fs::read(place.join(format!("{}.{kind}", expected.number))).unwrap();
    let gray = read("grey");
    let numbers = read("values");
    let numbers: Vec<_> = numbers.as_chunks().0.iter().map(|eight| f64::from_le_bytes(*eight)).collect();
    let shape = [values.height, values.width, u32::from(values.samples)];
    if shape != expected.shape || film.image.pixels().len() != gray.len() {
        return format!("differs: shape {shape:?}, pydicom {:?}", expected.shape);
    }
    let pairs = values.data.iter().zip(&numbers);
    // Luma and chroma are compared as what they become: gray.
    let of_values = if film.photometric.starts_with("YBR_FULL") {
        0.0
    } else {
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    let of_gray = film.image.pixels().iter().zip(&gray).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    if of_values <= 1.0 && of_gray <= 1 {
        return "decoded".to_owned();
    }
    match allowed.and_then(within) {
        Some((values, gray)) if of_values <= values && of_gray <= gray => allowed.unwrap().to_owned(),
        _ => format!("differs: values by {of_values}, grey by {of_gray}"),
    }
}

/// The differences that a line of the table allows.
fn within(outcome: &str) -> Option<(f64, u8)> {
    let (values, gray) = outcome.strip_prefix("decoded, values within ")?.split_once(", grey within ")?;
    Some((values.parse().ok()?, gray.parse().ok()?))
}
