//! Windows, and those of a file as it writes them.

use dicom_dictionary_std::tags;

use super::element::DataSet;
use super::functional::Functional;
use super::number::Decimals;
use super::problem::Problem;
use crate::note::Note;

/// How a window spreads values (PS3.3, C.11.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum WindowFunction {
    /// Straight, with the half steps of whole numbers taken into account.
    #[default]
    Linear,
    /// Straight from `center − width / 2` to `center + width / 2`.
    LinearExact,
    /// A logistic curve of slope `1 / width` at the center.
    Sigmoid,
}

impl WindowFunction {
    /// As `VOILUTFunction` writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linear => "LINEAR",
            Self::LinearExact => "LINEAR_EXACT",
            Self::Sigmoid => "SIGMOID",
        }
    }

    /// The function of a name in any case, with any mark between its words.
    fn of(name: &str) -> Option<Self> {
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        match letters.to_ascii_uppercase().as_str() {
            "LINEAR" => Some(Self::Linear),
            "LINEAREXACT" => Some(Self::LinearExact),
            "SIGMOID" => Some(Self::Sigmoid),
            _ => None,
        }
    }
}

/// A window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Its center, in values after the modality's transformation.
    pub center: f64,
    /// Its width in the same unit.
    pub width: f64,
    /// How it spreads values.
    pub function: WindowFunction,
}

impl Window {
    /// Black 0 to white 1.
    pub(crate) fn level(&self, value: f64) -> f64 {
        let Self { center, width, function } = *self;
        match function {
            WindowFunction::Linear if width <= 1.0 => f64::from(u8::from(value > center - 0.5)),
            WindowFunction::Linear => ((value - (center - 0.5)) / (width - 1.0) + 0.5).clamp(0.0, 1.0),
            WindowFunction::LinearExact => ((value - center) / width + 0.5).clamp(0.0, 1.0),
            WindowFunction::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - center) / width).exp()),
        }
    }

    pub(crate) fn check(self) -> Result<Self, Problem> {
        let least = if self.function == WindowFunction::Linear { 1.0 } else { f64::MIN_POSITIVE };
        if self.center.is_finite() && self.width.is_finite() && self.width >= least {
            return Ok(self);
        }
        Err(Problem::Window { center: self.center, width: self.width, function: self.function.name() })
    }
}

/// The windows of a frame, in the order of the file, the usable ones and the others.
#[derive(Debug, Default)]
pub(super) struct Windows {
    centers: Option<Decimals>,
    widths: Option<Decimals>,
    function: WindowFunction,
    /// A function that there is not.
    unknown: Option<String>,
}

impl Windows {
    /// Those of the frame's group, or those of the file where the group has none that is usable.
    pub(super) fn of(data: &DataSet<'_>, functional: &Functional<'_, '_>) -> Self {
        let group = functional.find(tags::FRAME_VOILUT_SEQUENCE).map(Self::of_set);
        match group {
            Some(group) if group.first_usable().is_some() => group,
            Some(group) => {
                let own = Self::of_set(data);
                if own.count() == 0 { group } else { own }
            }
            None => Self::of_set(data),
        }
    }

    fn of_set(data: &DataSet<'_>) -> Self {
        let written = data.text(tags::VOILUT_FUNCTION);
        let function = written.as_deref().map(WindowFunction::of);
        Self {
            centers: data.decimals(tags::WINDOW_CENTER),
            widths: data.decimals(tags::WINDOW_WIDTH),
            function: function.flatten().unwrap_or_default(),
            unknown: written.filter(|_| function == Some(None)),
        }
    }

    /// Places that hold the start of a window or a whole one; empty ones at the end do not count.
    pub(super) fn count(&self) -> usize {
        let len = |decimals: &Option<Decimals>| decimals.as_ref().map_or(0, |decimals| decimals.values.len());
        let most = len(&self.centers).max(len(&self.widths));
        // A backslash after the last value starts an empty one.
        let ends_empty = |decimals: &Option<Decimals>| {
            decimals.as_ref().is_none_or(|decimals| {
                decimals.values.len() < most
                    || decimals.values.last() == Some(&None) && decimals.written.ends_with('\\')
            })
        };
        if most > 1 && ends_empty(&self.centers) && ends_empty(&self.widths) { most - 1 } else { most }
    }

    /// The window of this number, from 0.
    pub(super) fn get(&self, index: usize) -> Result<Window, Problem> {
        let number = |decimals: &Option<Decimals>, attribute| match decimals {
            None => Err(Problem::Missing { attribute }),
            Some(decimals) => decimals.values.get(index).copied().flatten().ok_or_else(|| Problem::Invalid {
                attribute,
                value: decimals.written.clone(),
                expected: "a number for each window",
            }),
        };
        let center = number(&self.centers, "WindowCenter")?;
        let width = number(&self.widths, "WindowWidth")?;
        Window { center, width, function: self.function }.check()
    }

    /// The first window that maps anything, and its number from 0.
    pub(super) fn first_usable(&self) -> Option<(usize, Window)> {
        (0..self.count()).find_map(|index| Some((index, self.get(index).ok()?)))
    }

    /// Notes what is odd about them; `used` is the number from 0 of the one that is shown.
    pub(super) fn note(&self, used: Option<usize>, notes: &mut Vec<Note>) {
        let count = self.count();
        let usable = (0..count).filter(|&index| self.get(index).is_ok()).count();
        let written = [&self.centers, &self.widths];
        let is_ragged = written
            .iter()
            .any(|decimals| decimals.as_ref().is_some_and(|decimals| decimals.values.len() != count));
        if usable < count || is_ragged {
            notes.push(Note::Windows { written: count, usable, used: used.map(|index| index + 1) });
        }
        if used.is_none() {
            return;
        }
        for (attribute, decimals) in ["WindowCenter", "WindowWidth"].into_iter().zip(written) {
            if let Some(Decimals { comma: true, written, .. }) = decimals {
                notes.push(Note::DecimalComma { attribute, value: written.clone() });
            }
        }
        if let Some(unknown) = &self.unknown {
            notes.push(Note::AttributeAssumed {
                attribute: "VOILUTFunction",
                value: unknown.chars().take(32).collect(),
                assumed: self.function.name().to_owned(),
            });
        }
    }
}
