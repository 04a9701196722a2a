//! Values of a column as text.

use std::borrow::Cow;

use half::f16;
use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{AsBytes, DataType};
use parquet::errors::Result;
use parquet::schema::types::ColumnDescriptor;

use super::general;
use crate::columns::{Kind, MAX_TEXT_BYTES};

/// Whole numbers up to this one are themselves as floating-point numbers.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// What a column of this kind may hold, for messages.
pub(super) const fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Name => "text or a whole number",
        Kind::Number => "text, a number or true or false",
        Kind::Text => "text",
    }
}

/// What the values of a column mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Text,
    Truth,
    Signed,
    Unsigned,
    Float,
    /// With so many decimals.
    Decimal(u32),
    /// All are null.
    Null,
}

impl Reading {
    /// # Errors
    /// The name of a type that has no text.
    pub(super) fn of(column: &ColumnDescriptor) -> Result<Self, String> {
        let logical = column.logical_type_ref();
        let converted = column.converted_type();
        let decimal =
            || u32::try_from(column.type_scale()).ok().filter(|scale| *scale <= 38).map(Self::Decimal);
        let is_decimal =
            matches!(logical, Some(LogicalType::Decimal { .. })) || converted == ConvertedType::DECIMAL;
        if logical == Some(&LogicalType::Unknown) {
            return Ok(Self::Null);
        }
        let reading = match column.physical_type() {
            Type::BOOLEAN => Some(Self::Truth),
            Type::FLOAT | Type::DOUBLE => Some(Self::Float),
            Type::INT32 | Type::INT64 | Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY if is_decimal => {
                decimal()
            }
            Type::INT32 | Type::INT64 => match (logical, converted) {
                (Some(LogicalType::Integer(kind)), _) => {
                    Some(if kind.is_signed { Self::Signed } else { Self::Unsigned })
                }
                (
                    None,
                    ConvertedType::UINT_8
                    | ConvertedType::UINT_16
                    | ConvertedType::UINT_32
                    | ConvertedType::UINT_64,
                ) => Some(Self::Unsigned),
                (
                    None,
                    ConvertedType::NONE
                    | ConvertedType::INT_8
                    | ConvertedType::INT_16
                    | ConvertedType::INT_32
                    | ConvertedType::INT_64,
                ) => Some(Self::Signed),
                _ => None,
            },
            Type::BYTE_ARRAY => {
                let is_text =
                    matches!(logical, Some(LogicalType::String | LogicalType::Enum | LogicalType::Json))
                        || matches!(
                            converted,
                            ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON
                        );
                is_text.then_some(Self::Text)
            }
            Type::FIXED_LEN_BYTE_ARRAY if logical == Some(&LogicalType::Float16) => Some(Self::Float),
            Type::FIXED_LEN_BYTE_ARRAY | Type::INT96 => None,
        };
        reading.ok_or_else(|| type_name(column))
    }
}

/// A type by name.
fn type_name(column: &ColumnDescriptor) -> String {
    let logical = match column.logical_type_ref() {
        Some(LogicalType::Date) => "date",
        Some(LogicalType::Time(_)) => "time of day",
        Some(LogicalType::Timestamp(_)) => "date and time",
        Some(LogicalType::Uuid) => "UUID",
        Some(LogicalType::Bson) => "BSON",
        _ => match (column.converted_type(), column.physical_type()) {
            (ConvertedType::DATE, _) => "date",
            (ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS, _) => "time of day",
            (ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS, _) | (_, Type::INT96) => {
                "date and time"
            }
            (ConvertedType::INTERVAL, _) => "interval",
            (_, Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY) => "binary",
            (_, other) => return other.to_string(),
        },
    };
    logical.to_owned()
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Text(String),
    /// A text that is longer than any cell may be, of so many bytes.
    Long(usize),
    Truth(bool),
    Whole(i128),
    Float(f64),
    /// A number with decimals, as text.
    Decimal(String),
}

impl Value {
    /// As the text of a cell; `None` where a column of this kind does not hold such values.
    pub(super) fn text(&self, kind: Kind) -> Option<Cow<'_, str>> {
        Some(match (self, kind) {
            (Self::Null, _) => Cow::Borrowed(""),
            (Self::Text(text), _) => Cow::Borrowed(text),
            (Self::Whole(value), Kind::Name | Kind::Number) => Cow::Owned(value.to_string()),
            // pandas makes floating-point numbers of whole ones where some are missing.
            (Self::Float(value), Kind::Name) if value.fract() == 0.0 && value.abs() <= MOST_EXACT => {
                Cow::Owned(format!("{:.0}", value + 0.0))
            }
            // Adding 0 makes 0 of −0.
            (Self::Float(value), Kind::Number) if value.fract() == 0.0 => {
                Cow::Owned(format!("{:.0}", value + 0.0))
            }
            (Self::Float(value), Kind::Number) => Cow::Owned(value.to_string()),
            (Self::Truth(value), Kind::Number) => Cow::Borrowed(if *value { "1" } else { "0" }),
            (Self::Decimal(value), Kind::Number) => Cow::Borrowed(value),
            (Self::Float(_) | Self::Truth(_) | Self::Decimal(_), Kind::Name)
            | (Self::Long(_), _)
            | (_, Kind::Text) => {
                return None;
            }
        })
    }

    /// Bytes of a text.
    pub(super) const fn bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Decimal(text) => text.len(),
            Self::Long(bytes) => *bytes,
            _ => 0,
        }
    }

    /// For messages.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Null | Self::Long(_) => String::new(),
            Self::Text(text) | Self::Decimal(text) => text.clone(),
            Self::Truth(value) => value.to_string(),
            Self::Whole(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
        }
    }
}

/// The values of one column in one group of rows, one at a time: a batch would keep the pages of all its texts.
pub(super) struct Cells {
    reader: ColumnReader,
    reading: Reading,
}

impl Cells {
    pub(super) const fn new(reader: ColumnReader, reading: Reading) -> Self {
        Self { reader, reading }
    }

    /// The next value; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Value>> {
        let reading = self.reading;
        let wrong = || general("a column is of another type than the schema says");
        let integer = |signed: i64, unsigned: u64| match reading {
            Reading::Signed => Some(Value::Whole(i128::from(signed))),
            Reading::Unsigned => Some(Value::Whole(i128::from(unsigned))),
            Reading::Decimal(scale) => Some(decimal(i128::from(signed), scale)),
            Reading::Null => Some(Value::Null),
            Reading::Text | Reading::Truth | Reading::Float => None,
        };
        let value = match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => {
                one(reader)?.map(|value| value.map(|value| Some(Value::Truth(value))))
            }
            ColumnReader::Int32ColumnReader(reader) => one(reader)?
                .map(|value| value.map(|value| integer(i64::from(value), u64::from(value.cast_unsigned())))),
            ColumnReader::Int64ColumnReader(reader) => {
                one(reader)?.map(|value| value.map(|value| integer(value, value.cast_unsigned())))
            }
            ColumnReader::FloatColumnReader(reader) => {
                one(reader)?.map(|value| value.map(|value| Some(Value::Float(f64::from(value)))))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                one(reader)?.map(|value| value.map(|value| Some(Value::Float(value))))
            }
            ColumnReader::Int96ColumnReader(_) => return Err(wrong()),
            ColumnReader::ByteArrayColumnReader(reader) => {
                one(reader)?.map(|value| value.map(|value| bytes(value.as_bytes(), reading)))
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                one(reader)?.map(|value| value.map(|value| bytes(value.as_bytes(), reading)))
            }
        };
        match value {
            None => Ok(None),
            Some(None) => Ok(Some(Value::Null)),
            Some(Some(value)) => value.map(Some).ok_or_else(wrong),
        }
    }
}

/// The next value, if there is one, and if it is not null.
#[allow(clippy::option_option, reason = "the end of a column is not a null")]
fn one<T: DataType>(reader: &mut ColumnReaderImpl<T>) -> Result<Option<Option<T::T>>> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let (records, _, _) = reader.read_records(1, Some(&mut levels), None, &mut values)?;
    Ok((records > 0).then(|| values.pop()))
}

fn bytes(bytes: &[u8], reading: Reading) -> Option<Value> {
    match reading {
        Reading::Text if bytes.len() > MAX_TEXT_BYTES => Some(Value::Long(bytes.len())),
        Reading::Text => String::from_utf8(bytes.to_vec()).ok().map(Value::Text),
        Reading::Null => Some(Value::Null),
        Reading::Float => bytes.try_into().ok().map(|bytes| Value::Float(f16::from_le_bytes(bytes).to_f64())),
        Reading::Decimal(scale) if (1..=16).contains(&bytes.len()) => {
            let sign = if bytes[0] < 0x80 { 0 } else { -1 };
            Some(decimal(bytes.iter().fold(sign, |number, byte| number << 8 | i128::from(*byte)), scale))
        }
        _ => None,
    }
}

/// A number of `scale` decimals as text, without zeros at its end.
fn decimal(number: i128, scale: u32) -> Value {
    let digits = format!("{:0width$}", number.unsigned_abs(), width = scale as usize + 1);
    let (whole, decimals) = digits.split_at(digits.len() - scale as usize);
    let decimals = decimals.trim_end_matches('0');
    let sign = if number < 0 { "-" } else { "" };
    Value::Decimal(if decimals.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{decimals}")
    })
}
