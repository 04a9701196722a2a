//! Numbers of elements, as writers write them.

use super::encoding::Encoding;
use super::text;

/// The numbers of an element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decimals {
    /// One for each value; none for what is empty or no finite number. There is at least one value.
    pub(crate) values: Vec<Option<f64>>,
    /// A comma was read as the decimal point.
    pub(crate) comma: bool,
    /// As they are written, for messages.
    pub(crate) written: String,
}

/// Longest text that a message repeats.
const MOST_WRITTEN: usize = 64;

/// Numbers of `DS` and `IS`: texts between backslashes. None where there is nothing but padding.
pub(super) fn text(bytes: &[u8]) -> Option<Decimals> {
    let bytes = text::trim(bytes);
    if bytes.is_empty() {
        return None;
    }
    let mut comma = false;
    let values = bytes
        .split(|&byte| byte == b'\\')
        .map(|part| {
            let part = std::str::from_utf8(text::terminated(part)).ok()?;
            let with_point = decimal_comma(part);
            comma |= with_point.is_some();
            let number = with_point.as_deref().unwrap_or(part).parse::<f64>().ok()?;
            number.is_finite().then_some(number)
        })
        .collect();
    Some(Decimals { values, comma, written: text::of_default(bytes).chars().take(MOST_WRITTEN).collect() })
}

/// Numbers of a binary representation; none of any other.
pub(super) fn binary(bytes: &[u8], vr: [u8; 2], encoding: Encoding) -> Option<Decimals> {
    let pairs = || bytes.as_chunks().0.iter().map(|&pair| encoding.u16(pair));
    let quads = || bytes.as_chunks().0.iter().map(|&quad| encoding.u32(quad));
    let eights = || bytes.as_chunks().0.iter().map(|&eight| encoding.u64(eight));
    let numbers: Vec<f64> = match &vr {
        b"US" => pairs().map(f64::from).collect(),
        b"SS" => pairs().map(|pair| f64::from(pair as i16)).collect(),
        b"UL" => quads().map(f64::from).collect(),
        b"SL" => quads().map(|quad| f64::from(quad as i32)).collect(),
        b"FL" => quads().map(|quad| f64::from(f32::from_bits(quad))).collect(),
        b"FD" => eights().map(f64::from_bits).collect(),
        b"UV" => eights().map(|eight| eight as f64).collect(),
        b"SV" => eights().map(|eight| eight as i64 as f64).collect(),
        _ => return None,
    };
    let written = numbers.iter().take(4).map(f64::to_string).collect::<Vec<_>>().join("\\");
    let values: Vec<_> = numbers.into_iter().map(|number| number.is_finite().then_some(number)).collect();
    (!values.is_empty()).then_some(Decimals { values, comma: false, written })
}

/// The number with a point where its comma can only be a decimal one: `2047,5`, not `2,047`, which may be either.
fn decimal_comma(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once(',')?;
    let digits = whole.trim_start_matches(['+', '-']);
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let may_group = fraction.len() == 3 && digits.len() <= 3 && !digits.starts_with('0');
    (are_digits(digits) && are_digits(fraction) && !may_group).then(|| text.replacen(',', ".", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_writers_write_them() {
        for (written, expected, comma) in [
            ("2048", &[Some(2048.0)][..], false),
            (" -1.5e3 \0", &[Some(-1500.0)], false),
            ("1 \\ 2\0\\", &[Some(1.0), Some(2.0), None], false),
            ("2048\0ld\\5\0", &[Some(2048.0), Some(5.0)], false),
            ("\\7", &[None, Some(7.0)], false),
            ("2047,5", &[Some(2047.5)], true),
            ("0,143\\-0,143", &[Some(0.143), Some(-0.143)], true),
            ("2048,000", &[Some(2048.0)], true),
            // A thousand or one?
            ("1,000", &[None], false),
            ("1,2,3", &[None], false),
            ("1.000,5", &[None], false),
            ("NaN\\inf\\1e999\\N/A", &[None, None, None, None], false),
        ] {
            let decimals = text(written.as_bytes()).unwrap();
            assert_eq!((&decimals.values[..], decimals.comma), (expected, comma), "{written}");
        }
        assert_eq!(text(b" \0 "), None);
        assert_eq!(text(b"\xff").unwrap().written, "\\xff");
    }

    #[test]
    fn binary_numbers_follow_their_representation() {
        let read =
            |bytes: &[u8], vr: &[u8; 2], encoding| binary(bytes, *vr, encoding).map(|read| read.values);
        assert_eq!(read(&[0xfe, 0xff], b"SS", Encoding::EXPLICIT), Some(vec![Some(-2.0)]));
        assert_eq!(read(&[1, 0, 0, 2], b"US", Encoding::BIG_ENDIAN), Some(vec![Some(256.0), Some(2.0)]));
        assert_eq!(read(&2.5_f64.to_le_bytes(), b"FD", Encoding::EXPLICIT), Some(vec![Some(2.5)]));
        assert_eq!(read(&f32::NAN.to_le_bytes(), b"FL", Encoding::EXPLICIT), Some(vec![None]));
        assert_eq!(read(&[1], b"US", Encoding::EXPLICIT), None);
        assert_eq!(read(b"12", b"DS", Encoding::EXPLICIT), None);
    }
}
