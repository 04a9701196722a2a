//! Small files that state much, and paths that lead to no file: refused by name, in little time and memory.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::io::{Cursor, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use medclip_weights::{TensorFile, TensorFileError, TensorFileOptions};
use zip::write::{SimpleFileOptions, ZipWriter};

fn text(pickle: &mut Vec<u8>, text: &str) {
    pickle.push(b'X');
    pickle.extend((text.len() as u32).to_le_bytes());
    pickle.extend(text.as_bytes());
}

fn int(pickle: &mut Vec<u8>, value: u64) {
    pickle.extend(b"\x8a\x08");
    pickle.extend(value.to_le_bytes());
}

/// A tensor: its storage's key and elements, its sizes and strides.
struct Tensor<'a> {
    key: &'a str,
    count: u64,
    shape: &'a [u64],
    strides: &'a [u64],
}

impl Tensor<'_> {
    fn write(&self, pickle: &mut Vec<u8>) {
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(pickle, "storage");
        pickle.extend(b"ctorch\nFloatStorage\n");
        text(pickle, self.key);
        text(pickle, "cpu");
        int(pickle, self.count);
        pickle.extend(b"tQK\x00");
        for sizes in [self.shape, self.strides] {
            pickle.push(b'(');
            for size in sizes {
                int(pickle, *size);
            }
            pickle.push(b't');
        }
        pickle.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
}

fn pickle(tensors: &[Tensor<'_>]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}(".to_vec();
    for (number, tensor) in tensors.iter().enumerate() {
        text(&mut pickle, &format!("layer{number:05}.weight"));
        tensor.write(&mut pickle);
    }
    pickle.extend(b"u.");
    pickle
}

fn archive(pickle: &[u8], storages: &[(String, Vec<u8>)], method: zip::CompressionMethod) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(method);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("a/data.pkl", options).unwrap();
    zip.write_all(pickle).unwrap();
    for (key, bytes) in storages {
        zip.start_file(format!("a/data/{key}"), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The old format, which is not compressed.
fn legacy(pickle: &[u8], key: &str, count: u64) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
    file.extend(pickle);
    file.extend(b"\x80\x02](");
    text(&mut file, key);
    file.extend(b"e.");
    file.extend(count.to_le_bytes());
    file.extend([0; 16]);
    file
}

fn read(bytes: Vec<u8>) -> Result<usize, TensorFileError> {
    let mut file = TensorFile::from_bytes("model.pt", bytes, &TensorFileOptions::default())?;
    let names: Vec<String> = file.names().map(str::to_owned).collect();
    names.iter().map(|name| file.f32(name).map(|values| values.len())).sum()
}

const HUGE: u64 = 1 << 40;
const STORED: zip::CompressionMethod = zip::CompressionMethod::Stored;
const DEFLATED: zip::CompressionMethod = zip::CompressionMethod::Deflated;

#[test]
fn what_a_small_file_states_is_not_believed() {
    let small = || vec![("0".to_owned(), vec![0; 64])];
    let huge = |shape, strides| pickle(&[Tensor { key: "0", count: HUGE, shape, strides }]);
    let own = |shape, strides| pickle(&[Tensor { key: "0", count: 16, shape, strides }]);
    // Sizes in the table of contents that are not those of the entry.
    let mut lies = archive(
        &pickle(&[Tensor { key: "0", count: 0x3fff_fff0, shape: &[2], strides: &[1] }]),
        &small(),
        STORED,
    );
    for at in 0..lies.len() - 4 {
        if lies[at..at + 4] == 64_u32.to_le_bytes() {
            lies[at..at + 4].copy_from_slice(&0xffff_ffc0_u32.to_le_bytes());
        }
    }
    let many: Vec<String> = (0..300).map(|key| key.to_string()).collect();
    let zeros: Vec<(String, Vec<u8>)> = many.iter().map(|key| (key.clone(), vec![0; 1 << 20])).collect();
    let each = |key: &'static str| Tensor { key, count: 1 << 18, shape: &[1 << 18], strides: &[1] };
    let keys: Vec<&'static str> = many.into_iter().map(|key| &*key.leak()).collect();
    let compressed = pickle(&keys.into_iter().map(each).collect::<Vec<_>>());
    let views = |count: usize| {
        let view = |_| Tensor { key: "0", count: 1 << 16, shape: &[1 << 16], strides: &[1] };
        archive(
            &pickle(&(0..count).map(view).collect::<Vec<_>>()),
            &[("0".to_owned(), vec![0; 1 << 18])],
            STORED,
        )
    };
    let cases: [(&str, Vec<u8>, &str); 10] = [
        ("a storage", archive(&huge(&[4], &[1]), &small(), STORED), "layer00000.weight"),
        (
            "steps between few elements",
            archive(&huge(&[4], &[HUGE / 4]), &small(), STORED),
            "layer00000.weight",
        ),
        ("a compressed storage", archive(&huge(&[4], &[1]), &small(), DEFLATED), "layer00000.weight"),
        ("a storage of the old format", legacy(&huge(&[4], &[HUGE / 4]), "0", HUGE), "the file ends before"),
        ("sizes of entries", lies, ""),
        ("a shape", archive(&own(&[HUGE], &[1]), &small(), STORED), "layer00000.weight"),
        ("an element shown without end", archive(&own(&[HUGE], &[0]), &small(), STORED), "layer00000.weight"),
        ("sizes that overflow", archive(&own(&[HUGE, HUGE], &[0, 0]), &small(), STORED), "layer00000.weight"),
        ("a storage shown by many", views(3000), "they repeat each other"),
        ("many storages of nothing", archive(&compressed, &zeros, DEFLATED), "refused"),
    ];
    for (name, bytes, says) in cases {
        let start = Instant::now();
        let length = bytes.len();
        let message = read(bytes).map(drop).unwrap_err().to_string();
        assert!(
            message.starts_with("model.pt: ") && message.contains(says),
            "{name}, {length} bytes: {message}"
        );
        assert!(start.elapsed() < Duration::from_secs(5), "{name}: {:?}", start.elapsed());
    }
    assert_eq!(read(views(12)).unwrap(), 12 << 16, "a layer that is used twelve times");
}

#[test]
fn a_pickle_that_calls_without_end_is_refused() {
    let mut bomb = b"\x80\x02}ctorch._utils\n_rebuild_tensor_v2\nq\x00((".to_vec();
    text(&mut bomb, "storage");
    bomb.extend(b"ctorch\nFloatStorage\n");
    text(&mut bomb, "0");
    text(&mut bomb, "cpu");
    bomb.extend(b"K\x10tQK\x00");
    for _ in 0..2 {
        bomb.push(b'(');
        bomb.extend(b"K\x01".repeat(32));
        bomb.push(b't');
    }
    bomb.extend(b"\x89ccollections\nOrderedDict\n)Rtq\x01");
    bomb.extend(b"h\x00h\x01R0".repeat(500_000));
    bomb.extend(b".");
    let tuples = [&b"\x80\x02)"[..], &b"2\x86".repeat(1 << 20), b"."].concat();
    let lists = [&b"\x80\x02]q\x00"[..], &b"]q\x01h\x00h\x00\x86ah\x010".repeat(1 << 18), b"."].concat();
    for (name, pickle) in [("calls", bomb), ("tuples of tuples", tuples), ("lists of lists", lists)] {
        for bytes in [archive(&pickle, &[], DEFLATED), legacy(&pickle, "0", 2)] {
            let start = Instant::now();
            assert!(read(bytes).is_err(), "{name}");
            assert!(start.elapsed() < Duration::from_secs(10), "{name}: {:?}", start.elapsed());
        }
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_no_weights() {
    let directory = tempfile::tempdir().unwrap();
    let name = |name: &str| directory.path().join(name);
    for pipe in ["pipe.pt", "model.safetensors.index.json"] {
        assert!(std::process::Command::new("mkfifo").arg(name(pipe)).status().unwrap().success());
    }
    let socket = name("socket.pt");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    std::os::unix::fs::symlink("/dev/zero", name("zero.safetensors")).unwrap();
    std::fs::write(name("sharded.index.json"), r#"{"weight_map": {"a": "pipe.pt"}}"#).unwrap();
    for path in
        ["pipe.pt", "socket.pt", "zero.safetensors", "model.safetensors.index.json", "sharded.index.json"]
    {
        let error = TensorFile::open(name(path)).unwrap_err();
        assert!(matches!(error, TensorFileError::Read { .. }), "{path}: {error}");
    }
    assert!(TensorFile::open(Path::new("/dev/zero")).is_err());
}
