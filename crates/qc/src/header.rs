//! What a DICOM header says of an image.

use crate::code::Code;

/// The attributes that are looked at; none where the header is silent or there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// Modality (0008,0060), such as `DX`.
    pub modality: Option<String>,
    /// Body Part Examined (0018,0015), such as `CHEST`.
    pub body_part: Option<String>,
    /// View Position (0018,5101), such as `PA`.
    pub view_position: Option<String>,
    /// Burned In Annotation (0028,0301): `YES` or `NO`.
    pub burned_in_annotation: Option<String>,
}

/// Modalities of projection radiographs: computed and digital radiography, radiographic and fluoroscopic imaging, and
/// secondary captures, which may be anything and are left to the other checks.
const RADIOGRAPHS: [&str; 6] = ["CR", "DX", "RG", "RF", "XR", "OT"];
/// Views from the side, as DICOM's View Position and common practice name them.
const LATERAL: [&str; 5] = ["LL", "RL", "LATERAL", "LAT", "LLD"];

impl Header {
    /// What it says that speaks against a frontal chest film.
    pub fn check(&self) -> Vec<Code> {
        let upper = |value: &Option<String>| {
            value.as_deref().map(|value| value.trim().to_uppercase()).filter(|value| !value.is_empty())
        };
        let says = |value: &Option<String>, wrong: &dyn Fn(&str) -> bool| {
            upper(value).is_some_and(|value| wrong(&value))
        };
        let is_chest = |part: &str| ["CHEST", "THORAX", "LUNG"].iter().any(|name| part.contains(name));
        let findings = [
            (Code::Modality, says(&self.modality, &|value| !RADIOGRAPHS.contains(&value))),
            (Code::BodyPart, says(&self.body_part, &|value| !is_chest(value))),
            (Code::Lateral, says(&self.view_position, &|value| LATERAL.contains(&value))),
            (Code::BurnedInText, says(&self.burned_in_annotation, &|value| value == "YES")),
        ];
        findings.into_iter().filter(|(_, found)| *found).map(|(code, _)| code).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_counts() {
        let header = |modality: &str, body_part: &str, view: &str, text: &str| {
            let [modality, body_part, view_position, burned_in_annotation] =
                [modality, body_part, view, text].map(|value| Some(value.to_owned()));
            Header { modality, body_part, view_position, burned_in_annotation }
        };
        assert_eq!(Header::default().check(), []);
        assert_eq!(header("", " ", "", "").check(), []);
        assert_eq!(header("DX", "CHEST", "PA", "NO").check(), []);
        assert_eq!(header("cr", "Chest, PA", "AP", "NO").check(), []);
        assert_eq!(
            header("CT", "HEAD", "LL", "YES").check(),
            [Code::Modality, Code::BodyPart, Code::Lateral, Code::BurnedInText]
        );
        assert_eq!(header("MG", "BREAST", "MLO", "NO").check(), [Code::Modality, Code::BodyPart]);
    }
}
