//! Rows as JSON lines.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use medclip_scorer::Report;

pub(super) fn encode(rows: &[Report]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut bytes, row)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

pub(super) fn join(files: &[PathBuf], out: &mut (dyn Write + Send)) -> io::Result<()> {
    for file in files {
        io::copy(&mut File::open(file)?, out)?;
    }
    Ok(())
}
