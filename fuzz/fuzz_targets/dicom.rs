//! Any bytes as a DICOM file: every frame that it says it has up to the third, values and film.
#![no_main]

mod hook;

use libfuzzer_sys::fuzz_target;
use medclip_decode::dicom::{self, DicomOptions};
use medclip_decode::{Limits, PatientFields};

fuzz_target!(init: hook::allow_expected_panics(), |bytes: &[u8]| {
    let limits = Limits { max_pixels: 4_000_000, max_memory_bytes: 64 << 20, ..Limits::default() };
    let _ = dicom::describe(bytes, &limits, PatientFields { id: true, study_date: true, sex: true, age: true });
    for frame in 0..3 {
        let options = DicomOptions { frame, ..DicomOptions::default() };
        let film = dicom::from_bytes(bytes, &limits, &options);
        let values = dicom::values(bytes, &limits, &options);
        if let (Ok(film), Ok(values)) = (&film, values) {
            assert_eq!([values.height, values.width], film.stored_size);
        }
        if film.is_err() {
            break;
        }
    }
});
