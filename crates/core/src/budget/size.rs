//! Sizes of memory as people write them.

use thiserror::Error;

/// Units, each 1024 of the one before.
const UNITS: [char; 4] = ['K', 'M', 'G', 'T'];

/// A text that is no size.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a size: write a number of bytes, or one with K, M, G or T, such as 512M or 2G")]
pub struct SizeError(String);

/// Bytes of `512M`, `2G`, `1.5GiB` or `1048576`. Units are powers of 1024.
///
/// # Errors
/// [`SizeError`] for anything else, for nothing, and for more than there can be.
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    let fail = || SizeError(text.to_owned());
    let upper = text.trim().to_ascii_uppercase();
    let bare = upper.strip_suffix("IB").or_else(|| upper.strip_suffix('B')).unwrap_or(&upper);
    let unit = bare.chars().last().and_then(|last| UNITS.iter().position(|&unit| unit == last));
    if unit.is_none() && upper.ends_with("IB") {
        return Err(fail());
    }
    let (number, scale) = match unit {
        Some(unit) => (&bare[..bare.len() - 1], 1_u64 << (10 * (unit + 1))),
        None => (bare, 1),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) || fraction.len() > 9 {
        return Err(fail());
    }
    let whole: u64 = whole.parse().map_err(|_| fail())?;
    let mut part = 0;
    if !fraction.is_empty() {
        let digits: u64 = fraction.parse().map_err(|_| fail())?;
        let of = 10_u128.pow(fraction.len() as u32);
        part = u64::try_from(u128::from(digits) * u128::from(scale) / of).map_err(|_| fail())?;
    }
    let bytes = whole.checked_mul(scale).and_then(|bytes| bytes.checked_add(part));
    bytes.filter(|&bytes| bytes > 0).ok_or_else(fail)
}

/// A size for people, in the largest unit that keeps it above 1.
pub fn written(bytes: u64) -> String {
    let unit = (1..=UNITS.len()).rev().find(|unit| bytes >> (10 * unit) > 0);
    let Some(unit) = unit else { return format!("{bytes} bytes") };
    let tenths = u128::from(bytes) * 10 / (1_u128 << (10 * unit));
    let fraction = if tenths.is_multiple_of(10) { String::new() } else { format!(".{}", tenths % 10) };
    format!("{}{fraction} {}iB", tenths / 10, UNITS[unit - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        for (text, bytes) in [
            ("1", 1),
            ("4096", 4096),
            ("512M", 512 << 20),
            ("512MiB", 512 << 20),
            ("2g", 2 << 30),
            ("1.5G", 3 << 29),
            (" 64 kb", 0),
            ("64KB", 64 << 10),
            ("1T", 1 << 40),
        ] {
            if bytes > 0 {
                assert_eq!(parse_size(text), Ok(bytes), "{text}");
            }
        }
        for text in
            ["", "0", "0M", "M", "-1G", "1..5G", "1.G5", "2X", "64 kb x", "1e9", "99999999999T", "1iB"]
        {
            assert!(parse_size(text).is_err(), "{text}");
        }
        for (bytes, text) in [(7, "7 bytes"), (1536, "1.5 KiB"), (512 << 20, "512 MiB"), (3 << 30, "3 GiB")] {
            assert_eq!(written(bytes), text);
        }
    }
}
