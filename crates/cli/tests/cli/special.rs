//! Paths that lead to no file, links that multiply, lists without end, small files that stand for much: a message at once.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::setting::{bundle, images, json_lines, medclip, score, text};

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn lines_of(directory: &Path, arguments: &[&str]) -> Output {
    score(directory, &[arguments, &["--format", "json"]].concat())
}

/// Runs what must not wait for anybody.
fn at_once(run: impl FnOnce() -> Output) -> Output {
    let start = Instant::now();
    let output = run();
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}: {}", start.elapsed(), text(&output.stderr));
    output
}

#[test]
fn what_is_no_file_is_named_and_the_rest_is_scored() {
    let directory = images(&["in/a.png"]);
    let place = |name: &str| directory.path().join(name);
    mkfifo(&place("in/pipe.png"));
    let _listener = UnixListener::bind(place("in/socket.dcm")).unwrap();
    symlink("/dev/zero", place("in/zero.dcm")).unwrap();
    fs::write(place("list.csv"), "path\nin/pipe.png\nin/socket.dcm\nin/zero.dcm\nin/a.png\n").unwrap();
    for (arguments, failed) in [
        (&["in"][..], 0),
        (&["list.csv"], 3),
        (&["in/*"], 3),
        (&["in/a.png", "in/pipe.png", "in/socket.dcm", "/dev/zero"], 3),
    ] {
        let output = at_once(|| lines_of(directory.path(), arguments));
        assert_eq!(
            output.status.code(),
            Some(i32::from(failed > 0)),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        let lines = json_lines(&output);
        assert_eq!(lines.iter().filter(|line| line["error"].is_null()).count(), 1, "{arguments:?}");
        assert_eq!(
            text(&output.stderr).matches("only regular files").count()
                + usize::from(text(&output.stderr).contains("a pipe that nobody writes into")),
            failed,
            "{arguments:?}: {}",
            text(&output.stderr)
        );
    }
    let output = at_once(|| score(directory.path(), &["in", "list.csv", "--output", "rows"]));
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let output = at_once(|| score(directory.path(), &["in/pipe.png", "--output", "none"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("in/pipe.png is a pipe"), "{}", text(&output.stderr));
    assert!(!place("none").exists());
}

#[test]
fn a_pipe_that_is_typed_may_be_a_film_a_table_or_prompts() {
    let directory = images(&["a.png"]);
    let place = |name: &str| directory.path().join(name);
    let prompts = fs::read(bundle().join("prompts.toml")).unwrap();
    let sent: [(&str, Vec<u8>, &[&str]); 3] = [
        ("film", fs::read(place("a.png")).unwrap(), &["film"]),
        ("list.csv", b"path\na.png\n".to_vec(), &["list.csv"]),
        ("prompts", prompts, &["a.png", "--prompts", "prompts"]),
    ];
    let expected = json_lines(&lines_of(directory.path(), &["a.png"]));
    for (name, bytes, arguments) in sent {
        mkfifo(&place(name));
        let pipe = place(name);
        let writer = std::thread::spawn(move || fs::write(pipe, bytes).unwrap());
        let output = lines_of(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", text(&output.stderr));
        assert_eq!(json_lines(&output)[0]["findings"], expected[0]["findings"], "{name}");
        writer.join().unwrap();
    }
}

#[test]
fn every_file_of_a_bundle_is_a_regular_one() {
    let directory = images(&["a.png"]);
    let copy = directory.path().join("bundle");
    let names: Vec<PathBuf> = fs::read_dir(bundle()).unwrap().map(|entry| entry.unwrap().path()).collect();
    for name in [
        "SHA256SUMS",
        "model.toml",
        "image.onnx",
        "tokenizer.json",
        "prompts.toml",
        "prompt_bank.safetensors",
    ] {
        for make in [mkfifo as fn(&Path), |path| symlink("/dev/zero", path).unwrap()] {
            let _ = fs::remove_dir_all(&copy);
            fs::create_dir(&copy).unwrap();
            for file in &names {
                fs::copy(file, copy.join(file.file_name().unwrap())).unwrap();
            }
            fs::remove_file(copy.join(name)).unwrap();
            make(&copy.join(name));
            let output = at_once(|| {
                let mut command = medclip(&["score", "a.png", "--model", "bundle"]);
                command.current_dir(directory.path()).output().unwrap()
            });
            assert_eq!(output.status.code(), Some(2), "{name}");
            let message = text(&output.stderr);
            assert!(message.contains(name) && message.contains("only regular files"), "{name}: {message}");
        }
    }
}

#[test]
fn prompts_that_multiply_are_refused_at_once() {
    let directory = images(&["a.png"]);
    let slot = (0..40).map(|word| format!("\"w{word}\",")).collect::<Vec<_>>().concat();
    let template = format!("templates = [[[{slot}],[{slot}],[{slot}]]]");
    let class = |number: usize| {
        format!(
            "[[class]]\nname = \"c{number}\"\npositive = {{ {template} }}\nnegative = {{ sentences = [\"x\"] }}\n"
        )
    };
    let classes = (0..150).map(class).collect::<Vec<_>>().concat();
    let file = format!("[ensemble]\ndraws = 5\n{classes}");
    assert!(file.len() < 160 << 10);
    fs::write(directory.path().join("prompts.toml"), file).unwrap();
    fs::write(directory.path().join("long.toml"), "a = [1,,".repeat(1 << 14)).unwrap();
    mkfifo(&directory.path().join("pipe.toml"));
    for (prompts, says) in [
        ("prompts.toml", "expand to more than 100000 sentences"),
        ("long.toml", "line 1, column"),
        ("pipe.toml", "a pipe that nobody writes into"),
        ("/dev/zero", "it is a device"),
        (".", "it is a directory"),
    ] {
        let output = at_once(|| score(directory.path(), &["a.png", "--prompts", prompts]));
        assert_eq!(output.status.code(), Some(2), "{prompts}");
        let message = text(&output.stderr);
        assert!(
            message.contains(prompts) && message.contains(says) && message.len() < 4000,
            "{prompts}: {message}"
        );
    }
}

#[test]
fn lists_without_end_are_refused_by_line() {
    let directory = images(&["a.png"]);
    let long = format!("a.png\n{}\n", "x".repeat(1 << 20));
    for (list, says) in
        [(long.as_bytes(), "line 2 has more than 32768 bytes"), (b"a.png\n\0\0\n", "line 2 contains a NUL")]
    {
        for output in [&[][..], &["--output", "rows"]] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_medclip"));
            command.args(["score", "-"]);
            command.args(["--model", bundle().to_str().unwrap()]).args(output).current_dir(directory.path());
            let mut child =
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            // It may end before it has read everything.
            let _ = child.stdin.take().unwrap().write_all(list);
            let done = child.wait_with_output().unwrap();
            assert_eq!(done.status.code(), Some(2), "{}", text(&done.stderr));
            assert!(text(&done.stderr).contains(says), "{}", text(&done.stderr));
            assert!(!directory.path().join("rows").exists());
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_medclip"));
        command.args(["score", "-", "--output", "rows"]);
        command.args(["--model", bundle().to_str().unwrap()]).current_dir(directory.path());
        let endless = command.stdin(File::open("/dev/zero").unwrap());
        let done = at_once(|| endless.output().unwrap());
        assert_eq!(done.status.code(), Some(2), "{}", text(&done.stderr));
    }
}

#[test]
fn linked_directories_are_searched_once_and_said() {
    let directory = images(&["d18/a.png"]);
    for level in 0..18 {
        let here = directory.path().join(format!("d{level:02}"));
        fs::create_dir(&here).unwrap();
        for link in ["left", "right"] {
            symlink(format!("../d{:02}", level + 1), here.join(link)).unwrap();
        }
    }
    let output = at_once(|| lines_of(directory.path(), &["."]));
    assert_eq!(json_lines(&output).len(), 1, "{}", text(&output.stderr));
    let says = "36 links to directories that are searched under another name";
    assert!(text(&output.stderr).contains(says), "{}", text(&output.stderr));
}
