//! Damaged tables: no panic, no hang, memory within limits.
//!
//! `cargo test` runs a few thousand mutations. Many more, with the slowest file and, on Linux, the peak of memory:
//!
//! ```sh
//! MEDCLIP_MUTATIONS=40000 cargo test --release -p medclip-data --features parquet --test mutations -- --nocapture
//! ```
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a long test reports what it saw")]

#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use medclip_data::{Column, Kind, Table};

/// Rows of a damaged file that are read: one may state any number.
const MOST_ROWS: usize = 20_000;

/// Reads all rows; whether there was no error.
fn is_sound(bytes: &[u8]) -> bool {
    let columns = [
        Column::required("path", Kind::Name),
        Column::required("report", Kind::Text),
        Column::optional("id", Kind::Name),
        Column::optional("edema", Kind::Number),
        Column::optional("pneumonia", Kind::Number),
    ];
    let Ok(table) = Table::from_bytes(bytes.to_vec(), &columns) else { return false };
    let mut is_sound = true;
    for row in table.take(MOST_ROWS) {
        match row {
            Ok(row) => assert!((0..columns.len()).all(|column| row.cell(column).len() <= bytes.len() << 12)),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                is_sound = false;
            }
        }
    }
    is_sound
}

#[test]
fn damaged_text_neither_panics_nor_hangs_nor_outgrows_the_limits() {
    let text = "id,path,report,edema\r\n\
        1,a.png,\"Clear; lungs,\nno effusion.\",1\r\n2,b.png,,0\r\n3,\"c \"\"d\"\".png\",tube 5\" above,\r\n,,,\r\n";
    let utf16 = |text: &str| {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let seeds: Vec<(String, Vec<u8>)> = vec![
        ("comma".to_owned(), text.repeat(3).into()),
        ("semicolon".to_owned(), format!("sep=;\r\n{}", text.replace(',', ";")).into()),
        ("tab".to_owned(), text.replace(',', "\t").replace("\r\n", "\r").into()),
        ("UTF-16".to_owned(), utf16(text)),
        ("UTF-8".to_owned(), format!("\u{feff}{}", text.replace("Clear", "Große 𝄞")).into()),
        ("gzip".to_owned(), gzip(text.as_bytes())),
    ];
    support::run("texts", &seeds, 6000, |_, bytes| is_sound(bytes));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, bytes).unwrap();
    gzip.finish().unwrap()
}

#[cfg(feature = "parquet")]
#[test]
fn damaged_parquet_neither_panics_nor_hangs_nor_outgrows_the_limits() {
    let mut seeds = Vec::new();
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|end| end == "parquet") {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            seeds.push((name, std::fs::read(path).unwrap()));
        }
    }
    seeds.sort();
    assert!(seeds.len() > 10);
    // What the reader panics of is an error; its messages would hide what this test reports.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    support::run("Parquet files", &seeds, 3000, |_, bytes| is_sound(bytes));
    std::panic::set_hook(hook);
}
