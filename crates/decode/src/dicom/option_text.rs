//! Options as texts, and texts as options.

use std::fmt::{self, Display};
use std::str::FromStr;

use thiserror::Error;

use super::options::{LutBits, Voi};
use super::window::{Window, WindowFunction};

/// A text that is no option.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct OptionError(String);

impl OptionError {
    fn of(part: &str, reason: impl Display) -> Self {
        Self(format!("`{part}`: {reason}"))
    }
}

/// `file`, `min-max`, `window=N` or `lut=N` from 1, or `CENTER,WIDTH,FUNCTION`; `full-range` has no other form.
impl Display for Voi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("file"),
            Self::MinMax => f.write_str("min-max"),
            Self::FullRange => f.write_str("full-range"),
            Self::Window(index) => write!(f, "window={}", index + 1),
            Self::Table(index) => write!(f, "lut={}", index + 1),
            Self::Given(Window { center, width, function }) => {
                write!(f, "{center},{width},{}", function.name().to_ascii_lowercase())
            }
        }
    }
}

/// What [`Voi`] displays as; the function of a window may be left out, and is linear then.
impl FromStr for Voi {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, OptionError> {
        let index = |number: &str| match number.parse::<usize>() {
            Ok(number) if number > 0 => Ok(number - 1),
            _ => Err(OptionError(format!("`{number}` is no number from 1"))),
        };
        match text {
            "file" => return Ok(Self::File),
            "min-max" => return Ok(Self::MinMax),
            "full-range" => return Ok(Self::FullRange),
            _ => {}
        }
        if let Some(number) = text.strip_prefix("window=") {
            return index(number).map(Self::Window);
        }
        if let Some(number) = text.strip_prefix("lut=") {
            return index(number).map(Self::Table);
        }
        let number = |part: &str| part.trim().parse::<f64>().map_err(|error| OptionError::of(part, error));
        let parts: Vec<&str> = text.split(',').collect();
        let (center, width, function) = match parts[..] {
            [center, width] => (number(center)?, number(width)?, WindowFunction::Linear),
            [center, width, name] => (number(center)?, number(width)?, function(name.trim())?),
            _ => {
                let forms = "neither file, min-max, full-range, window=N, lut=N nor CENTER,WIDTH";
                return Err(OptionError(forms.to_owned()));
            }
        };
        Ok(Self::Given(Window { center, width, function }))
    }
}

fn function(name: &str) -> Result<WindowFunction, OptionError> {
    match name {
        "linear" => Ok(WindowFunction::Linear),
        "linear_exact" => Ok(WindowFunction::LinearExact),
        "sigmoid" => Ok(WindowFunction::Sigmoid),
        other => Err(OptionError::of(other, "not linear, linear_exact or sigmoid")),
    }
}

/// `used` or `declared`.
impl Display for LutBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Used => "used",
            Self::Declared => "declared",
        })
    }
}

impl FromStr for LutBits {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, OptionError> {
        match text {
            "used" => Ok(Self::Used),
            "declared" => Ok(Self::Declared),
            other => Err(OptionError::of(other, "neither used nor declared")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written_and_others_are_named() {
        let given = |center, width, function| Voi::Given(Window { center, width, function });
        for (text, expected) in [
            ("file", Voi::File),
            ("min-max", Voi::MinMax),
            ("full-range", Voi::FullRange),
            ("window=2", Voi::Window(1)),
            ("lut=1", Voi::Table(0)),
            ("-600, 1500", given(-600.0, 1500.0, WindowFunction::Linear)),
            ("40.5,400,sigmoid", given(40.5, 400.0, WindowFunction::Sigmoid)),
            ("1,2,linear_exact", given(1.0, 2.0, WindowFunction::LinearExact)),
        ] {
            assert_eq!(text.parse(), Ok(expected));
            assert_eq!(expected.to_string().parse(), Ok(expected));
        }
        for (text, reason) in [
            ("window=0", "`0` is no number from 1"),
            ("1", "neither file"),
            ("1,wide", "`wide`"),
            ("1,2,cubic", "`cubic`: not linear"),
        ] {
            assert!(text.parse::<Voi>().unwrap_err().to_string().starts_with(reason), "{text}");
        }
        for bits in [LutBits::Used, LutBits::Declared] {
            assert_eq!(bits.to_string().parse(), Ok(bits));
        }
        assert!("12".parse::<LutBits>().unwrap_err().to_string().starts_with("`12`: neither used"));
    }
}
