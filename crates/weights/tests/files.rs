//! Files that torch wrote hold what torch reads from them.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::path::{Path, PathBuf};

use medclip_weights::{ElementType, FileFault, Foreign, TensorFault, TensorFile, TensorFileError};

const FILES: [&str; 4] = ["state_zip.bin", "state_legacy.bin", "state.safetensors", "wrapped.bin"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[test]
fn every_format_gives_the_values_of_torch() {
    let mut expected = TensorFile::open(fixture("expected.safetensors")).unwrap();
    let names: Vec<String> = expected.names().map(str::to_owned).collect();
    assert_eq!(names.len(), 18);
    for path in FILES {
        let mut file = TensorFile::open(fixture(path)).unwrap();
        for name in &names {
            assert_eq!(file.shape(name), expected.shape(name), "{path}: {name}");
            assert_eq!(file.f32(name).unwrap(), expected.f32(name).unwrap(), "{path}: {name}");
        }
    }
}

#[test]
fn integers_are_there_and_are_no_weights() {
    for path in FILES {
        let mut file = TensorFile::open(fixture(path)).unwrap();
        for (name, element) in [
            ("norm.num_batches_tracked", ElementType::I64),
            ("truth", ElementType::Bool),
            ("bytes", ElementType::U8),
            ("integers", ElementType::I32),
            ("half", ElementType::F16),
            ("bfloat", ElementType::BF16),
            ("double", ElementType::F64),
        ] {
            assert_eq!(file.element(name), Some(element), "{path}: {name}");
            let read = file.f32(name);
            assert_eq!(read.is_ok(), element.is_real(), "{path}: {name}");
        }
        let error = file.f32("linear.wieght").unwrap_err();
        assert!(matches!(error, TensorFileError::Tensor { fault: TensorFault::Absent, .. }));
        assert!(error.to_string().ends_with(&format!("{path}: tensor linear.wieght: is not in the file")));
    }
}

#[test]
fn other_files_are_refused() {
    assert!(matches!(TensorFile::open(fixture("none.bin")), Err(TensorFileError::Read { .. })));
    let error = TensorFile::open(fixture("write.py")).unwrap_err();
    assert!(
        matches!(error, TensorFileError::File { fault: FileFault::Foreign(Foreign::Text { .. }), .. }),
        "{error}"
    );
}
