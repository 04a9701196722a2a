//! Any bytes as a safetensors file: weights of others, and the files of a bundle that have this format.
#![no_main]

mod hook;

use libfuzzer_sys::fuzz_target;
use medclip_core::{Golden, Head, PromptBank};
use medclip_weights::names::Mapping;
use medclip_weights::{ElementType, TensorFile, TensorFileOptions};

fuzz_target!(init: hook::allow_expected_panics(), |bytes: &[u8]| {
    let _ = Golden::from_bytes(bytes);
    let _ = PromptBank::from_bytes(bytes);
    if let Ok(head) = Head::from_verified_bytes(bytes) {
        assert_eq!(Head::from_bytes(&head.to_bytes().unwrap()).unwrap(), head);
    }
    let options = TensorFileOptions { part: None };
    let Ok(mut file) = TensorFile::from_bytes("a", bytes.to_vec(), &options) else { return };
    let _ = Mapping::of(&file).map(|mapping| mapping.shapes());
    let names: Vec<String> = file.names().map(str::to_owned).collect();
    for name in names.iter().take(64) {
        if file.element(name).is_some_and(ElementType::is_real) {
            let _ = file.f32(name);
        }
    }
});
