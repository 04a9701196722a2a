//! How films are shown, as the command line says it.

#[cfg(feature = "dicom")]
use std::num::NonZeroU32;

use clap::Args;
use medclip_decode::DecodeOptions;
#[cfg(feature = "dicom")]
use medclip_decode::dicom::{LutBits, Voi};

/// Help heading of these settings.
#[cfg(feature = "dicom")]
const HEADING: &str = "Frames and gray levels";

/// Which frame, and what becomes black and white.
#[derive(Debug, Args)]
pub(crate) struct DecodeArgs {
    /// Frame of DICOM files, or page of TIFF files, with several, counted from 1 [default: the first frame; a TIFF file has to have
    /// one page]
    #[cfg(feature = "dicom")]
    #[arg(long, help_heading = HEADING, value_name = "N")]
    frame: Option<NonZeroU32>,
    /// Values that become black and white: `file` for what the file asks for, `window=N` or `lut=N` for its N-th, `min-max`,
    /// or a window as `CENTER,WIDTH` or `CENTER,WIDTH,FUNCTION`
    ///
    /// The first window and the first table are number 1. Functions are linear, `linear_exact` and sigmoid. A window or `min-max`
    /// applies to the samples of files that are not DICOM, too.
    #[cfg(feature = "dicom")]
    #[arg(long, help_heading = HEADING, value_name = "VALUES", default_value_t, allow_hyphen_values = true)]
    window: Voi,
    /// Bits of an entry of a lookup table: `used` for as many as the largest entry takes, `declared` for as many as the table's
    /// descriptor claims, which is often 16 where entries have 12
    #[cfg(feature = "dicom")]
    #[arg(long, help_heading = HEADING, value_name = "BITS", default_value_t)]
    lut_bits: LutBits,
}

impl DecodeArgs {
    #[cfg(feature = "dicom")]
    pub(crate) fn options(&self) -> DecodeOptions {
        DecodeOptions::shown(self.frame, self.window, self.lut_bits)
    }

    /// There is nothing to choose.
    #[cfg(not(feature = "dicom"))]
    #[allow(clippy::unused_self, reason = "builds with DICOM have settings")]
    pub(crate) fn options(&self) -> DecodeOptions {
        DecodeOptions::default()
    }
}
