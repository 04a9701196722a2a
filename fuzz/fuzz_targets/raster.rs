//! Any bytes as an image file of any kind.
#![no_main]

mod hook;

use libfuzzer_sys::fuzz_target;
use medclip_decode::{Film, Limits, from_bytes};

fuzz_target!(init: hook::allow_expected_panics(), |bytes: &[u8]| {
    let limits = Limits { max_pixels: 4_000_000, max_memory_bytes: 64 << 20, ..Limits::default() };
    if let Ok(Film { image, .. }) = from_bytes(bytes, &limits) {
        assert!(u64::from(image.width()) * u64::from(image.height()) <= limits.max_pixels);
    }
});
