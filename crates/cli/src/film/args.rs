//! How films are shown, as the command line says it.

#[cfg(feature = "search")]
use std::collections::BTreeMap;
#[cfg(feature = "dicom")]
use std::fmt::Display;
#[cfg(feature = "dicom")]
use std::num::NonZeroU32;

use clap::Args;
#[cfg(feature = "search")]
use clap::Parser as _;
use medclip_decode::DecodeOptions;
#[cfg(feature = "dicom")]
use medclip_decode::RasterOptions;
#[cfg(feature = "dicom")]
use medclip_decode::dicom::{DicomOptions, LutBits, Voi, Window, WindowFunction};

/// Help heading of these settings.
#[cfg(feature = "dicom")]
const HEADING: &str = "Frames and gray levels";

/// Which frame, and what becomes black and white.
#[derive(Debug, Args)]
pub(crate) struct DicomArgs {
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
    #[arg(long, help_heading = HEADING, value_name = "VALUES", default_value = "file", value_parser = voi)]
    #[arg(allow_hyphen_values = true)]
    window: Voi,
    /// Bits of an entry of a lookup table: `used` for as many as the largest entry takes, `declared` for as many as the table's
    /// descriptor claims, which is often 16 where entries have 12
    #[cfg(feature = "dicom")]
    #[arg(long, help_heading = HEADING, value_name = "BITS", default_value = "used", value_parser = lut_bits)]
    lut_bits: LutBits,
}

impl DicomArgs {
    /// For files whose patient is named or not.
    #[cfg(feature = "dicom")]
    pub(crate) fn options(&self, patient: bool) -> DecodeOptions {
        let frame = self.frame.map(|frame| frame.get() - 1);
        let levels = self.window.into();
        DecodeOptions {
            dicom: DicomOptions {
                frame: frame.unwrap_or(0),
                voi: self.window,
                lut_bits: self.lut_bits,
                patient,
                ..DicomOptions::default()
            },
            raster: RasterOptions { page: frame, levels, ..RasterOptions::default() },
        }
    }

    /// There is nothing to choose.
    #[cfg(not(feature = "dicom"))]
    #[allow(clippy::unused_self, reason = "builds with DICOM have settings")]
    pub(crate) fn options(&self, _patient: bool) -> DecodeOptions {
        DecodeOptions::default()
    }
}

#[cfg(feature = "search")]
impl DicomArgs {
    /// The options that [`DicomArgs::recorded`] tells, the default where one is not recorded.
    ///
    /// # Errors
    /// When a value is none that this program knows.
    pub(crate) fn from_recorded(recorded: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            dicom: DicomArgs,
        }
        let Line { dicom } = Line::try_parse_from([""])?;
        let known = dicom.recorded();
        let value = |name: &str| recorded.get(name).filter(|&value| value != FIRST);
        let given = known.iter().filter_map(|(name, _)| Some(format!("--{name}={}", value(name)?)));
        Ok(Line::try_parse_from([String::new()].into_iter().chain(given))?.dicom)
    }
}

#[cfg(feature = "archive")]
impl DicomArgs {
    /// What moves a score.
    pub(crate) fn recorded(&self) -> Vec<(String, String)> {
        #[cfg(feature = "dicom")]
        return vec![
            ("frame".to_owned(), self.frame.map_or_else(|| FIRST.to_owned(), |frame| frame.to_string())),
            ("window".to_owned(), text_of(self.window)),
            ("lut-bits".to_owned(), text_of_bits(self.lut_bits).to_owned()),
        ];
        #[cfg(not(feature = "dicom"))]
        return Vec::new();
    }
}

/// Recorded where no frame was asked for.
#[cfg(feature = "archive")]
const FIRST: &str = "first";

/// As the option takes it.
#[cfg(all(feature = "dicom", feature = "archive"))]
const fn text_of_bits(bits: LutBits) -> &'static str {
    match bits {
        LutBits::Declared => "declared",
        _ => "used",
    }
}

/// As the option takes it.
#[cfg(all(feature = "dicom", feature = "archive"))]
fn text_of(voi: Voi) -> String {
    match voi {
        Voi::File => "file".to_owned(),
        Voi::MinMax => "min-max".to_owned(),
        Voi::Window(index) => format!("window={}", index + 1),
        Voi::Table(index) => format!("lut={}", index + 1),
        Voi::Given(Window { center, width, function }) => {
            format!("{center},{width},{}", function.name().to_ascii_lowercase())
        }
        // One that no option gives.
        other => format!("{other:?}"),
    }
}

#[cfg(feature = "dicom")]
fn lut_bits(text: &str) -> Result<LutBits, String> {
    match text {
        "used" => Ok(LutBits::Used),
        "declared" => Ok(LutBits::Declared),
        other => Err(problem(other, "neither used nor declared")),
    }
}

#[cfg(feature = "dicom")]
fn voi(text: &str) -> Result<Voi, String> {
    let index = |number: &str| match number.parse::<usize>() {
        Ok(number) if number > 0 => Ok(number - 1),
        _ => Err(format!("`{number}` is no number from 1")),
    };
    match text {
        "file" => return Ok(Voi::File),
        "min-max" => return Ok(Voi::MinMax),
        _ => {}
    }
    if let Some(number) = text.strip_prefix("window=") {
        return index(number).map(Voi::Window);
    }
    if let Some(number) = text.strip_prefix("lut=") {
        return index(number).map(Voi::Table);
    }
    let number = |part: &str| part.trim().parse::<f64>().map_err(|error| problem(part, error));
    let parts: Vec<&str> = text.split(',').collect();
    let (center, width, function) = match parts[..] {
        [center, width] => (number(center)?, number(width)?, WindowFunction::Linear),
        [center, width, function] => (number(center)?, number(width)?, window_function(function.trim())?),
        _ => return Err("neither file, min-max, window=N, lut=N nor CENTER,WIDTH".to_owned()),
    };
    Ok(Voi::Given(Window { center, width, function }))
}

#[cfg(feature = "dicom")]
fn window_function(name: &str) -> Result<WindowFunction, String> {
    match name {
        "linear" => Ok(WindowFunction::Linear),
        "linear_exact" => Ok(WindowFunction::LinearExact),
        "sigmoid" => Ok(WindowFunction::Sigmoid),
        other => Err(problem(other, "not linear, linear_exact or sigmoid")),
    }
}

#[cfg(feature = "dicom")]
fn problem(part: &str, reason: impl Display) -> String {
    format!("`{part}`: {reason}")
}

#[cfg(all(test, feature = "dicom"))]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_and_names_what_it_cannot() {
        let given = |center, width, function| Voi::Given(Window { center, width, function });
        for (text, expected) in [
            ("file", Voi::File),
            ("min-max", Voi::MinMax),
            ("window=2", Voi::Window(1)),
            ("lut=1", Voi::Table(0)),
            ("-600, 1500", given(-600.0, 1500.0, WindowFunction::Linear)),
            ("40,400,sigmoid", given(40.0, 400.0, WindowFunction::Sigmoid)),
        ] {
            assert_eq!(voi(text), Ok(expected));
            #[cfg(feature = "archive")]
            assert_eq!(voi(&text_of(expected)), Ok(expected));
        }
        for (text, reason) in [
            ("window=0", "`0` is no number from 1"),
            ("1", "neither file"),
            ("1,wide", "`wide`"),
            ("1,2,cubic", "`cubic`: not linear"),
        ] {
            assert!(voi(text).unwrap_err().starts_with(reason), "{text}");
        }
        assert_eq!(lut_bits("declared"), Ok(LutBits::Declared));
        assert!(lut_bits("12").unwrap_err().starts_with("`12`: neither used"));
    }

    #[cfg(feature = "search")]
    #[test]
    fn recorded_options_come_back() {
        for (frame, window) in
            [("first", "file"), ("1", "file"), ("3", "min-max"), ("2", "-600,1500,linear"), ("1", "lut=2")]
        {
            let recorded = [("frame", frame), ("window", window), ("lut-bits", "declared"), ("qc", "")];
            let recorded = recorded.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            let args = DicomArgs::from_recorded(&recorded).unwrap().recorded();
            assert_eq!(args.iter().find(|(name, _)| name == "frame").unwrap().1, frame);
            assert_eq!(args.iter().find(|(name, _)| name == "window").unwrap().1, window);
            assert_eq!(args.iter().find(|(name, _)| name == "lut-bits").unwrap().1, "declared");
        }
        let unknown = [("window".to_owned(), "bright".to_owned())].into();
        assert!(DicomArgs::from_recorded(&unknown).is_err());
    }
}
