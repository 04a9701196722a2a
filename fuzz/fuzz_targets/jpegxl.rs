//! JPEG XL codestreams behind four bytes with the columns and rows of their film, and one that says whether it has color.
#![no_main]

mod film;
mod hook;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(init: hook::allow_expected_panics(), |bytes: &[u8]| -> Corpus {
    let Some((&[a, b, c, d, color], stream)) = bytes.split_first_chunk() else { return Corpus::Reject };
    let size = [[a, b], [c, d]].map(u16::from_le_bytes);
    let samples = if color & 1 == 1 { 3 } else { 1 };
    film::decode("1.2.840.10008.1.2.4.110", size, samples, stream)
});
