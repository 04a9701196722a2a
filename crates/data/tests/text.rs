//! Tables of text as spreadsheets, databases and people write them.
#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::fmt::Write as _;
use std::io::Write;

use medclip_data::{Column, Kind, Table, TableError, TableRow};
use proptest::prelude::*;

fn columns() -> [Column; 3] {
    [
        Column::required("path", Kind::Name),
        Column::required("report", Kind::Text),
        Column::optional("fold", Kind::Number),
    ]
}

fn open(bytes: &[u8]) -> Result<Table<'static>, TableError> {
    Table::from_bytes(bytes.to_vec(), &columns())
}

/// Paths and reports of all rows.
fn rows(bytes: &[u8]) -> Result<Vec<(String, String)>, TableError> {
    open(bytes)?.map(|row| row.map(|row| (row.cell(0).to_owned(), row.whole(1).to_owned()))).collect()
}

fn refused(bytes: &[u8]) -> String {
    rows(bytes).unwrap_err().to_string()
}

fn utf16(text: &str, is_big_endian: bool) -> Vec<u8> {
    text.encode_utf16()
        .flat_map(|unit| if is_big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() })
        .collect()
}

#[test]
fn an_open_mark_swallows_no_row() {
    let row_1 = "row 1 (line 2), column `";
    let cases = [
        // Never closed: at the end of the row, in its first cell, in its middle, in the last row.
        ("path,report\na.png,\"open\nb.png,x\n", row_1, "line 2 is never closed"),
        ("path,report\n\"a.png,open\nb.png,x\n", row_1, "line 2 is never closed"),
        ("fold,path,report\n0,\"a.png,open\n1,b.png,x\n", row_1, "line 2 is never closed"),
        ("path,report\na.png,x\nb.png,\"open", "row 2 (line 3), column `report`", "line 3 is never closed"),
        ("path,report\na.png,\"a\"\"\nb.png,x\n", row_1, "line 2 is never closed"),
        // Closed by the opening mark of a later row.
        ("path,report\na.png,\"open\nb.png,x\nc.png,\"open\"\n", row_1, "ends on line 4"),
        ("path,report\na.png,\"open\n\"b.png\",x\n", row_1, "ends on line 3"),
        ("path\treport\na.png\t\"open\nb.png\t\"x\"\n", row_1, "ends on line 3"),
        ("path;report\r\na.png;\"open\r\nb.png;x\r\nc.png;\"open\"\r\n", row_1, "ends on line 4"),
        // Closed by a mark at the end of a later row: a text of two lines by the letter of the standard.
        ("path,report\na.png,\"open\nb.png,x\"\n", row_1, "swallows line 3"),
        ("path,report\na.png,\"open\nb.png,x\nc.png,y\"\nd.png,z\n", row_1, "swallows line 3"),
        ("path,report\na.png,\"open\nb.png,\"\"\nc.png,\"\"\nd.png,\"\n", row_1, "swallows line 3"),
        ("path,report\na.png,\"open\rb.png,x\"\r", row_1, "swallows line 3"),
        ("path,report\na.png,\"open\nb.png,x, y, z\"\nc.png,y\n", row_1, "swallows line 3"),
        ("report,path\n\"open,a.png\nx, y\",b.png\n", row_1, "swallows line 3"),
        ("report,path\n\"open,a.png\nx\",b.png\n", row_1, "swallows line 3"),
        ("path,report\nCXR1_IM-0001,\"open\nCXR10_IM-0002,x\"\n", row_1, "swallows line 3"),
        ("path,report\n1,\"open\n2,x\"\n", row_1, "swallows line 3"),
        ("path,report\n1.2.840.1,\"open\n1.2.840.2,x\"\n", row_1, "swallows line 3"),
        // Text after a mark.
        ("path,report\na.png,\"a\"b\n", row_1, "text follows its closing mark"),
        ("path,report\na.png,\"\"quoted\"\"\n", row_1, "text follows its closing mark"),
        ("path,report\na.png,\"the \"heart\" is large\"\n", row_1, "text follows its closing mark"),
        // In the header.
        (
            "\"path\"x,report\na.png,y\n",
            "the header (line 1), column number 1",
            "text follows its closing mark",
        ),
        ("\"path,report\na.png,y\n", "the header (line 1), column number 1", "line 1 is never closed"),
        (
            "path,report,\"fold\na.png,x,0\"\nb.png,y,1\n",
            "the header (line 1), column number 3",
            "swallows line 2",
        ),
        // A path has no line breaks.
        ("path,report\n\"a.png\n\",x\n", row_1, "holds a line break"),
        ("path,report\n\"a.png,x\nb.png\",y\n", row_1, "line"),
    ];
    for (text, place, reason) in cases {
        let message = refused(text.as_bytes());
        assert!(message.starts_with(place) && message.contains(reason), "{text:?}: {message}");
    }
    // The rows before it are told apart, those after it are not.
    let mut table = open(b"path,report\na.png,x\nb.png,\"open\nc.png,y\n").unwrap();
    assert_eq!(table.next().unwrap().unwrap().cell(0), "a.png");
    let error = table.next().unwrap().unwrap_err();
    assert!(!error.is_of_one_row(), "{error}");
    assert!(table.next().is_none());
}

#[test]
fn reports_of_several_lines_are_texts() {
    let text = "path,report\r\n\
        a.png,\"FINDINGS:\r\nHeart normal, lungs clear.\n\n1, no effusion\r2,3 cm nodule, \"\"old\"\"\"\r\n\
        b.png,\"One\n\"\n";
    let report = "FINDINGS:\r\nHeart normal, lungs clear.\n\n1, no effusion\r2,3 cm nodule, \"old\"";
    let expected = [("a.png".to_owned(), report.to_owned()), ("b.png".to_owned(), "One\n".to_owned())];
    assert_eq!(rows(text.as_bytes()).unwrap(), expected);
    let list = rows(b"path,report\n1,\"FINDINGS:\n2, no effusion\n3. no edema, either\"\n").unwrap();
    assert_eq!(list[0].1.lines().count(), 3);
    // A mark in the middle of a cell without marks is text, as every reader takes it.
    assert_eq!(rows(b"path,report\na.png,tube 5\" above\n").unwrap()[0].1, "tube 5\" above");
    assert_eq!(rows(b"path, report\na.png, \"clear, old\" \n").unwrap()[0].1, "clear, old");
    // Names of columns may have line breaks too: spreadsheets wrap them.
    assert_eq!(rows(b"\"Patient\nID\",path,\"report\"\n1,a.png,x\n2,b.png,y\n").unwrap().len(), 2);
    let place = |row: Result<TableRow, TableError>| row.unwrap().place().to_string();
    let places: Vec<String> = open(text.as_bytes()).unwrap().map(place).collect();
    assert_eq!(places, ["row 1 (line 2)", "row 2 (line 7)"]);
}

#[test]
fn ragged_rows_are_refused_with_both_counts() {
    let cases = [
        ("path,report\na.png,x\nb.png\n", "row 2 (line 3): the row has 1 cells and the header 2"),
        ("path,report\na.png,x,y\n", "row 1 (line 2): the row has 3 cells and the header 2"),
        ("path;report\na.png;x;y\n", "row 1 (line 2): the row has 3 cells and the header 2"),
        (
            "path,report\n\n\na.png,No effusion, clear.\n",
            "row 1 (line 4): the row has 3 cells and the header 2",
        ),
        ("path\treport\na.png,x\n", "row 1 (line 2): the row has 1 cells and the header 2"),
        ("path,report\na.png,x,\n", "row 1 (line 2): the row has 3 cells and the header 2"),
        ("path,report,fold\na.png,Heart, large,\n", "row 1 (line 2): the row has 4 cells and the header 3"),
        ("path,report,,\na.png,x, y\n", "row 1 (line 2): the row has 3 cells and the header 4"),
        ("path,report,,\na.png,x\nb.png\n", "row 2 (line 3): the row has 1 cells and the header 4"),
    ];
    for (text, start) in cases {
        let message = refused(text.as_bytes());
        assert!(message.starts_with(start) && message.contains("`path`, `report`"), "{message}");
    }
    // Only that row is lost.
    let table = open(b"path,report\na.png\nb.png,x\n").unwrap();
    let read: Vec<_> = table
        .map(|row| row.map(|row| row.cell(0).to_owned()).map_err(|error| error.is_of_one_row()))
        .collect();
    assert_eq!(read, [Err(true), Ok("b.png".to_owned())]);
    // Spreadsheets write blank cells after the last column, in the header and in some rows or all.
    for text in ["path,report,,\na.png,x,,\n", "path,report,,\na.png,x,\n", "path,report,,\na.png,x\n"] {
        assert_eq!(rows(text.as_bytes()).unwrap(), [("a.png".to_owned(), "x".to_owned())], "{text:?}");
    }
    let table = open(b"path,report\n,\n \n").unwrap();
    assert_eq!(
        table.map(|row| row.map(|row| row.is_blank()).map_err(drop)).collect::<Vec<_>>(),
        [Ok(true), Err(())]
    );
}

#[test]
fn the_header_tells_the_separator() {
    let expected = [("a.png".to_owned(), "Heart 1,5; large | old".to_owned())];
    for separator in [",", ";", "\t", "|"] {
        for (start, end) in [("", "\n"), ("", "\r\n"), ("", "\r"), ("\u{feff}", "\n"), ("\n\n", "\n")] {
            let text = format!(
                "{start}id{separator}path{separator}report{end}1{separator}a.png{separator}\"Heart 1,5; large | old\"{end}"
            );
            assert_eq!(rows(text.as_bytes()).unwrap(), expected, "{text:?}");
        }
        for said in
            [format!("sep={separator}\r\n"), format!("\"sep={separator}\"\n"), format!("SEP={separator}\n")]
        {
            let text = format!("{said}path{separator}report\na.png{separator}\"Heart 1,5; large | old\"\n");
            assert_eq!(rows(text.as_bytes()).unwrap(), expected, "{text:?}");
            let table = open(text.as_bytes()).unwrap();
            let lines: Vec<_> = table.map(|row| row.unwrap().place().line).collect();
            assert_eq!(lines, [Some(3)]);
        }
    }
    // What a first line says holds for characters that no header would be tried with.
    assert_eq!(rows(b"sep=#\npath#report\na.png#x\n").unwrap()[0].1, "x");
    // Other separators are in names and cells.
    assert_eq!(rows(b"path;report;a,b,c\na.png;x, y;1\n").unwrap()[0].1, "x, y");
    // One column has none, so a row with one is too long.
    let one = [Column::required("path", Kind::Name)];
    let read = |text: &str| {
        Table::from_bytes(text.as_bytes().to_vec(), &one)
            .unwrap()
            .map(|row| row.map(|row| row.cell(0).to_owned()))
            .collect::<Result<Vec<_>, _>>()
    };
    assert_eq!(read("path\na b.png\nc.png").unwrap(), ["a b.png", "c.png"]);
    assert!(read("path\na,b.png\n").unwrap_err().to_string().contains("2 cells and the header 1"));
    let error = Table::from_bytes(b"path,x;path\n".to_vec(), &one).unwrap_err();
    assert!(matches!(error, TableError::AmbiguousSeparator { .. }), "{error}");
}

#[test]
fn columns_are_named_where_one_is_missing_or_there_twice() {
    for (text, message) in [
        ("id,text\n", "column `path` is missing; the columns are `id`, `text`"),
        ("id;file;text\n1;a;b\n", "column `path` is missing; the columns are `id`, `file`, `text`"),
        ("path\n", "column `report` is missing; the columns are `path`"),
        ("path:report\n", "column `path` is missing; the columns are `path:report`"),
        ("path,report,path\n", "column `path` is there twice, as columns 1 and 3; rename one of them"),
        ("Path,report,PATH\n", "column `path` is there twice, as columns 1 and 3; rename one of them"),
        ("path,report,fold,fold\n", "column `fold` is there twice, as columns 3 and 4; rename one of them"),
        ("", "the table is empty: its first line must name the columns"),
        ("\n\r\n", "the table is empty: its first line must name the columns"),
    ] {
        assert_eq!(refused(text.as_bytes()), message, "{text:?}");
    }
    for header in [
        "path,report",
        " path , report ",
        "Path,REPORT",
        "\"path\",\"report\"",
        "path,report,x,x",
        "PATH,path,report",
    ] {
        let columns = header.split(',').count();
        let mut cells = vec!["r"; columns];
        cells[columns - 2 - usize::from(columns > 3) * (columns - 2)] = "a.png";
        if header.starts_with("PATH") {
            cells = vec!["other.png", "a.png", "r"];
        }
        let text = format!("{header}\n{}\n", cells.join(","));
        assert_eq!(rows(text.as_bytes()).unwrap(), [("a.png".to_owned(), "r".to_owned())], "{header:?}");
    }
    let wide = (0..100).map(|column| format!("c{column}")).collect::<Vec<_>>().join(",");
    assert!(refused(wide.as_bytes()).ends_with("`c29` and 70 more"));
}

#[test]
fn unicode_is_read_and_other_bytes_are_refused_where_they_count() {
    let text = "path,report\nä.png,Großes Herz 𝄞\n";
    let expected = [("ä.png".to_owned(), "Großes Herz 𝄞".to_owned())];
    let marked = format!("\u{feff}{text}");
    for bytes in [
        text.as_bytes().to_vec(),
        marked.clone().into_bytes(),
        utf16(text, false),
        utf16(text, true),
        utf16(&marked, false),
        utf16(&marked, true),
    ] {
        assert_eq!(rows(&bytes).unwrap(), expected);
    }
    let long = format!("path,report\n{}", "a.png,Großes Herz 𝄞\n".repeat(3000));
    assert!(rows(&utf16(&long, true)).unwrap().iter().all(|row| row.1 == "Großes Herz 𝄞"));

    // Latin-1, in the column and in another.
    let wrong = b"path,report,note\na.png,x,y\nb.png,Gro\xdf,y\nc.png,x,Gro\xdf\n";
    let read: Vec<_> = open(wrong).unwrap().map(|row| row.map_err(|error| error.to_string())).collect();
    let message = "row 2 (line 3), column `report`: byte 0xdf is not UTF-8 text; save the table as UTF-8";
    assert_eq!(read[1].as_ref().unwrap_err(), message);
    assert!(read[0].is_ok() && read[2].is_ok());
    // Half of a pair, and half of a unit.
    let mut half = utf16("\u{feff}path,report\na.png,x", false);
    half.extend_from_slice(&0xd834_u16.to_le_bytes());
    assert!(refused(&half).starts_with("row 1 (line 2), column `report`: byte 0xed is not UTF-16 text"));
    half.pop();
    assert!(refused(&half).contains("is not UTF-16 text"));

    assert_eq!(
        refused(b"path,report\na.png,x\0y\n"),
        "line 2 contains a NUL byte, which no text has; the file is damaged or not a table"
    );
    for (bytes, name) in [
        (&b"PK\x03\x04\x14\0\x06\0"[..], "Excel workbook (.xlsx)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel workbook (.xls)"),
        (b"\x28\xb5\x2f\xfd\0", "zstd"),
        (b"ARROW1\0\0", "Feather"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        (&[0xff, 0xfe, 0, 0, b'p', 0, 0, 0], "UTF-32"),
    ] {
        let message = refused(bytes);
        assert!(message.starts_with("not a CSV file: it is ") && message.contains(name), "{message}");
    }
}

#[test]
fn gzip_is_read_and_a_cut_stream_is_an_error() {
    let text = (0..5000).fold("path,report\n".to_owned(), |text, row| text + &format!("{row}.png,x{row}\n"));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    assert_eq!(rows(&packed).unwrap().len(), 5000);
    let message = refused(&packed[..packed.len() - 20]);
    assert!(message.starts_with("cannot read line "), "{message}");
    let mut twice = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    twice.write_all(&packed).unwrap();
    assert!(refused(&twice.finish().unwrap()).contains("compressed twice"));
}

#[test]
fn rows_without_end_are_refused_within_the_limits() {
    let endless = |start: &str, unit: &str| {
        let text = format!("path,report\n{start}{}", unit.repeat((17 << 20) / unit.len()));
        refused(text.as_bytes())
    };
    assert!(endless("a.png,\"", "b.png;x\n").contains("opens on line 2 is never closed"));
    assert!(endless("a.png,", "x").contains("more than 16777216 bytes"));
    assert!(endless("a.png", ",").contains("more than 65536 cells"));
    let header = "x".repeat(3 << 20);
    assert!(refused(header.as_bytes()).contains("does not end within 1048576 bytes"));
}

fn quoted(cell: &str, separator: char) -> String {
    let is_plain = !cell.contains([separator, '"', '\n', '\r']) && cell.trim() == cell && !cell.is_empty();
    if is_plain { cell.to_owned() } else { format!("\"{}\"", cell.replace('"', "\"\"")) }
}

proptest! {
    /// What is written by the standard is read as it was, whatever the separator, the encoding and the ends of lines.
    #[test]
    fn what_is_written_by_the_standard_is_read_as_it_was(
        texts in proptest::collection::vec("[a-z\"\r\n,;|\t ä𝄞.]{0,20}", 1..8),
        separator in proptest::sample::select(vec![',', ';', '\t', '|']),
        end in proptest::sample::select(vec!["\n", "\r\n", "\r"]),
        form in 0..3,
    ) {
        let mut file = format!("path{separator}report{end}");
        for (row, text) in texts.iter().enumerate() {
            write!(file, "{row}.png{separator}{}{end}", quoted(text, separator)).unwrap();
        }
        let bytes = match form {
            0 => file.into_bytes(),
            1 => utf16(&format!("\u{feff}{file}"), false),
            _ => utf16(&format!("\u{feff}{file}"), true),
        };
        let read: Vec<String> = rows(&bytes).unwrap().into_iter().map(|row| row.1).collect();
        prop_assert_eq!(read, texts);
    }

    /// Of two marks that are taken away from a sound table, each alone, no row is given the text of another.
    #[test]
    fn a_lost_mark_never_gives_a_row_the_text_of_another(
        rows_of in proptest::collection::vec("[a-z ,]{0,12}", 2..8),
        lost in any::<prop::sample::Index>(),
    ) {
        let mut file = "path,report\n".to_owned();
        for (row, text) in rows_of.iter().enumerate() {
            writeln!(file, "{row}.png,\"{text}#{row}\"").unwrap();
        }
        let marks: Vec<usize> = file.match_indices('"').map(|(at, _)| at).collect();
        file.remove(marks[lost.index(marks.len())]);
        if let Ok(table) = open(file.as_bytes()) {
            for row in table.map_while(Result::ok) {
                let number = row.cell(0).trim_end_matches(".png").to_owned();
                let text = row.whole(1);
                prop_assert!(text.matches('#').count() == 1 && text.contains(&format!("#{number}")), "{file:?}");
            }
        }
    }
}
