//! Values of interest: which values become black, which white, and how those between are spread.

use dicom_dictionary_std::tags;

use super::element::DataSet;
use super::functional::Functional;
use super::options::Voi;
use super::problem::Problem;
use super::table::LookupTable;

/// How a window spreads values (PS3.3, C.11.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum WindowFunction {
    /// Straight, with the half steps of whole numbers taken into account.
    #[default]
    Linear,
    /// Straight from `center − width / 2` to `center + width / 2`.
    LinearExact,
    /// A logistic curve of slope `1 / width` at the centre.
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
}

/// A window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Its centre, in values after the modality's transformation.
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

/// What spread the values of a film.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum VoiUsed {
    /// A window of the file, by number, or that of the options.
    Window {
        /// Its number in the file.
        index: Option<usize>,
        /// The window.
        window: Window,
    },
    /// A lookup table of the file.
    Table {
        /// Its number in the file.
        index: usize,
    },
    /// The frame's own lowest and highest value, padding aside.
    MinMax {
        /// Becomes black.
        low: f64,
        /// Becomes white.
        high: f64,
    },
    /// All values that the stored bits could give.
    FullRange {
        /// Becomes black.
        low: f64,
        /// Becomes white.
        high: f64,
    },
    /// None: colour is shown as it is.
    Colour,
}

/// A transformation to levels between black and white.
#[derive(Debug)]
pub(crate) enum Levels {
    Window(Window),
    Table(LookupTable),
    Straight { low: f64, high: f64 },
}

impl Levels {
    /// Chooses as `voi` says. `extremes` gives the frame's lowest and highest value, `range` what the stored bits could give.
    pub(crate) fn choose(
        voi: Voi,
        data: &DataSet<'_>,
        functional: &Functional<'_, '_>,
        extremes: impl FnOnce() -> (f64, f64),
        range: (f64, f64),
    ) -> Result<(Self, VoiUsed), Problem> {
        let tables = data.items(tags::VOILUT_SEQUENCE);
        let table = |index: usize| -> Result<(Self, VoiUsed), Problem> {
            let missing = Problem::NoSuchVoi { what: "VOI LUTs", index, count: tables.len() };
            let item = tables.get(index).ok_or(missing)?;
            let table = LookupTable::of_item(item, "VOI LUT", range.0 < 0.0)?;
            Ok((Self::Table(table), VoiUsed::Table { index }))
        };
        let window = |windows: &[Window], index: usize| -> Result<(Self, VoiUsed), Problem> {
            let missing = Problem::NoSuchVoi { what: "windows", index, count: windows.len() };
            let window = windows.get(index).ok_or(missing)?.check()?;
            Ok((Self::Window(window), VoiUsed::Window { index: Some(index), window }))
        };
        let min_max = || -> Result<(Self, VoiUsed), Problem> {
            let (low, high) = extremes();
            Ok((Self::Straight { low, high }, VoiUsed::MinMax { low, high }))
        };
        match voi {
            Voi::File if !tables.is_empty() => table(0),
            Voi::File => match &windows(data, functional)?[..] {
                [] => min_max(),
                windows => window(windows, 0),
            },
            Voi::Table(index) => table(index),
            Voi::Window(index) => window(&windows(data, functional)?, index),
            Voi::Given(window) => {
                let window = window.check()?;
                Ok((Self::Window(window), VoiUsed::Window { index: None, window }))
            }
            Voi::MinMax => min_max(),
            Voi::FullRange => {
                let (low, high) = range;
                Ok((Self::Straight { low, high }, VoiUsed::FullRange { low, high }))
            }
        }
    }

    /// A value's grey level.
    pub(crate) fn grey(&self, value: f64) -> u8 {
        let level = match self {
            Self::Window(window) => window.level(value),
            Self::Table(table) => f64::from(table.get(value.round() as i64)) / table.max(),
            // A frame of one value is black.
            Self::Straight { low, high } if low >= high => 0.0,
            Self::Straight { low, high } => ((value - low) / (high - low)).clamp(0.0, 1.0),
        };
        (level * 255.0).round() as u8
    }
}

/// The windows of a frame, in the order of the file.
fn windows(data: &DataSet<'_>, functional: &Functional<'_, '_>) -> Result<Vec<Window>, Problem> {
    let group = functional.find(tags::FRAME_VOILUT_SEQUENCE);
    let source = group.filter(|group| group.bytes(tags::WINDOW_CENTER).is_some()).unwrap_or(data);
    let centers = source.numbers(tags::WINDOW_CENTER, "WindowCenter")?;
    let widths = source.numbers(tags::WINDOW_WIDTH, "WindowWidth")?;
    let function = match source.text(tags::VOILUT_FUNCTION).as_deref() {
        None | Some("LINEAR") => WindowFunction::Linear,
        Some("LINEAR_EXACT") => WindowFunction::LinearExact,
        Some("SIGMOID") => WindowFunction::Sigmoid,
        Some(other) => {
            return Err(Problem::Invalid {
                attribute: "VOILUTFunction",
                value: other.chars().take(32).collect(),
                expected: "LINEAR, LINEAR_EXACT or SIGMOID",
            });
        }
    };
    if centers.len() != widths.len() {
        return Err(Problem::Invalid {
            attribute: "WindowWidth",
            value: format!("{} numbers", widths.len()),
            expected: "as many as WindowCenter has",
        });
    }
    Ok(centers.into_iter().zip(widths).map(|(center, width)| Window { center, width, function }).collect())
}
