//! Numbers of values that a page of a delta encoding states. The library reserves memory by them before it reads one.

/// Bytes of blocks have at most this many values: the writers' are 128 to 1024.
const MAX_BLOCK: u64 = 1 << 16;

/// Whether `bytes` begin with `streams` of `DELTA_BINARY_PACKED` numbers, one after the other, none longer than `most`.
///
/// # Source
/// <https://github.com/apache/parquet-format/blob/master/Encodings.md>, "Delta Encoding".
pub(super) fn is_within(mut bytes: &[u8], streams: usize, most: u64) -> bool {
    (0..streams).all(|_| stream(&mut bytes).is_some_and(|count| count <= most))
}

/// Passes one stream; the number of its values.
fn stream(bytes: &mut &[u8]) -> Option<u64> {
    let (block, parts, count) = (number(bytes)?, number(bytes)?, number(bytes)?);
    number(bytes)?;
    if !(1..=MAX_BLOCK).contains(&block) || parts == 0 || block % parts != 0 || (block / parts) % 8 != 0 {
        return None;
    }
    let values = block / parts;
    let mut left = count.saturating_sub(1);
    while left > 0 {
        number(bytes)?;
        let (widths, rest) = bytes.split_at_checked(parts as usize)?;
        *bytes = rest;
        for &width in widths {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(values);
            let length = usize::from(width).checked_mul(values as usize)? / 8;
            // A page may end within its last block.
            *bytes = bytes.get(length.min(bytes.len())..)?;
        }
    }
    Some(count)
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if *first < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_have_as_many_values_as_they_state() {
        // Blocks of 128 values in 4 parts; 5 values from 7 in steps of 1: no bits.
        let five = [0x80, 0x01, 4, 5, 14, 2, 0, 0, 0, 0];
        assert!(is_within(&five, 1, 5));
        assert!(!is_within(&five, 1, 4));
        assert!(!is_within(&five, 2, 5));
        assert!(is_within(&[five, five].concat(), 2, 5));
        let lie = [0x80, 0x01, 4, 0xff, 0xff, 0xff, 0xff, 0x0f, 14, 2, 0, 0, 0, 0];
        assert!(!is_within(&[&five[..], &lie].concat(), 2, 5));
        assert!(!is_within(&[0x80, 0x01, 0, 5, 14], 1, 5));
        assert!(!is_within(&[], 1, 5));
    }
}
