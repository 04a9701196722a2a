//! What people take for weights is called by its name; what states too much is refused before it costs memory.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::fs;
use std::io::{Cursor, Write};

use medclip_weights::{TensorFile, TensorFileOptions};
use tempfile::TempDir;
use zip::write::{SimpleFileOptions, ZipWriter};

fn refusal(bytes: &[u8]) -> String {
    let opened = TensorFile::from_bytes("pytorch_model.bin", bytes.to_vec(), &TensorFileOptions::default());
    opened.unwrap_err().to_string()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn files_of_other_kinds_are_named() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5\
                   e2ca24d17e2393\nsize 437995689\n";
    let tar = [&[b'a'; 257][..], b"ustar\x0000", &[0; 300]].concat();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (
            pointer.into(),
            "a Git LFS pointer that stands for 437995689 bytes; fetch the weights themselves with `git lfs pull`",
        ),
        (pointer.replace('\n', "\r\n").into(), "a Git LFS pointer that stands for 437995689 bytes"),
        ("version https://git-lfs.github.com/spec/v1\n".into(), "a Git LFS pointer; fetch"),
        (
            "<!DOCTYPE html>\n<html><head><title>Google Drive - Virus scan warning</title>".into(),
            "a web page (HTML)",
        ),
        ("<html lang=\"en\"><body>404</body></html>".into(), "a web page (HTML)"),
        ("\n\n  <!doctype HTML><html>".into(), "a web page (HTML)"),
        ("\u{feff}<!DOCTYPE html>".into(), "a web page (HTML)"),
        ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>".into(), "the file is XML"),
        (
            "{\"error\":\"Repository not found\"}".into(),
            "the file is JSON and lists no shards of weights (`{\"error\":\"Repository not found\"}`)",
        ),
        ("{\"message\": {\"text\": \"Bad credentials\"}}".into(), "the file is JSON"),
        ("[{\"a\":1}]".into(), "the file is JSON"),
        ("Entry not found".into(), "the file is text (`Entry not found`)"),
        ("Invalid username or password.".into(), "the file is text"),
        (vec![], "the file is empty; fetch it again"),
        (b"\x08\x07\x12\x07pytorch\x1a\x052.1.0:".into(), "an ONNX graph"),
        (b"\x08\x0a:\xff\x01\x0a".into(), "an ONNX graph"),
        (b"\x08\x01\x12\xff\xff".into(), "a TensorFlow graph"),
        (b"\x1c\x00\x00\x00TFL3\x00\x00".into(), "a TensorFlow Lite graph"),
        (b"GGUF\x03\x00\x00\x00".into(), "GGUF"),
        (b"\x89HDF\r\n\x1a\n\x00\x00".into(), "HDF5 (Keras or TensorFlow)"),
        (b"\x82\xa6params\x81\xa5dense".into(), "msgpack (Flax)"),
        (b"\xde\x00\x11\xaaembeddings".into(), "msgpack (Flax)"),
        (b"\x93NUMPY\x01\x00v\x00{'descr'".into(), "an array of NumPy"),
        (b"\x1f\x8b\x08\x00\x00".into(), "compressed by gzip; unpack it first"),
        (b"\x28\xb5\x2f\xfd\x00".into(), "compressed by zstd"),
        (b"BZh91AY".into(), "compressed by bzip2"),
        (b"7z\xbc\xaf\x27\x1c\x00".into(), "compressed by 7-Zip"),
        (tar, "a tar archive"),
        (b"\x80\x04K\x01.".into(), "a pickle that torch.save did not write"),
        (zip(&[]), "an empty zip archive"),
        (zip(&[("arr_0.npy", b"x")]), "arrays of NumPy (npz)"),
        (
            zip(&[("model/pytorch_model.bin", b"x"), ("model/config.json", b"{}")]),
            "it holds model/pytorch_model.bin, model/config.json",
        ),
        (
            zip(&[("config.json", b"{}"), ("model.weights.h5", b"x")]),
            "a zip archive that torch.save did not write",
        ),
        (zip(&[("m/data.pkl", b"x"), ("m/constants.pkl", b"x")]), "a TorchScript program"),
        (
            b"GIF89a\x01\x00\x01\x00\xff\xff\xff\xff\xff\xff".into(),
            "neither a safetensors nor a PyTorch file",
        ),
    ];
    for (bytes, says) in cases {
        let error = refusal(&bytes);
        assert!(error.starts_with("pytorch_model.bin: ") && error.contains(says), "{says:?}: {error}");
    }
}

#[test]
fn a_directory_names_its_files() {
    let directory = TempDir::new().unwrap();
    let open = || TensorFile::open(directory.path()).unwrap_err().to_string();
    assert!(
        open().ends_with("is a directory without a file of weights; name the file of weights"),
        "{}",
        open()
    );
    fs::write(directory.path().join("model.safetensors"), "").unwrap();
    assert!(open().ends_with("name the file of weights in it: model.safetensors"), "{}", open());
}

/// `{"w": tensor}` of one axis of `count` elements, of a storage that states as many.
fn pickle(count: i64) -> Vec<u8> {
    let mut pickle =
        b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage".to_vec();
    pickle.extend(b"ctorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu\x8a\x08");
    pickle.extend(count.to_le_bytes());
    pickle.extend(b"tQK\x00\x8a\x08");
    pickle.extend(count.to_le_bytes());
    pickle.extend(b"\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtRs.");
    pickle
}

/// An archive whose table of contents states `size` bytes for the storage, as zip64 has it.
fn lying_archive(pickle: &[u8], size: u64) -> Vec<u8> {
    let honest = zip(&[("a/data.pkl", pickle), ("a/data/0", &[0; 16])]);
    let name = b"a/data/0";
    let entry = honest
        .windows(46 + name.len())
        .rposition(|w| w.starts_with(b"PK\x01\x02") && w.ends_with(name))
        .unwrap();
    let end = honest.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    let extra = [&[1, 0, 16, 0][..], &size.to_le_bytes(), &size.to_le_bytes()].concat();
    let mut lying = honest;
    lying[entry + 20..entry + 28].fill(0xff);
    lying[entry + 30..entry + 32].copy_from_slice(&(extra.len() as u16).to_le_bytes());
    let directory = u32::from_le_bytes(lying[end + 12..end + 16].try_into().unwrap()) + extra.len() as u32;
    lying[end + 12..end + 16].copy_from_slice(&directory.to_le_bytes());
    let after = entry + 46 + name.len();
    lying.splice(after..after, extra);
    lying
}

#[test]
fn tensors_that_state_more_than_the_file_holds_cost_no_memory() {
    let start = std::time::Instant::now();
    for count in [1_i64 << 20, 1 << 33, 1 << 40, 1 << 60] {
        let size = (count as u64).wrapping_mul(4);
        // What the pickle states alone, and what the archive states with it.
        for bytes in [
            zip(&[("a/data.pkl", &pickle(count)), ("a/data/0", &[0; 16])]),
            lying_archive(&pickle(count), size),
        ] {
            let error = refusal(&bytes);
            assert!(
                error.contains("tensor w: its storage states") || error.contains("a/data/0 has"),
                "{count}: {error}"
            );
        }
        let mut file = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
        file.extend(pickle(count));
        file.extend(b"\x80\x02](X\x01\x00\x00\x000e.");
        file.extend(count.to_le_bytes());
        file.extend([0; 16]);
        let error = refusal(&file);
        assert!(error.contains("cut short") || error.contains("damaged"), "{error}");
        let header =
            format!("{{\"w\":{{\"dtype\":\"F32\",\"shape\":[{count}],\"data_offsets\":[0,{size}]}}}}");
        let safetensors = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 16]].concat();
        let error = refusal(&safetensors);
        assert!(error.contains("cut short") || error.contains("damaged"), "{error}");
    }
    assert!(start.elapsed().as_secs() < 5);
}
