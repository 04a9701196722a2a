//! Files that once panicked, hung or took too much memory: `fuzz/regressions/`.
#![cfg(feature = "dicom")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

use std::fs;
use std::time::{Duration, Instant};

use medclip_decode::dicom::{self, DicomOptions};
use medclip_decode::{Limits, from_bytes};

const PLACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/regressions");

#[test]
fn files_that_once_failed_are_decoded_or_refused_in_time() {
    let limits = Limits::default();
    let mut count = 0;
    for entry in fs::read_dir(PLACE).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let start = Instant::now();
        let _ = from_bytes(&bytes, &limits);
        let _ = dicom::values(&bytes, &limits, &DicomOptions::default());
        assert!(start.elapsed() < Duration::from_secs(5), "{}", path.display());
        count += 1;
    }
    assert!(count > 0, "no files in {PLACE}");
}
