//! Values of interest: which values become black, which white, and how those between are spread.

use dicom_dictionary_std::tags;

use super::element::DataSet;
use super::functional::Functional;
use super::options::{DicomOptions, Voi};
use super::problem::Problem;
use super::table::{LookupTable, highest};
use super::window::{Window, Windows};
use crate::note::Note;

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
    /// None: color is shown as it is.
    Color,
}

/// A transformation to levels between black and white.
#[derive(Debug)]
pub(crate) enum Levels {
    Window(Window),
    Table { table: LookupTable, white: f64 },
    Straight { low: f64, high: f64 },
}

/// What there is to choose from.
struct Choice<'c, 'd, 'a, E> {
    data: &'d DataSet<'a>,
    functional: &'c Functional<'d, 'a>,
    options: &'c DicomOptions,
    extremes: E,
    range: (f64, f64),
}

impl Levels {
    /// Chooses as the options say. `extremes` gives the frame's lowest and highest value, `range` what the stored bits could give.
    pub(crate) fn choose<'d, 'a>(
        options: &DicomOptions,
        data: &'d DataSet<'a>,
        functional: &Functional<'d, 'a>,
        extremes: impl Fn() -> (f64, f64),
        range: (f64, f64),
        notes: &mut Vec<Note>,
    ) -> Result<(Self, VoiUsed), Problem> {
        let choice = Choice { data, functional, options, extremes, range };
        match options.voi {
            Voi::File => choice.of_file(notes),
            Voi::Table(index) => choice.table(index, notes),
            Voi::Window(index) => {
                let windows = Windows::of(data, functional);
                if index >= windows.count() {
                    return Err(Problem::NoSuchVoi { what: "windows", index, count: windows.count() });
                }
                let window = windows.get(index)?;
                windows.note(Some(index), notes);
                Ok((Self::Window(window), VoiUsed::Window { index: Some(index), window }))
            }
            Voi::Given(window) => {
                let window = window.check()?;
                Ok((Self::Window(window), VoiUsed::Window { index: None, window }))
            }
            Voi::MinMax => Ok(choice.min_max()),
            Voi::FullRange => {
                let (low, high) = range;
                Ok((Self::Straight { low, high }, VoiUsed::FullRange { low, high }))
            }
        }
    }

    /// A value's gray level.
    pub(crate) fn gray(&self, value: f64) -> u8 {
        let level = match self {
            Self::Window(window) => window.level(value),
            Self::Table { table, white } => f64::from(table.get(value.round() as i64)) / white,
            // A frame of one value is black.
            Self::Straight { low, high } if low >= high => 0.0,
            Self::Straight { low, high } => ((value - low) / (high - low)).clamp(0.0, 1.0),
        };
        (level * 255.0).round() as u8
    }
}

impl<E: Fn() -> (f64, f64)> Choice<'_, '_, '_, E> {
    /// The first usable table, else the first usable window, else lowest to highest. A table that is not usable is passed over
    /// only for a window: without one, nothing says how the film is to be shown.
    fn of_file(&self, notes: &mut Vec<Note>) -> Result<(Levels, VoiUsed), Problem> {
        let mut unusable = None;
        match self.data.sequence(tags::VOILUT_SEQUENCE, "VOILUTSequence") {
            Ok(items) => {
                for (index, item) in items.iter().enumerate() {
                    if LookupTable::is_absent(item) {
                        notes.push(Note::AttributeIgnored {
                            attribute: "VOILUTSequence",
                            value: String::new(),
                        });
                        continue;
                    }
                    match self.table(index, notes) {
                        Ok(chosen) => return Ok(chosen),
                        Err(problem) => unusable = unusable.or(Some(problem)),
                    }
                }
            }
            Err(problem) => unusable = Some(problem),
        }
        let windows = Windows::of(self.data, self.functional);
        let usable = windows.first_usable();
        windows.note(usable.map(|(index, _)| index), notes);
        match (usable, unusable) {
            (Some((index, window)), unusable) => {
                notes.extend(unusable.map(|problem| Note::TableIgnored { what: problem.to_string() }));
                Ok((Levels::Window(window), VoiUsed::Window { index: Some(index), window }))
            }
            (None, Some(problem)) => Err(problem),
            (None, None) => Ok(self.min_max()),
        }
    }

    fn table(&self, index: usize, notes: &mut Vec<Note>) -> Result<(Levels, VoiUsed), Problem> {
        let tables = self.data.sequence(tags::VOILUT_SEQUENCE, "VOILUTSequence")?;
        let missing = Problem::NoSuchVoi { what: "VOI LUTs", index, count: tables.len() };
        let item = tables.get(index).ok_or(missing)?;
        let table = LookupTable::of_item(item, "VOI LUT", self.range.0 < 0.0)?;
        if !table.is_whole() {
            table.reaches((self.extremes)().1)?;
            notes.push(table.shortage());
        }
        let white = highest(table.bits(self.options.lut_bits, notes)?);
        Ok((Levels::Table { table, white }, VoiUsed::Table { index }))
    }

    fn min_max(&self) -> (Levels, VoiUsed) {
        let (low, high) = (self.extremes)();
        (Levels::Straight { low, high }, VoiUsed::MinMax { low, high })
    }
}
