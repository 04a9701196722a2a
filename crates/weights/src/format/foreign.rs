//! Files that people take for weights, by their first bytes.

use crate::error::Foreign;

/// Bytes that are looked at.
pub(super) const HEAD: usize = 512;
/// Text beyond this many bytes is no message of a server.
const LONGEST_MESSAGE: u64 = 1 << 12;
/// Characters of a message that are quoted.
const QUOTED: usize = 48;

/// What a file of `len` bytes is that starts with `head`, when that is known not to be weights.
pub(super) fn sniff(head: &[u8], len: u64) -> Option<Foreign> {
    if head.is_empty() {
        return Some(Foreign::Empty);
    }
    for (magic, kind) in [
        (&b"GGUF"[..], Foreign::Gguf),
        (b"\x89HDF\r\n\x1a\n", Foreign::Hdf5),
        (b"\x93NUMPY", Foreign::NumPy),
        (b"\x1f\x8b", Foreign::Compressed("gzip")),
        (b"\x28\xb5\x2f\xfd", Foreign::Compressed("zstd")),
        (b"\xfd7zXZ\0", Foreign::Compressed("xz")),
        (b"BZh", Foreign::Compressed("bzip2")),
        (b"7z\xbc\xaf\x27\x1c", Foreign::Compressed("7-Zip")),
        (b"Rar!\x1a\x07", Foreign::Compressed("RAR")),
    ] {
        if head.starts_with(magic) {
            return Some(kind);
        }
    }
    if head.get(257..262) == Some(b"ustar") {
        return Some(Foreign::Tar);
    }
    if head.get(4..8) == Some(b"TFL3") {
        return Some(Foreign::TfLite);
    }
    text(head, len).or_else(|| protobuf(head)).or_else(|| msgpack(head))
}

/// Text starts with text: as the length of a header of safetensors it would be beyond every file.
fn text(head: &[u8], len: u64) -> Option<Foreign> {
    let bytes = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..);
    if !bytes.iter().take(16).all(is_text) || bytes.first().is_none_or(|byte| *byte >= 0x80) {
        return None;
    }
    let whole = String::from_utf8_lossy(bytes);
    let trimmed = whole.trim_start();
    let lower = trimmed.to_ascii_lowercase();
    let quote = || trimmed.chars().filter(|c| !c.is_control()).take(QUOTED).collect::<String>();
    if lower.starts_with("version https://git-lfs") || lower.starts_with("version https://hawser") {
        let size = trimmed.lines().find_map(|line| line.strip_prefix("size ")?.trim().parse().ok());
        return Some(Foreign::GitLfsPointer { size });
    }
    if ["<!doctype html", "<html", "<head", "<body", "<!--"].iter().any(|start| lower.starts_with(start)) {
        return Some(Foreign::WebPage);
    }
    if lower.starts_with("<?xml") || lower.starts_with("<error") {
        return Some(if lower.contains("<html") { Foreign::WebPage } else { Foreign::Xml });
    }
    if trimmed.starts_with(['{', '[']) {
        return Some(Foreign::Json { start: quote() });
    }
    let is_short = len <= LONGEST_MESSAGE && bytes.iter().all(is_text) && trimmed.contains(' ');
    is_short.then(|| Foreign::Text { start: quote() })
}

/// The first fields of a message: the version of ONNX's intermediate representation and what follows it there, or the
/// version of a saved model and its first graph.
fn protobuf(head: &[u8]) -> Option<Foreign> {
    match head {
        [0x08, 1, 0x12, ..] => Some(Foreign::SavedModel),
        [0x08, 1..=30, 0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42, ..] => Some(Foreign::Onnx),
        _ => None,
    }
}

/// A map whose first key is a string.
fn msgpack(head: &[u8]) -> Option<Foreign> {
    let ([0x81..=0x8f, key, ..] | [0xde, _, _, key, ..] | [0xdf, _, _, _, _, key, ..]) = head else {
        return None;
    };
    matches!(key, 0xa0..=0xbf | 0xd9..=0xdb).then_some(Foreign::MsgPack)
}
