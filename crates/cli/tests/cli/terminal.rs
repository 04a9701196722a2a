//! Foreign text on standard output and standard error: it controls no terminal, whatever it comes from.

use std::fs;
use std::path::Path;
use std::process::Output;

use medclip_core::terminal::is_harmful;
use medclip_tests::PROMPTS;
use serde_json::Value;

use crate::setting::{bundle, images, json_lines, medclip, score, text};

/// An escape sequence, a C1 control, a carriage return and a mark of direction, without a line break.
const HARM: &str = "\u{1b}]0;owned\u{7}\u{9b}2J\r\u{202e}";
/// How it is shown.
const SHOWN: &str = "\\u{1b}]0;owned\\u{7}\\u{9b}2J\\u{d}\\u{202e}";

/// What a command says on both outputs, which has no harmful character but line ends.
fn said(output: &Output) -> [String; 2] {
    [&output.stdout, &output.stderr].map(|bytes| {
        let said = text(bytes);
        assert!(!said.chars().any(|c| is_harmful(c) && c != '\n'), "{said:?}");
        said
    })
}

/// Runs a command in a directory and returns what it says on standard error.
fn complaint(directory: &Path, arguments: &[&str]) -> String {
    let output = medclip(arguments).current_dir(directory).output().unwrap();
    assert_ne!(output.status.code(), Some(0), "{arguments:?}");
    let [_, errors] = said(&output);
    errors
}

#[test]
fn names_of_files_are_shown_and_not_obeyed() {
    let directory = images(&["films/plain.png"]);
    let films = directory.path().join("films");
    let picture = fs::read(films.join("plain.png")).unwrap();
    fs::write(films.join(format!("a{HARM}.png")), &picture).unwrap();
    fs::write(films.join(format!("b{HARM}\n.png")), "no image").unwrap();
    fs::write(films.join("Müller 漢字.png"), &picture).unwrap();
    for format in ["table", "json"] {
        let [shown, errors] = said(&score(directory.path(), &["films", "--format", format]));
        assert!(shown.contains("Müller 漢字.png") && shown.contains("owned"), "{shown}");
        assert_eq!(errors.lines().count(), 2, "{errors}");
        assert!(errors.contains("\\x0a.png: is neither"), "{errors}");
    }
    let named = format!("{HARM}.png");
    let errors = complaint(directory.path(), &["train", &named]);
    assert!(errors.contains(SHOWN), "{errors}");
    for command in ["label", "inspect"] {
        let errors = complaint(directory.path(), &[command, &named]);
        assert!(errors.contains(SHOWN), "{errors}");
    }
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_are_shown() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let directory = images(&["a.png"]);
    let name = OsStr::from_bytes(b"\x9b2J\xff.png");
    fs::rename(directory.path().join("a.png"), directory.path().join(name)).unwrap();
    let [shown, _] = said(&score(directory.path(), &["."]));
    assert!(shown.contains("\\x9b2J\\xff.png"), "{shown}");
    let output = medclip(&["label"]).arg(OsStr::from_bytes(b"\x9b\x1b.txt")).output().unwrap();
    assert!(said(&output)[1].contains("\\u{1b}.txt"));
}

#[test]
fn members_of_archives_are_shown() {
    let directory = images(&["a.png"]);
    let picture = fs::read(directory.path().join("a.png")).unwrap();
    let mut tar = member(&format!("m{HARM}\n.png"), &picture);
    tar.extend(member(&format!("n{HARM}.png"), b"no image"));
    tar.extend([0; 1024]);
    fs::write(directory.path().join("films.tar"), tar).unwrap();
    let [shown, errors] = said(&score(directory.path(), &["films.tar"]));
    assert!(shown.contains("films.tar!m\\x1b]0;owned"), "{shown}");
    assert!(errors.contains("films.tar!n\\x1b]0;owned"), "{errors}");
}

/// A member of a tar archive.
fn member(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().copied().map(u32::from).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header.extend(content);
    header.resize(header.len().next_multiple_of(512), 0);
    header
}

#[test]
fn class_names_and_prompts_are_shown() {
    let directory = images(&["a.png"]);
    let harm = "\\u001b]0;owned\\u0007\\u009b2J\\r\\u202e";
    let prompts = PROMPTS.replace("\"Cardiomegaly\"", &format!("\"Heart{harm}\\n\""));
    fs::write(directory.path().join("prompts.toml"), prompts).unwrap();
    let arguments = ["a.png", "--prompts", "prompts.toml", "--format"];
    let [shown, _] = said(&score(directory.path(), &[&arguments[..], &["table"]].concat()));
    assert!(shown.contains(&format!("Heart{SHOWN}\\u{{a}}")), "{shown}");

    let output = score(directory.path(), &[&arguments[..], &["json"]].concat());
    said(&output);
    assert!(text(&output.stdout).contains("\\u009b2J") && text(&output.stdout).contains("\\u202e"));
    let name: &Value = &json_lines(&output)[0]["findings"][0]["name"];
    assert_eq!(name.as_str().unwrap(), format!("Heart{HARM}\n"));

    let prompts = PROMPTS.replace("The heart is enlarged.", &format!("Unbekannt{harm}."));
    fs::write(directory.path().join("prompts.toml"), prompts).unwrap();
    let [_, refused] = said(&score(directory.path(), &[&arguments[..], &["table"]].concat()));
    assert!(refused.contains("`Unbekannt\\u{1b}]0;owned\\u{7}\\u{9b}2J"), "{refused}");
}

#[test]
fn messages_of_libraries_and_settings_are_shown() {
    let directory = images(&["a.png"]);
    let at = directory.path();
    let bundle = bundle().to_str().unwrap();

    // TOML's messages quote the line.
    fs::write(at.join("bad.toml"), format!("name = {HARM}\u{85}\n")).unwrap();
    for arguments in [
        &["train", "bad.toml"][..],
        &["score", "a.png", "--model", bundle, "--prompts", "bad.toml"],
        &["train", "bad.toml", "--set", &format!("x{HARM}=1")],
        &["score", "a.png", "--format", HARM],
        &["score", "a.png", &format!("--{HARM}")],
        &["score", "a.png", "--model", HARM],
        &["score", "a.png", "--model", bundle, "--head", HARM],
        &["doctor", "--model", HARM],
        &["index", "query", HARM, "--text", "x"],
    ] {
        let errors = complaint(at, arguments);
        assert!(errors.contains("\\u{") || !errors.contains("owned"), "{errors}");
    }
    let errors = complaint(at, &["score", "a.png", "--format", HARM]);
    assert!(errors.contains(SHOWN), "{errors}");
    let help = medclip(&["score", "--help"]).env("MEDCLIP_MODEL", HARM).output().unwrap();
    assert!(said(&help)[0].contains("MEDCLIP_MODEL"));

    // A table of films, and the column of one.
    fs::write(at.join("films.csv"), format!("path\nno{HARM}such.png\n").replace('\r', "")).unwrap();
    let [_, errors] = said(&score(at, &["films.csv"]));
    assert!(errors.contains("owned"), "{errors}");
    fs::write(at.join("other.csv"), format!("file{}\nx\n", HARM.replace('\r', ""))).unwrap();
    let [_, errors] = said(&score(at, &["other.csv"]));
    assert!(errors.contains("column `path` is missing") && errors.contains("owned"), "{errors}");
}

#[cfg(feature = "import")]
#[test]
fn names_of_tensors_and_pickles_are_shown() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let escaped = HARM.replace('\u{1b}', "\\u001b").replace('\u{7}', "\\u0007").replace('\r', "\\r");
    let header = format!("{{\"w{escaped}\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}}}");
    let mut tensors = (header.len() as u64).to_le_bytes().to_vec();
    tensors.extend(header.as_bytes());
    tensors.extend([0; 4]);
    fs::write(at.join("w.safetensors"), tensors).unwrap();
    let pickle = format!("\u{80}\u{2}c{}\nsystem\n.", HARM.replace('\u{9b}', "")).replace("\u{80}", "");
    let pickle = [&b"\x80"[..], pickle.as_bytes()].concat();
    fs::write(at.join("w.bin"), pickle).unwrap();
    fs::write(at.join("vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n").unwrap();
    for weights in ["w.safetensors", "w.bin"] {
        let errors = complaint(at, &["import", weights, "-o", "bundle", "--tokenizer", "vocab.txt"]);
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}

#[test]
fn reports_are_shown() {
    let report =
        format!("FINDINGS{HARM}:\nThe heart{HARM} is enlarged.\n\nIMPRESSION:\nNo effusion{HARM}.\n");
    for format in ["table", "json"] {
        let output =
            medclip(&["label", "--sentences", "--format", format]).write_stdin(report.as_str()).output();
        let [shown, _] = said(&output.unwrap());
        assert!(shown.contains("owned"), "{shown}");
    }
    let asked = medclip(&["label", "--section", HARM]).write_stdin(report).output().unwrap();
    assert!(said(&asked)[1].contains(SHOWN));
}

#[cfg(feature = "dicom")]
#[test]
fn text_of_dicom_files_is_shown() {
    use crate::dicom_file::Builder;

    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let film = || {
        let ramp: Vec<u16> = (0..64 * 64).map(|at| at % 256).collect();
        Builder::gray(64, 64, 12).pixels(&ramp).text(0x0010_0020, *b"LO", "\u{1b}]0;owned\u{7}P\r\n7")
    };
    let harm = "\u{1b}[2J\u{7}\u{9b}";
    let with = |tag, vr| film().text(tag, vr, harm).file();
    for (name, file) in [
        ("patient.dcm", film().file()),
        ("view.dcm", with(0x0018_5101, *b"CS")),
        ("modality.dcm", with(0x0008_0060, *b"CS")),
        ("photometric.dcm", with(0x0028_0004, *b"CS")),
        ("charset.dcm", with(0x0008_0005, *b"CS")),
        ("body.dcm", with(0x0018_0015, *b"CS")),
        ("window.dcm", film().window(harm, harm).file()),
        ("class.dcm", with(0x0008_0016, *b"UI")),
        ("lut.dcm", with(0x2050_0020, *b"CS")),
    ] {
        fs::write(at.join(name), file).unwrap();
    }
    for arguments in [
        &["."][..],
        &[".", "--format", "json"],
        &[".", "--output", "x.csv", "--columns", "patient_id", "--log-paths"],
    ] {
        said(&score(at, arguments));
    }
    let rows = fs::read_to_string(at.join("x.csv")).unwrap();
    assert!(rows.contains("owned") && !rows.contains('\u{1b}'), "{rows}");
}

/// A terminal, as `script` of util-linux makes one.
#[cfg(target_os = "linux")]
#[test]
fn csv_is_exact_in_a_file_and_shown_on_a_terminal() {
    let directory = images(&["a.png"]);
    let name = "b\u{1b}[31m.txt";
    fs::write(directory.path().join(name), "No effusion.").unwrap();
    let piped = medclip(&["label", "--format", "csv", name]).current_dir(directory.path()).output().unwrap();
    assert!(text(&piped.stdout).contains(name));
    let command = format!("'{}' label --format csv *.txt", env!("CARGO_BIN_EXE_medclip"));
    let shown = std::process::Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(directory.path())
        .output();
    // Not every machine has it; the writer has tests of its own.
    let Ok(shown) = shown else { return };
    assert!(text(&shown.stdout).contains("b\\u{1b}[31m.txt"), "{:?}", text(&shown.stdout));
}
