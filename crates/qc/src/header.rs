//! What a DICOM header says of an image.

use medclip_decode::Identity;

use crate::code::Code;

/// Modalities of projection radiographs: computed and digital radiography, radiographic and fluoroscopic imaging, and
/// secondary captures, which may be anything and are left to the other checks.
const RADIOGRAPHS: [&str; 6] = ["CR", "DX", "RG", "RF", "XR", "OT"];
/// Views from the side, as DICOM's View Position and common practice name them.
const LATERAL: [&str; 5] = ["LL", "RL", "LATERAL", "LAT", "LLD"];

/// What a header says that speaks against a frontal chest film.
pub fn check(header: &Identity) -> Vec<Code> {
    let upper = |value: &Option<String>| {
        value.as_deref().map(|value| value.trim().to_uppercase()).filter(|value| !value.is_empty())
    };
    let says = |value: &Option<String>, wrong: &dyn Fn(&str) -> bool| {
        upper(value).is_some_and(|value| wrong(&value))
    };
    let is_chest = |part: &str| ["CHEST", "THORAX", "LUNG"].iter().any(|name| part.contains(name));
    let findings = [
        (Code::Modality, says(&header.modality, &|value| !RADIOGRAPHS.contains(&value))),
        (Code::BodyPart, says(&header.body_part, &|value| !is_chest(value))),
        (Code::Lateral, says(&header.view_position, &|value| LATERAL.contains(&value))),
        (Code::BurnedInText, says(&header.burned_in_annotation, &|value| value == "YES")),
    ];
    findings.into_iter().filter(|(_, found)| *found).map(|(code, _)| code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_counts() {
        let header = |modality: &str, body_part: &str, view: &str, text: &str| {
            let mut header = Identity::default();
            [header.modality, header.body_part, header.view_position, header.burned_in_annotation] =
                [modality, body_part, view, text].map(|value| Some(value.to_owned()));
            check(&header)
        };
        assert_eq!(check(&Identity::default()), []);
        assert_eq!(header("", " ", "", ""), []);
        assert_eq!(header("DX", "CHEST", "PA", "NO"), []);
        assert_eq!(header("cr", "Chest, PA", "AP", "NO"), []);
        assert_eq!(
            header("CT", "HEAD", "LL", "YES"),
            [Code::Modality, Code::BodyPart, Code::Lateral, Code::BurnedInText]
        );
        assert_eq!(header("MG", "BREAST", "MLO", "NO"), [Code::Modality, Code::BodyPart]);
    }
}
