//! From stored numbers to values that mean something: optical density, attenuation, or nothing in particular.

use dicom_dictionary_std::tags;

use super::element::DataSet;
use super::functional::Functional;
use super::problem::Problem;
use super::table::LookupTable;

/// The modality's transformation.
#[derive(Debug, Clone)]
pub(crate) enum Modality {
    Linear { slope: f64, intercept: f64 },
    Table(LookupTable),
}

impl Modality {
    pub(crate) const IDENTITY: Self = Self::Linear { slope: 1.0, intercept: 0.0 };

    /// A Modality LUT sequence, else rescale slope and intercept, else nothing.
    pub(crate) fn read(
        data: &DataSet<'_>,
        functional: &Functional<'_, '_>,
        signed: bool,
    ) -> Result<Self, Problem> {
        if let Some(item) = data.items(tags::MODALITY_LUT_SEQUENCE).first() {
            return LookupTable::of_item(item, "Modality LUT", signed).map(Self::Table);
        }
        let group = functional.find(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE);
        let number = |tag, name| {
            let grouped = group.map(|group| group.number(tag, name)).transpose()?.flatten();
            Ok::<_, Problem>(grouped.or(data.number(tag, name)?))
        };
        let slope = number(tags::RESCALE_SLOPE, "RescaleSlope")?.unwrap_or(1.0);
        let intercept = number(tags::RESCALE_INTERCEPT, "RescaleIntercept")?.unwrap_or(0.0);
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
            Self::Table(table) => f64::from(table.get(stored)),
        }
    }

    /// Lowest and highest value of stored numbers in a range.
    pub(crate) fn range(&self, (low, high): (i64, i64)) -> (f64, f64) {
        match self {
            Self::Linear { .. } => {
                let (a, b) = (self.value(low), self.value(high));
                (a.min(b), a.max(b))
            }
            Self::Table(table) => (0.0, table.max()),
        }
    }
}
