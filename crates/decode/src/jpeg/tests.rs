use super::bits::Bits;
use super::huffman::Table;
use super::{marker, standard, zeros};

/// Bits one by one, as the standard writes it.
fn reference(data: &[u8]) -> Vec<u8> {
    let mut bits = Vec::new();
    let mut bytes = data.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == 0xff && bytes.next() != Some(0) {
            break;
        }
        bits.extend((0..8).rev().map(|bit| byte >> bit & 1));
    }
    bits
}

#[test]
fn bits_are_those_of_the_stream_and_then_zeros() {
    let mut state = 7_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as u8
    };
    for round in 0..50 {
        let mut data = Vec::new();
        for _ in 0..random() {
            let byte = if random() < 40 { 0xff } else { random() };
            data.push(byte);
            if byte == 0xff {
                data.push(0);
            }
        }
        let expected = reference(&data);
        data.extend([0xff, 0xd9]);
        let mut bits = Bits::new(&data, 0);
        let mut taken = 0;
        while taken < expected.len() {
            assert!(!bits.overran(), "round {round}");
            let width = u32::from(random()) % 16 + 1;
            let number = bits.take(width);
            for bit in (0..width).rev() {
                let wanted = expected.get(taken).copied().unwrap_or(0);
                assert_eq!(u32::from(wanted), number >> bit & 1, "bit {taken} of round {round}");
                taken += 1;
            }
            if taken <= expected.len() {
                // Where the reference has read as many bits.
                let mut at = 0;
                for _ in 0..taken.div_ceil(8) {
                    at += if data[at] == 0xff { 2 } else { 1 };
                }
                assert_eq!(bits.position(), at, "round {round}");
            }
        }
        assert_eq!(bits.overran(), taken > expected.len(), "round {round}");
    }
}

#[test]
fn several_codes_at_once_are_the_codes_one_by_one() {
    for (number, bytes) in [(0, 100), (1, 10_000), (0, 1 << 20), (1, 1 << 20)] {
        let mut table: Table = standard::ac(number).unwrap();
        table.prepare(bytes);
        for bits in 0..1_u64 << 16 {
            // Those behind do not matter as long as no code is impossible.
            let ahead = bits << 48;
            let pack = table.pack(ahead);
            let (mut taken, mut advance, mut ends) = (0, 0, false);
            while taken < pack.bits() {
                let (symbol, length) = table.symbol(ahead << taken).unwrap();
                let (zeros, category) = (u32::from(symbol >> 4), u32::from(symbol & 15));
                taken += length + category;
                match (zeros, category) {
                    (15, 0) => advance += 16,
                    (_, 0) => ends = true,
                    _ => advance += zeros + 1,
                }
            }
            assert_eq!((taken, advance, ends), (pack.bits(), pack.advance(), pack.ends()), "{bits:016b}");
        }
    }
}

#[test]
fn runs_of_zeros_are_found_wherever_they_start() {
    for start in 1..20 {
        for length in [0, 8, 15, 16, 17, 40] {
            let mut data = vec![7_u8; 80];
            data[start..start + length].fill(0);
            let runs = zeros::runs(&data, 0, data.len());
            let expected: Vec<_> = (length >= 16).then_some(start..start + length).into_iter().collect();
            assert_eq!(runs, expected, "{start}, {length}");
        }
    }
}

#[test]
fn markers_are_found_behind_fill_bytes() {
    let found = marker::next(&[1, 0xff, 0, 2, 0xff, 0xff, 0xda, 0], 0).unwrap();
    assert_eq!((found.code, found.start, found.end), (0xda, 5, 7));
    assert_eq!(marker::next(&[0xff, 0, 0xff], 0), None);
}
