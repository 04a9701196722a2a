//! High-throughput JPEG 2000 codestreams, in a film of the size that they state.
#![no_main]

mod film;
mod hook;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(init: hook::allow_expected_panics(), |stream: &[u8]| -> Corpus {
    match film::stated(stream) {
        Some((size, samples)) => film::decode("1.2.840.10008.1.2.4.201", size, samples, stream),
        None => Corpus::Reject,
    }
});
