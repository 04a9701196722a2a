//! Odd files that other programs read, or fail to read, in other ways.
//!
//! `golden/odd.py` writes them, with the levels that are right, and the table of what others make of them. `MEDCLIP_ODD` is the
//! directory that it wrote:
//!
//! ```sh
//! python crates/decode/tests/golden/odd.py ODD && MEDCLIP_ODD=ODD cargo test -p medclip-decode --features dicom --test odd
//! ```
//!
//! `golden/odd.tsv` explains every difference. The same kinds are made and tested in Rust in `dicom_structure.rs`,
//! `dicom_attributes.rs` and `dicom_text.rs`, without Python.
#![cfg(feature = "dicom")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that may be skipped says so")]

use std::path::{Path, PathBuf};
use std::{env, fs};

use medclip_decode::{Film, Limits, from_bytes};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/odd.tsv");

#[test]
fn odd_files_are_right_or_refused_as_the_table_says() {
    let Some(place) = env::var_os("MEDCLIP_ODD").map(PathBuf::from) else {
        eprintln!("skipped: MEDCLIP_ODD names no directory that golden/odd.py has written");
        return;
    };
    let table = fs::read_to_string(TABLE).unwrap();
    let failures: Vec<String> = table.lines().filter_map(|line| failure(&place, line)).collect();
    assert!(failures.is_empty(), "{} files:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_table_explains_every_difference() {
    let table = fs::read_to_string(TABLE).unwrap();
    assert!(table.lines().count() >= 60);
    for line in table.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [_, ours, pydicom, dcmtk, dicom_rs, why] = fields[..] else { panic!("{line}") };
        let agreed = if ours == "right" { "right" } else { "fails" };
        let agree = [pydicom, dcmtk, dicom_rs].iter().all(|other| *other == agreed);
        assert_eq!(why.is_empty(), agree, "{line}");
    }
}

/// What is wrong with a file of the table.
fn failure(place: &Path, line: &str) -> Option<String> {
    let mut fields = line.split('\t');
    let (name, expected) = (fields.next().unwrap(), fields.next().unwrap());
    let bytes = fs::read(place.join(format!("{name}.dcm"))).unwrap();
    let outcome = match (from_bytes(&bytes, &Limits::default()), expected) {
        (Err(_), "refused") => return None,
        (Ok(Film { image, .. }), "right") => {
            let right = fs::read(place.join(format!("{name}.grey"))).unwrap();
            let near = |(a, b): (&u8, &u8)| a.abs_diff(*b) <= 1;
            if image.pixels().len() == right.len() && image.pixels().iter().zip(&right).all(near) {
                return None;
            }
            "other levels".to_owned()
        }
        (Ok(_), _) => "decoded".to_owned(),
        (Err(reason), _) => reason.to_string(),
    };
    Some(format!("{name}: {outcome}"))
}
