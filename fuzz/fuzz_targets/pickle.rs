//! Any bytes as a PyTorch file: as they are, and as the pickle of one in the format before 1.6, which has no checksums.
#![no_main]

mod hook;

use libfuzzer_sys::fuzz_target;
use medclip_weights::names::Mapping;
use medclip_weights::{ElementType, TensorFile, TensorFileOptions};

/// What stands in front of the pickle of tensors: magic number, version, system.
const FRONT: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.";

fuzz_target!(init: hook::allow_expected_panics(), |bytes: &[u8]| {
    read(bytes.to_vec());
    read([FRONT, bytes].concat());
});

fn read(bytes: Vec<u8>) {
    let len = bytes.len();
    let Ok(mut file) = TensorFile::from_bytes("a", bytes, &TensorFileOptions::default()) else { return };
    let _ = Mapping::of(&file).map(|mapping| mapping.shapes());
    let names: Vec<String> = file.names().map(str::to_owned).collect();
    for name in names.iter().take(64) {
        if file.element(name).is_some_and(ElementType::is_real)
            && let Ok(values) = file.f32(name)
        {
            // Compressed parts of an archive grow by no more than 32.
            assert!(values.len() <= len.saturating_mul(32));
        }
    }
}
