//! From stored numbers to values that mean something: optical density, attenuation, or nothing in particular.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::element::DataSet;
use super::functional::Functional;
use super::options::LutBits;
use super::problem::Problem;
use super::table::{LookupTable, highest};
use crate::note::Note;

/// The modality's transformation.
#[derive(Debug, Clone)]
pub(crate) enum Modality {
    Linear { slope: f64, intercept: f64 },
    Table { table: LookupTable, bits: u16 },
}

impl Modality {
    pub(crate) const IDENTITY: Self = Self::Linear { slope: 1.0, intercept: 0.0 };

    /// A Modality LUT sequence, else rescale slope and intercept, else nothing.
    pub(crate) fn read(
        data: &DataSet<'_>,
        functional: &Functional<'_, '_>,
        signed: bool,
        bits: LutBits,
        notes: &mut Vec<Note>,
    ) -> Result<Self, Problem> {
        let items = data.sequence(tags::MODALITY_LUT_SEQUENCE, "ModalityLUTSequence")?;
        if let Some(item) = items.iter().find(|item| !LookupTable::is_absent(item)) {
            let table = LookupTable::of_item(item, "Modality LUT", signed)?;
            table.reaches(f64::INFINITY)?;
            let bits = table.bits(bits, notes)?;
            return Ok(Self::Table { table, bits });
        }
        if !items.is_empty() {
            notes.push(Note::AttributeIgnored { attribute: "ModalityLUTSequence", value: String::new() });
        }
        let group = functional.find(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE);
        let mut number = |tag, attribute| {
            let grouped = group.map(|group| first(group, tag, attribute, notes)).transpose()?.flatten();
            Ok::<_, Problem>(match grouped {
                Some(number) => Some(number),
                None => first(data, tag, attribute, notes)?,
            })
        };
        let slope = number(tags::RESCALE_SLOPE, "RescaleSlope")?;
        let intercept = number(tags::RESCALE_INTERCEPT, "RescaleIntercept")?;
        for (attribute, value, other, assumed) in
            [("RescaleSlope", slope, intercept, "1"), ("RescaleIntercept", intercept, slope, "0")]
        {
            if value.is_none() && other.is_some() {
                notes.push(Note::AttributeAssumed {
                    attribute,
                    value: String::new(),
                    assumed: assumed.into(),
                });
            }
        }
        let (slope, intercept) = (slope.unwrap_or(1.0), intercept.unwrap_or(0.0));
        if slope == 0.0 {
            return Err(Problem::Invalid {
                attribute: "RescaleSlope",
                value: "0".into(),
                expected: "other than zero",
            });
        }
        Ok(Self::Linear { slope, intercept })
    }

    pub(crate) fn value(&self, stored: i64) -> f64 {
        match self {
            Self::Linear { slope, intercept } => stored as f64 * slope + intercept,
            Self::Table { table, .. } => f64::from(table.get(stored)),
        }
    }

    /// Lowest and highest value of stored numbers in a range.
    pub(crate) fn range(&self, (low, high): (i64, i64)) -> (f64, f64) {
        match self {
            Self::Linear { .. } => {
                let (a, b) = (self.value(low), self.value(high));
                (a.min(b), a.max(b))
            }
            Self::Table { bits, .. } => (0.0, highest(*bits)),
        }
    }
}

/// The first number of an attribute that every value depends on: it is empty or right.
fn first(
    data: &DataSet<'_>,
    tag: Tag,
    attribute: &'static str,
    notes: &mut Vec<Note>,
) -> Result<Option<f64>, Problem> {
    let Some(decimals) = data.decimals(tag) else { return Ok(None) };
    let Some(number) = decimals.values.first().copied().flatten() else {
        return Err(Problem::Invalid { attribute, value: decimals.written, expected: "a number" });
    };
    if decimals.comma {
        notes.push(Note::DecimalComma { attribute, value: decimals.written });
    }
    Ok(Some(number))
}
