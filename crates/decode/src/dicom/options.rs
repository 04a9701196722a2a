//! What a caller may choose.

use super::voi::Window;

/// How a DICOM file becomes an 8-bit grey image.
///
/// Fields are in the order in which they apply:
///
/// 1. `frame` is decoded and its stored bits become signed or unsigned numbers.
/// 2. `modality`: the Modality LUT, else rescale slope and intercept.
/// 3. `voi`: a VOI LUT, else a window, else lowest to highest value.
/// 4. `presentation`: `MONOCHROME1` and `PresentationLUTShape` `INVERSE` turn black and white. Both together turn once.
/// 5. Rounding to 8 bits.
/// 6. `square_pixels`: the side along which pixels are longer gets more of them.
///
/// Of colour (secondary captures: RGB, luma and chroma, palettes) frame, conversion to RGB, grey as for colour JPEG and PNG,
/// and square pixels apply, the others have no meaning.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "switches that do not depend on each other")]
pub struct DicomOptions {
    /// Which frame, from 0.
    pub frame: u32,
    /// Whether the modality's transformation applies.
    pub modality: bool,
    /// What becomes black and what white.
    pub voi: Voi,
    /// Whether inverted images are turned.
    pub presentation: bool,
    /// Whether pixels that are not square are made so.
    pub square_pixels: bool,
    /// Whether the film's identity names the patient.
    pub patient: bool,
}

impl Default for DicomOptions {
    /// The first frame as the file wants it shown, without the patient.
    fn default() -> Self {
        Self {
            frame: 0,
            modality: true,
            voi: Voi::File,
            presentation: true,
            square_pixels: true,
            patient: false,
        }
    }
}

/// Which values become black and white.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Voi {
    /// The file's first VOI LUT, else its first window, else as [`Voi::MinMax`].
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
