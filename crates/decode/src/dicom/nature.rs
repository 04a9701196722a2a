//! What a DICOM object is by nature, judged by its class.

use dicom_dictionary_std::tags;

use super::content;
use super::element::DataSet;

/// Classes of objects without pixels, each with the classes below it where it ends in a dot, and what they are.
///
/// PS3.6, Annex A. Classes that are not here may carry pixels: maps, segmentations, doses, private ones.
const WITHOUT_PIXELS: [(&str, &str); 33] = [
    ("1.2.840.10008.1.3.10", "DICOMDIR"),
    ("1.2.840.10008.5.1.4.1.1.88.59", "key object selection"),
    ("1.2.840.10008.5.1.4.1.1.88.", "structured report"),
    ("1.2.840.10008.5.1.4.1.1.11.", "presentation state"),
    ("1.2.840.10008.5.1.4.1.1.9.100.", "presentation state"),
    ("1.2.840.10008.5.1.4.1.1.9.", "waveform"),
    ("1.2.840.10008.5.1.4.1.1.104.", "encapsulated document"),
    ("1.2.840.10008.5.1.4.1.1.4.2", "spectroscopy"),
    ("1.2.840.10008.5.1.4.1.1.66", "raw data"),
    ("1.2.840.10008.5.1.4.1.1.66.1", "registration"),
    ("1.2.840.10008.5.1.4.1.1.66.2", "fiducials"),
    ("1.2.840.10008.5.1.4.1.1.66.3", "registration"),
    ("1.2.840.10008.5.1.4.1.1.66.5", "surface"),
    ("1.2.840.10008.5.1.4.1.1.66.6", "tractography"),
    ("1.2.840.10008.5.1.4.1.1.67", "value mapping"),
    ("1.2.840.10008.5.1.4.1.1.68.", "surface"),
    ("1.2.840.10008.5.1.4.1.1.77.1.5.3", "stereometric relationship"),
    ("1.2.840.10008.5.1.4.1.1.78.", "ophthalmic measurements"),
    ("1.2.840.10008.5.1.4.1.1.79.1", "ophthalmic measurements"),
    ("1.2.840.10008.5.1.4.1.1.80.1", "ophthalmic measurements"),
    ("1.2.840.10008.5.1.4.1.1.90.1", "content assessment"),
    ("1.2.840.10008.5.1.4.1.1.91.1", "annotations"),
    ("1.2.840.10008.5.1.4.1.1.131", "structured display"),
    ("1.2.840.10008.5.1.4.1.1.200.", "protocol"),
    ("1.2.840.10008.5.1.4.1.1.201.", "inventory"),
    ("1.2.840.10008.5.1.4.1.1.481.", "radiotherapy plan or record"),
    ("1.2.840.10008.5.1.4.34.", "procedure step"),
    ("1.2.840.10008.5.1.4.38.1", "hanging protocol"),
    ("1.2.840.10008.5.1.4.39.1", "color palette"),
    ("1.2.840.10008.5.1.4.43.1", "implant template"),
    ("1.2.840.10008.5.1.4.44.1", "implant template"),
    ("1.2.840.10008.5.1.4.45.1", "implant template"),
    ("1.2.840.10008.3.1.2.3.3", "procedure step"),
];

/// Classes of radiotherapy that are images: portal images and dose grids.
const WITH_PIXELS: [&str; 4] = [
    "1.2.840.10008.5.1.4.1.1.481.1",
    "1.2.840.10008.5.1.4.1.1.481.2",
    "1.2.840.10008.5.1.4.1.1.481.23",
    "1.2.840.10008.5.1.4.1.1.481.24",
];

/// Kind of the object in a DICOM file that starts so, if objects of its class never have pixels.
///
/// Both places that name the class must agree, and a file that describes pixels is an image whatever it calls itself.
pub(crate) fn holds_no_image(start: &[u8]) -> Option<&'static str> {
    let (meta, data) = content::prefix(start)?;
    let class = |data: &DataSet<'_>, tag| data.text(tag).map(|uid| of_class(&uid));
    let stored = class(&meta, tags::MEDIA_STORAGE_SOP_CLASS_UID);
    let stated = data.as_ref().and_then(|data| class(data, tags::SOP_CLASS_UID));
    let has_pixels = data.is_some_and(|data| {
        [tags::ROWS, tags::COLUMNS, tags::PIXEL_DATA].into_iter().any(|tag| data.get(tag).is_some())
    });
    if has_pixels || stored == Some(None) || stated == Some(None) {
        return None;
    }
    stated.or(stored).flatten()
}

fn of_class(uid: &str) -> Option<&'static str> {
    if WITH_PIXELS.contains(&uid) {
        return None;
    }
    let is_of = |class: &str| if class.ends_with('.') { uid.starts_with(class) } else { uid == class };
    WITHOUT_PIXELS.iter().find(|(class, _)| is_of(class)).map(|&(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_told_apart() {
        for (uid, kind) in [
            ("1.2.840.10008.1.3.10", Some("DICOMDIR")),
            ("1.2.840.10008.5.1.4.1.1.88.11", Some("structured report")),
            ("1.2.840.10008.5.1.4.1.1.88.59", Some("key object selection")),
            ("1.2.840.10008.5.1.4.1.1.11.1", Some("presentation state")),
            ("1.2.840.10008.5.1.4.1.1.481.5", Some("radiotherapy plan or record")),
            ("1.2.840.10008.5.1.4.1.1.481.1", None),
            ("1.2.840.10008.5.1.4.1.1.66.4", None),
            ("1.2.840.10008.5.1.4.1.1.1.1", None),
            ("1.2.840.10008.5.1.4.1.1.7", None),
            ("1.3.12.2.1107.5.9.1", None),
            ("", None),
        ] {
            assert_eq!(of_class(uid), kind, "{uid}");
        }
    }
}
