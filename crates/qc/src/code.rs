//! What a check found, by a name that does not change.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// What is unusual about an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The header names another modality than projection radiography.
    Modality,
    /// The header names another body part than the chest.
    BodyPart,
    /// A lateral view.
    Lateral,
    /// Gray is inverted: bone is dark.
    Inverted,
    /// Turned by 90 degrees, counter-clockwise.
    Rotated90,
    /// Upside down.
    Rotated180,
    /// Turned by 90 degrees, clockwise.
    Rotated270,
    /// A part of a film.
    Cropped,
    /// No chest film: a photograph, a slice, a page.
    NotAChestFilm,
    /// Color in the pixels: a photograph, a chart, a capture of a screen.
    Color,
    /// Hardly any contrast.
    Blank,
    /// Most of the image is white.
    OverExposed,
    /// Most of the image is black.
    UnderExposed,
    /// Fewer pixels than the findings need.
    LowResolution,
    /// A wide frame of one gray around the film.
    Border,
    /// Text in the pixels: it may name the patient, and it may give the finding away.
    BurnedInText,
    /// A part of the image's data is missing: fine detail is not there.
    IncompleteScan,
}

/// A name that is no code's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no intake check; there are {names}", names = Code::ALL.map(Code::name).join(", "))]
pub struct UnknownCode(String);

impl Code {
    /// Every code.
    pub const ALL: [Self; 17] = [
        Self::Modality,
        Self::BodyPart,
        Self::Lateral,
        Self::Inverted,
        Self::Rotated90,
        Self::Rotated180,
        Self::Rotated270,
        Self::Cropped,
        Self::NotAChestFilm,
        Self::Color,
        Self::Blank,
        Self::OverExposed,
        Self::UnderExposed,
        Self::LowResolution,
        Self::Border,
        Self::BurnedInText,
        Self::IncompleteScan,
    ];

    /// Its name in output and settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Modality => "modality",
            Self::BodyPart => "body_part",
            Self::Lateral => "lateral",
            Self::Inverted => "inverted",
            Self::Rotated90 => "rotated_90",
            Self::Rotated180 => "rotated_180",
            Self::Rotated270 => "rotated_270",
            Self::Cropped => "cropped",
            Self::NotAChestFilm => "not_a_chest_film",
            Self::Color => "colour",
            Self::Blank => "blank",
            Self::OverExposed => "over_exposed",
            Self::UnderExposed => "under_exposed",
            Self::LowResolution => "low_resolution",
            Self::Border => "border",
            Self::BurnedInText => "burned_in_text",
            Self::IncompleteScan => "incomplete_scan",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(name: &str) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|code| code.name() == name).ok_or_else(|| UnknownCode(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_others_are_refused() {
        for code in Code::ALL {
            assert_eq!(code.name().parse(), Ok(code));
        }
        let message = "sideways".parse::<Code>().unwrap_err().to_string();
        assert!(message.contains("`sideways`") && message.contains("rotated_90"), "{message}");
    }
}
