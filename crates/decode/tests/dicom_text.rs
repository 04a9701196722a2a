//! Identifiers: every character set of the standard, and no two that become one.
#![cfg(feature = "dicom")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use std::collections::HashSet;

use medclip_decode::dicom::{self, DicomOptions, Rendering};
use medclip_decode::{Limits, Note, PatientFields};

use support::{Builder, IMPLICIT, Value};

fn film(set: Option<&str>, id: &[u8], change: impl Fn(Builder) -> Builder) -> Rendering {
    let mut builder = Builder::gray(1, 1, 8).bytes(&[1]).set(0x0010_0020, *b"LO", Value::Bytes(id.to_vec()));
    if let Some(set) = set {
        builder = builder.text(0x0008_0005, *b"CS", set);
    }
    let options = DicomOptions {
        patient: PatientFields { id: true, ..PatientFields::default() },
        ..DicomOptions::default()
    };
    dicom::from_bytes(&change(builder).file(), &Limits::default(), &options).unwrap()
}

fn patient(set: Option<&str>, id: &[u8]) -> String {
    film(set, id, |builder| builder).identity.patient_id.unwrap()
}

#[test]
fn patients_keep_their_ids() {
    for (set, id, expected) in [
        (Some("GB18030"), &b"\xd5\xc5\xc8\xfd-7"[..], "张三-7"),
        (Some("GBK"), b"\xc0\xee\xcb\xc4-7", "李四-7"),
        (Some("ISO_IR 192"), "李四-7".as_bytes(), "李四-7"),
        (Some("ISO_IR 100"), b"M\xfcller-7", "Müller-7"),
        (Some("ISO_IR 144"), b"\xb8\xb4-7", "ИД-7"),
        (Some("ISO_IR 13"), b"\xd4\xcf\xc0\xde", "ﾔﾏﾀﾞ"),
        (Some("\\ISO 2022 IR 87"), b"\x1b$B;3ED\x1b(B-7", "山田-7"),
        (Some("\\ISO 2022 IR 149"), b"\x1b$)C\xb1\xe8\xc8\xf1\xc1\xdf", "김희중"),
        (Some("ISO 2022 IR 100\\ISO 2022 IR 126"), b"\xe9\x1b-F\xc4", "éΔ"),
        (None, b"ID-0001", "ID-0001"),
        (None, "Müller".as_bytes(), "Müller"),
    ] {
        assert_eq!(patient(set, id), expected, "{set:?}");
        let implicit = film(set, id, |builder| builder.syntax(IMPLICIT));
        assert_eq!((implicit.identity.patient_id.as_deref(), &implicit.notes[..]), (Some(expected), &[][..]));
    }
}

#[test]
fn no_two_patients_become_one() {
    for set in
        [None, Some("ISO_IR 6"), Some("ISO_IR 192"), Some("GB18030"), Some("KLINGON"), Some("ISO_IR 127")]
    {
        let mut seen = HashSet::new();
        for id in [
            &b"ID-\xd5\xc5"[..],
            b"ID-\xc0\xee",
            b"ID-\xff\xfe",
            b"ID-\xff",
            b"ID-\\xff",
            b"ID-\\x5cxff",
            b"ID-\x81",
            b"ID-\x1b[0m",
            b"ID-\n1",
            b"ID-1",
            b"ID-?",
            "ID-\u{fffd}".as_bytes(),
            "ID-\u{200b}1".as_bytes(),
        ] {
            let id = patient(set, id);
            assert!(!id.chars().any(char::is_control), "{id:?}");
            assert!(seen.insert(id.clone()), "{id} in {set:?}");
        }
    }
}

#[test]
fn what_no_set_has_is_escaped_and_noted() {
    let codes = |film: &Rendering| film.notes.iter().map(Note::code).collect::<Vec<_>>();
    let escaped = film(Some("ISO_IR 192"), b"M\xfcller", |builder| builder);
    assert_eq!(
        (escaped.identity.patient_id.as_deref(), codes(&escaped)),
        (Some("M\\xfcller"), vec!["text_escaped"])
    );
    let unknown = film(Some("KLINGON"), b"ID", |builder| builder);
    assert_eq!(
        (unknown.identity.patient_id.as_deref(), codes(&unknown)),
        (Some("ID"), vec!["character_set_unknown"])
    );
    // Nothing is noted of a patient who is not named.
    let bytes =
        Builder::gray(1, 1, 8).bytes(&[1]).set(0x0010_0020, *b"LO", Value::Bytes(b"M\xfcller".to_vec()));
    let film = dicom::from_bytes(&bytes.file(), &Limits::default(), &DicomOptions::default()).unwrap();
    assert_eq!((film.identity.patient_id, film.notes), (None, vec![]));
}

#[test]
fn other_texts_are_decoded_and_trimmed() {
    let film = film(Some("ISO_IR 100"), b"7", |builder| {
        builder
            .set(0x0008_0018, *b"UI", Value::Bytes(b"1.2.3.4.5\0\0 ".to_vec()))
            .set(0x0008_0060, *b"CS", Value::Bytes(b"CR\0old!".to_vec()))
            .set(0x0020_000d, *b"UI", Value::Bytes(b" 1.2.3.4 \0".to_vec()))
            .set(0x0018_0015, *b"CS", Value::Bytes(b"BR\xdcST ".to_vec()))
            .set(0x0018_5101, *b"CS", Value::Bytes(b"PA\x1b[31m".to_vec()))
    });
    let identity = film.identity;
    assert_eq!(identity.sop_instance_uid.as_deref(), Some("1.2.3.4.5"));
    assert_eq!(identity.study_instance_uid.as_deref(), Some("1.2.3.4"));
    assert_eq!(identity.modality.as_deref(), Some("CR"));
    assert_eq!(identity.body_part.as_deref(), Some("BRÜST"));
    assert_eq!(identity.view_position.as_deref(), Some("PA\\x1b[31m"));
    // Messages hold no controls either.
    let report = Builder::gray(1, 1, 8).set(0x0008_0060, *b"CS", Value::Bytes(b"SR\x1b[31m".to_vec()));
    let error = dicom::from_bytes(&report.file(), &Limits::default(), &DicomOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "holds no pixel data (Modality SR\\x1b[31m)");
}
