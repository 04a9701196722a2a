//! Cells, columns and forms of a manifest.

use super::*;
use crate::fixture::{self, Row};

#[test]
fn reads_every_kind_of_cell() {
    let mut row = Row::new("a.png", "p1");
    row.findings = vec![
        (Finding::Edema, "1"),
        (Finding::Fracture, "-1.0"),
        (Finding::Pneumonia, "0"),
        (Finding::Cardiomegaly, ""),
    ];
    row.text = "Clear lungs, as before.";
    let records = read_manifest_from(fixture::manifest(&[row]).as_bytes()).unwrap();
    let record = &records[0];
    assert_eq!(record.annotations[Finding::Edema.index()], Annotation::Present);
    assert_eq!(record.annotations[Finding::Fracture.index()], Annotation::Uncertain);
    assert_eq!(record.annotations[Finding::Pneumonia.index()], Annotation::Absent);
    assert_eq!(record.annotations[Finding::Cardiomegaly.index()], Annotation::NotAnnotated);
    assert_eq!(record.text.as_deref(), Some("Clear lungs, as before."));
    assert_eq!(record.present().collect::<Vec<_>>(), [Finding::Edema]);
    assert_eq!((record.split, record.fold), (Split::Train, Some(0)));
}

#[test]
fn names_the_missing_column() {
    let text = fixture::manifest(&[]).replace("Pleural Other", "Pleural Else");
    let error = read_manifest_from(text.as_bytes()).unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with("column `Pleural Other` is missing; the columns are `path`, `split`"),
        "{message}"
    );
    assert!(message.contains("`Pleural Else`"), "{message}");
}

#[test]
fn names_line_and_column_of_a_wrong_cell() {
    let mut wrong = Row::new("b.png", "p2");
    wrong.findings = vec![(Finding::LungLesion, "yes")];
    let text = fixture::manifest(&[Row::new("a.png", "p1"), wrong]);
    let error = read_manifest_from(text.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "row 2 (line 3), column `Lung Lesion`: `yes` is not 1, 0, -1 or blank");
}

#[test]
fn a_mark_that_never_closes_swallows_no_row() {
    let mut rows = vec![Row::new("a.png", "p1"), Row::new("b.png", "p2"), Row::new("c.png", "p3")];
    rows[2].findings = vec![(Finding::Pneumothorax, "1")];
    let text = fixture::manifest(&rows);
    let message = |text: &str| read_manifest_from(text.as_bytes()).unwrap_err().to_string();
    // The reports of the rows are `""`: one mark less, and what follows is a report.
    let open = text.replacen(",\"\"\n", ",\"\n", 1);
    assert!(message(&open).starts_with("row 1 (line 2), column `text`: "), "{}", message(&open));
    let path = text.replacen("\na.png", "\n\"a.png", 1);
    assert!(message(&path).starts_with("row 1 (line 2), column `path`: "), "{}", message(&path));
    let last = text.replacen("c.png,train", "c.png,\"train", 1);
    assert!(message(&last).starts_with("row 3 (line 4), column `split`: "), "{}", message(&last));
}

#[test]
fn any_spreadsheet_says_the_same() {
    let mut row = Row::new("a.png", "p1");
    row.findings = vec![(Finding::Edema, "1")];
    row.text = "Clear; lungs as before.";
    let comma = fixture::manifest(&[row]);
    let read = |bytes: &[u8]| {
        let record = read_manifest_from(bytes).unwrap().remove(0);
        (record.path, record.fold, record.patient_id, record.annotations, record.text)
    };
    let expected = read(comma.as_bytes());
    let semicolon = comma.replace(',', ";");
    let utf16 = |text: &str| {
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    };
    let trailing = semicolon.replace('\n', ";;\r\n") + &";".repeat(24) + "\r\n";
    let forms = [
        semicolon.clone().into_bytes(),
        format!("sep=;\r\n{semicolon}").into_bytes(),
        trailing.into_bytes(),
        utf16(&comma.replace(',', "\t")),
        format!("\u{feff}{comma}").into_bytes(),
        comma.replace('\n', "\r").into_bytes(),
    ];
    for form in forms {
        assert_eq!(read(&form), expected, "{}", String::from_utf8_lossy(&form));
    }
}

#[test]
fn one_image_has_one_row() {
    let rows = ["a.png", "b.png", "a.png"].map(|path| Row::new(path, "p"));
    let error = read_manifest_from(fixture::manifest(&rows).as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "row 3 (line 4), column `path`: `a.png` is also on row 1 (line 2)");
    assert!(!error.unnamed().contains("a.png") && error.unnamed().contains("row 1 (line 2)"));
}
