//! Completions and manual pages say what the program can do.

use std::fs;

use crate::setting::{medclip, text};

#[test]
fn completions_name_commands_and_options_in_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = medclip(&["completions", shell]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let script = text(&output.stdout);
        for word in ["score", "inspect", "columns", "precision"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
    }
    assert_eq!(medclip(&["completions", "sh"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn every_command_has_a_page() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man1");
    let output = medclip(&["man", "-o", pages.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let page = |name: &str| fs::read_to_string(pages.join(format!("{name}.1"))).unwrap();
    assert!(page("medclip").contains("not for diagnosis"));
    assert!(page("medclip-score").contains("columns") && page("medclip-doctor").contains("engine"));
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = medclip(&["man", "-o", file.to_str().unwrap()]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("is not a directory"), "{}", text(&refused.stderr));
}
