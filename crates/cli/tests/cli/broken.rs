//! Images that cannot be scored: a message each, the rest scored, exit status 1.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::setting::{bundle, images, json_lines, score, text};

/// A PNG of one byte of data whose header claims `side` × `side`.
fn png_claiming(side: u32) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(side.to_be_bytes());
    header.extend(side.to_be_bytes());
    header.extend([8, 0, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in [(b"IHDR", header.as_slice()), (b"IDAT", &[0x78])] {
        let chunk = [name.as_slice(), data].concat();
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(&chunk);
        file.extend(crc32(&chunk).to_be_bytes());
    }
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn each_bad_input_has_its_message_and_the_rest_is_scored() {
    let directory = images(&["good.png", "cut.jpg", "tail.png"]);
    let file = |name: &str| directory.path().join(name);
    let whole = fs::read(file("cut.jpg")).unwrap();
    fs::write(file("cut.jpg"), &whole[..whole.len() / 2]).unwrap();
    fs::write(file("empty.png"), "").unwrap();
    fs::write(file("text.png"), "this is no image").unwrap();
    fs::write(file("huge.png"), png_claiming(20_000)).unwrap();
    fs::create_dir(file("nothing")).unwrap();
    image::GrayImage::new(1, 1).save(file("dot.png")).unwrap();

    let cases = [
        ("good.png", None),
        ("cut.jpg", Some("truncated")),
        ("empty.png", Some("empty")),
        ("text.png", Some("neither DICOM, JPEG, PNG, TIFF, BMP nor WebP")),
        ("huge.png", Some("20000×20000")),
        ("missing.png", Some("No such file")),
        ("nothing", Some("no image in this directory")),
        ("dot.png", None),
        ("tail.png", None),
    ];
    let mut arguments = vec!["--format", "json"];
    arguments.extend(cases.iter().map(|(name, _)| *name));
    let output = score(directory.path(), &arguments);
    assert_eq!(output.status.code(), Some(1));
    let lines = json_lines(&output);
    let errors = text(&output.stderr);
    assert_eq!(lines.len(), cases.len());
    for ((name, reason), line) in cases.iter().zip(&lines) {
        assert_eq!(line["path"], *name);
        match reason {
            None => {
                assert!(line["error"].is_null(), "{line}");
                assert_eq!(line["findings"].as_array().unwrap().len(), 2);
            }
            Some(reason) => {
                let error = line["error"].as_str().unwrap();
                assert!(error.contains(reason), "{name}: {error}");
                assert!(!error.contains('\n'));
                assert_eq!(line["findings"].as_array().unwrap().len(), 0);
                assert!(errors.contains(&format!("error: {name}: {error}\n")), "{errors}");
            }
        }
    }
    assert!(errors.ends_with("3 scored, 6 failed\n"), "{errors}");
    assert_eq!(errors.lines().count(), 7, "{errors}");
}

#[test]
fn a_table_keeps_errors_out_of_standard_output() {
    let directory = images(&["good.png"]);
    let output = score(directory.path(), &["missing.png", "good.png"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!text(&output.stdout).contains("missing.png"));
    assert!(text(&output.stdout).contains("good.png"));
    assert!(text(&output.stderr).starts_with("error: missing.png: No such file"));
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let names: Vec<String> = (0..200).map(|index| format!("{index:03}.png")).collect();
    let directory = images(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut child = Command::new(env!("CARGO_BIN_EXE_medclip"))
        .args(["score", "--format", "json", "--model"])
        .arg(bundle())
        .arg(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with('{'), "results come as they are done");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
}
