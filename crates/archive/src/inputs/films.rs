//! Which files a search takes for films.

use medclip_decode::Format;

use super::{InputOptions, Nature};

impl InputOptions {
    /// A search for films: DICOM, JPEG and PNG files by their content, those of other formats by their extension.
    pub fn films() -> Self {
        let extensions = Format::ALL.into_iter().flat_map(|format| format.extensions().iter().copied());
        Self { extensions: extensions.map(str::to_owned).collect(), by_start: Some(nature), portion: None }
    }
}

fn nature(start: &[u8]) -> Nature {
    if let Some(kind) = medclip_decode::holds_no_image(start) {
        return Nature::NoFilm(kind);
    }
    match Format::recognize(start) {
        Some(Format::Dicom) if is_surely_dicom(start) => Nature::Film,
        Some(Format::Dicom) => Nature::Perhaps,
        Some(Format::Jpeg) if start.get(2) != Some(&0xff) => Nature::Unknown,
        Some(format) if format.is_found_by_content() => Nature::Film,
        _ => Nature::Unknown,
    }
}

/// By the magic behind the preamble, or two letters where a first element has its representation. Other files without
/// preamble are told by a few small numbers alone.
fn is_surely_dicom(start: &[u8]) -> bool {
    let has_magic = start.get(128..132) == Some(b"DICM");
    has_magic || start.get(4..6).is_some_and(|letters| letters.iter().all(u8::is_ascii_uppercase))
}
