//! Small manifests for the tests of this crate.

mod rows;

use crate::manifest::{Record, read_manifest_from};

pub(crate) use self::rows::{Row, manifest};

pub(crate) fn records(rows: &[Row]) -> Vec<Record> {
    read_manifest_from(manifest(rows).as_bytes()).unwrap()
}
