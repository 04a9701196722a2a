use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::*;

fn fault<T: std::fmt::Debug>(result: io::Result<T>) -> FileFault {
    FileFault::of(&result.unwrap_err()).unwrap()
}

#[test]
fn reading_stops_at_the_limit() {
    assert_eq!(read_at_most(&b"abc"[..], 3).unwrap(), b"abc");
    assert_eq!(fault(read_at_most(&b"abcd"[..], 3)), FileFault::TooLarge { limit: 3 });
    assert_eq!(fault(read_at_most(io::repeat(0), 1 << 16)), FileFault::TooLarge { limit: 1 << 16 });
}

#[test]
fn names_are_lines_with_an_end() {
    let names = |text: &[u8]| -> io::Result<Vec<Vec<u8>>> {
        let (mut text, mut names, mut line) = (text, Vec::new(), Vec::new());
        while read_name(&mut text, names.len() as u64 + 1, &mut line)? {
            names.push(line.clone());
        }
        Ok(names)
    };
    assert_eq!(names(b"a\r\n\nb c").unwrap(), [&b"a"[..], b"", b"b c"]);
    let longest = vec![b'x'; MAX_NAME_BYTES];
    assert_eq!(names(&[&longest[..], b"\n", &longest, b"\r\n", &longest].concat()).unwrap().len(), 3);
    let long = [b"a\n", &longest[..], b"y\n"].concat();
    assert_eq!(fault(names(&long)), FileFault::LongLine { line: 2, limit: MAX_NAME_BYTES });
    assert_eq!(fault(names(b"a\nb\0c\n")), FileFault::Nul { line: 2 });
    assert_eq!(fault(names(&long[..long.len() - 1])), FileFault::LongLine { line: 2, limit: MAX_NAME_BYTES });
    let mut endless = io::BufReader::new(io::repeat(b'x'));
    assert_eq!(
        fault(read_name(&mut endless, 7, &mut Vec::new())),
        FileFault::LongLine { line: 7, limit: MAX_NAME_BYTES }
    );
}

#[test]
fn directories_are_not_read() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(fault(open_regular(directory.path())), FileFault::NotRegular { kind: "a directory" });
    assert_eq!(fault(open_typed(directory.path())), FileFault::NotReadable { kind: "a directory" });
    let missing = directory.path().join("missing");
    for error in [open_regular(&missing).unwrap_err(), open_typed(&missing).unwrap_err()] {
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
    fs::write(&missing, "there").unwrap();
    assert_eq!(read_regular(&missing, 5).unwrap(), b"there");
    assert_eq!(read_typed(&missing, 5).unwrap(), b"there");
    assert_eq!(fault(read_typed(&missing, 4)), FileFault::TooLarge { limit: 4 });
}

#[cfg(unix)]
fn pipe(directory: &Path) -> PathBuf {
    let path = directory.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

#[cfg(unix)]
#[test]
fn pipes_sockets_and_devices_neither_hang_nor_are_read_as_found_files() {
    let directory = tempfile::tempdir().unwrap();
    let (pipe, socket, link) =
        (pipe(directory.path()), directory.path().join("socket"), directory.path().join("link"));
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
    let begun = Instant::now();
    for (path, kind) in [
        (pipe.as_path(), "a pipe"),
        (&socket, "a socket"),
        (&link, "a device"),
        (Path::new("/dev/null"), "a device"),
    ] {
        assert_eq!(fault(open_regular(path)), FileFault::NotRegular { kind }, "{}", path.display());
        if kind != "a pipe" {
            assert_eq!(fault(open_typed(path)), FileFault::NotReadable { kind }, "{}", path.display());
        }
    }
    assert!(is_pipe(&pipe) && !is_pipe(&socket));
    assert_eq!(fault(read_typed(&pipe, 9)), FileFault::NoWriter);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[cfg(unix)]
#[test]
fn a_typed_pipe_is_read_to_its_end_however_slow_its_writer() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = pipe(directory.path());
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || {
            std::thread::sleep(Duration::from_millis(200));
            let mut file = File::options().write(true).open(pipe).unwrap();
            for part in [&b"ab"[..], b"c"] {
                std::thread::sleep(Duration::from_millis(1200));
                io::Write::write_all(&mut file, part).unwrap();
            }
        }
    });
    assert_eq!(read_typed(&pipe, 3).unwrap(), b"abc");
    writer.join().unwrap();
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || drop(io::copy(&mut io::repeat(b'x'), &mut File::options().write(true).open(pipe).unwrap()))
    });
    assert_eq!(fault(read_typed(&pipe, 1 << 17)), FileFault::TooLarge { limit: 1 << 17 });
    writer.join().unwrap();
}
