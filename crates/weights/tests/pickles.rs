//! Pickles that would do harm in Python are refused by name, and cost nothing.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::io::{Cursor, Write};

use medclip_weights::TensorFile;
use tempfile::NamedTempFile;
use zip::write::{SimpleFileOptions, ZipWriter};

/// What opening `bytes` says.
fn refusal(bytes: &[u8]) -> String {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    TensorFile::open(file.path()).unwrap_err().to_string()
}

/// An archive of `torch.save` with that `data.pkl`, and one storage of four floats.
fn archive(pickle: &[u8], options: SimpleFileOptions) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("a/data.pkl", pickle), ("a/byteorder", b"little"), ("a/data/0", &[0; 16])] {
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored)
}

/// `{"w": tensor}` with the bytes of `arguments` for offset, shape and strides.
fn tensor(arguments: &[u8]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(".to_vec();
    pickle.extend(
        b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ",
    );
    pickle.extend(arguments);
    pickle.extend(b"\x89ccollections\nOrderedDict\n)RtRs.");
    pickle
}

struct Case {
    attack: &'static str,
    pickle: Vec<u8>,
    says: &'static str,
}

fn case(attack: &'static str, pickle: impl Into<Vec<u8>>, says: &'static str) -> Case {
    Case { attack, pickle: pickle.into(), says }
}

fn repeated(start: &[u8], times: usize, part: &[u8], end: &[u8]) -> Vec<u8> {
    [start, &part.repeat(times), end].concat()
}

fn cases() -> Vec<Case> {
    let long_name = repeated(b"\x80\x02c", 1 << 20, b"a", b"\nb\n.");
    vec![
        case(
            "REDUCE",
            b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.",
            "the file calls os.system; refused",
        ),
        case("GLOBAL", b"\x80\x02cbuiltins\neval\n.", "the file calls builtins.eval; refused"),
        case("Python 2's name", b"\x80\x02c__builtin__\neval\n.", "the file calls __builtin__.eval; refused"),
        case(
            "STACK_GLOBAL",
            b"\x80\x04\x8c\x05posix\x8c\x06system\x93.",
            "the file calls posix.system; refused",
        ),
        case("STACK_GLOBAL of numbers", b"\x80\x04K\x01K\x02\x93.", "a global without a name"),
        case("INST", b"\x80\x02(X\x02\x00\x00\x00idios\nsystem\n.", "the file calls os.system; refused"),
        case(
            "INST of a known class",
            b"\x80\x02(icollections\nOrderedDict\n.",
            "calls collections.OrderedDict",
        ),
        case("OBJ", b"\x80\x02(ccollections\nOrderedDict\no.", "the pickle operation OBJ; refused"),
        case("NEWOBJ", b"\x80\x02ccollections\nOrderedDict\n)\x81.", "the pickle operation NEWOBJ; refused"),
        case("EXT1", b"\x80\x02\x82\x01.", "the pickle operation EXT; refused"),
        case("PERSID", b"\x80\x02Pabc\n.", "the pickle operation PERSID; refused"),
        case("unknown operation", b"\x80\x02\xff.", "the pickle operation 0xff; refused"),
        case(
            "a loader inside",
            b"\x80\x02ctorch.storage\n_load_from_bytes\nC\x01a\x85R.",
            "the file calls torch.storage._load_from_bytes; refused",
        ),
        case(
            "__setstate__",
            b"\x80\x02ccollections\nOrderedDict\n}b.",
            "sets the state of a function or class",
        ),
        case("call of a string", b"\x80\x02X\x01\x00\x00\x00a)R.", "the file calls a string; refused"),
        case("call of a storage", b"\x80\x02ctorch\nFloatStorage\nK\x09\x85R.", "calls a class of storages"),
        case("huge length", b"\x80\x02X\xff\xff\xff\xff.", "cannot be read"),
        case("huger length", b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.", "cannot be read"),
        case("endless name", long_name, "the name of a global does not end"),
        case("memo beyond", b"\x80\x02Nr\xff\xff\xff\xffj\xfe\xff\xff\xff.", "memo 4294967294 is empty"),
        case("no stack", b"\x80\x020.", "there is nothing on the stack"),
        case("no mark", b"\x80\x02t.", "there is no mark"),
        case("below the mark", b"\x80\x02N(0.", "there is nothing on the stack"),
        case("odd items", b"\x80\x02}(Nu.", "a key without a value"),
        case("itself", b"\x80\x02]q\x00h\x00a.", "no state dictionary, but a list"),
        case(
            "wrapper of itself",
            b"\x80\x02}q\x00X\x05\x00\x00\x00modelh\x00s.",
            "a dictionary without tensors",
        ),
        case(
            "deep nesting",
            repeated(b"\x80\x02N", 1_000_000, b"\x85", b"."),
            "no state dictionary, but a tuple",
        ),
        case(
            "deeper nesting",
            repeated(b"\x80\x02N", 3_000_000, b"\x85", b"."),
            "more than 2097152 operations",
        ),
        case(
            "billion laughs",
            repeated(b"\x80\x02N", 500_000, b"2\x86", b"."),
            "no state dictionary, but a tuple",
        ),
        case("laughing memo", repeated(b"\x80\x04N", 500_000, b"\x94h\x00\x86", b"."), "but a tuple"),
        case(
            "multiplied shapes",
            repeated(b"\x80\x02(", 100_000, b"K\x01", b"tq\x00ctorch\nSize\nh\x00\x85R."),
            "sizes that are a tuple",
        ),
        case("empty dictionary", b"\x80\x02}.", "a dictionary without tensors"),
        case(
            "tensor of no storage",
            b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(NK\x00))tR.",
            "without a storage",
        ),
        case(
            "negative size",
            tensor(b"K\x00J\xff\xff\xff\xff\x85K\x01\x85"),
            "a size that is no natural number",
        ),
    ]
}

#[test]
fn attacks_are_refused_bare_and_inside_an_archive() {
    for Case { attack, pickle, says } in cases() {
        let wrapped = refusal(&archive(&pickle, stored()));
        assert!(wrapped.contains(says), "{attack} in an archive: {wrapped}");
        if !wrapped.contains("no state dictionary") && !wrapped.contains("dictionar") {
            let bare = refusal(&pickle);
            assert!(bare.contains(says), "{attack}: {bare}");
        }
    }
}

#[test]
fn attacks_are_refused_in_the_legacy_format() {
    for Case { attack, pickle, says } in cases() {
        let mut file = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
        file.extend(&pickle);
        file.extend(b"\x80\x02].");
        let error = refusal(&file);
        assert!(error.contains(says), "{attack}: {error}");
    }
}

#[test]
fn windows_stay_within_their_storage() {
    let open = |arguments: &[u8]| {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(&archive(&tensor(arguments), stored())).unwrap();
        TensorFile::open(file.path()).map_err(|error| error.to_string())
    };
    assert_eq!(open(b"K\x00K\x02K\x02\x86K\x01K\x02\x86").unwrap().f32("w").unwrap(), [0.0; 4]);
    for (what, arguments) in [
        ("offset", &b"K\x01K\x04\x85K\x01\x85"[..]),
        ("stride", b"K\x00K\x02\x85K\x04\x85"),
        ("expansion", b"K\x00J\xff\xff\xff\x7f\x85K\x00\x85"),
        ("overflow", b"K\x00\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fK\x04\x86K\x01K\x01\x86"),
        ("rank", b"K\x00K\x02K\x02\x86K\x01\x85"),
    ] {
        let error = open(arguments).unwrap_err();
        assert!(
            error.contains("tensor w: shape") && error.contains("storage of 4 elements"),
            "{what}: {error}"
        );
    }
}

#[test]
fn compressed_archives_are_read_and_bombs_are_not() {
    let deflated = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(&archive(&tensor(b"K\x00K\x04\x85K\x01\x85"), deflated)).unwrap();
    assert_eq!(TensorFile::open(file.path()).unwrap().f32("w").unwrap(), [0.0; 4]);

    let padding = repeated(&tensor(b"K\x00K\x04\x85K\x01\x85"), 1 << 22, b"\0", b"");
    assert!(refusal(&archive(&padding, deflated)).contains("a/data.pkl states 4194"));
}
