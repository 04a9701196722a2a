//! What a caller may choose.

use super::window::Window;
use crate::film::PatientFields;

/// How a DICOM file becomes an 8-bit gray image.
///
/// Fields are in the order in which they apply:
///
/// 1. `frame` is decoded and its stored bits become signed or unsigned numbers.
/// 2. `modality`: the Modality LUT, else rescale slope and intercept.
/// 3. `voi`: a VOI LUT, else a window, else lowest to highest value.
/// 4. `lut_bits`: the entry of a VOI LUT that is white. Palettes and the range of a Modality LUT are scaled in the same way.
/// 5. `presentation`: `MONOCHROME1` and `PresentationLUTShape` `INVERSE` turn black and white. Both together turn once.
/// 6. Rounding to 8 bits.
/// 7. `square_pixels`: the side along which pixels are longer gets more of them.
///
/// Of color (secondary captures: RGB, luma and chroma, palettes) frame, conversion to RGB, `lut_bits`, gray as for color JPEG and
/// PNG, and square pixels apply, the others have no meaning.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "switches that do not depend on each other")]
pub struct DicomOptions {
    /// Which frame, from 0.
    pub frame: u32,
    /// Whether the modality's transformation applies.
    pub modality: bool,
    /// What becomes black and what white.
    pub voi: Voi,
    /// How many bits an entry of a lookup table has.
    pub lut_bits: LutBits,
    /// Whether inverted images are turned.
    pub presentation: bool,
    /// Whether pixels that are not square are made so.
    pub square_pixels: bool,
    /// What the film's identity says of the patient.
    pub patient: PatientFields,
}

impl Default for DicomOptions {
    /// The first frame as the file wants it shown, without the patient.
    fn default() -> Self {
        Self {
            frame: 0,
            modality: true,
            voi: Voi::File,
            lut_bits: LutBits::Used,
            presentation: true,
            square_pixels: true,
            patient: PatientFields::default(),
        }
    }
}

/// How many bits an entry of a lookup table has: the highest number of so many bits is white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum LutBits {
    /// As many as the largest entry takes. Descriptors claim 16 where entries have 12; such films would be nearly black.
    #[default]
    Used,
    /// As many as the table's descriptor claims.
    Declared,
}

/// Which values become black and white.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Voi {
    /// The file's first usable VOI LUT, else its first usable window, else as [`Voi::MinMax`]. Notes say what was not usable.
    #[default]
    File,
    /// The file's window of this number, from 0.
    Window(usize),
    /// The file's VOI LUT of this number, from 0.
    Table(usize),
    /// This window.
    Given(Window),
    /// From the frame's lowest to its highest value; pixel padding does not count.
    MinMax,
    /// From the lowest to the highest value that the stored bits could give: no value of interest at all.
    FullRange,
}
