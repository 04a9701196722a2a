//! Damage, drawn from a seed.

#[path = "../../../../tests/support/random.rs"]
pub mod shared;

use shared::Random;

/// One to four changes: bits, bytes, cuts, repeated and removed stretches, and numbers that promise too much.
pub fn mutate(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    // Headers are small and decide: half of the changes are made there.
    let position = |bytes: &[u8], random: &mut Random| {
        let end = if random.below(2) == 0 { bytes.len().min(700) } else { bytes.len() };
        random.below(end)
    };
    for _ in 0..=random.below(4) {
        if bytes.len() < 8 {
            break;
        }
        let at = position(&bytes, random);
        match random.below(8) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes.truncate(at.max(1)),
            3 => {
                let lie = [0xff, 0xfe, 0x7f, 0x80, 0x00][random.below(5)];
                let end = (at + 1 + random.below(8)).min(bytes.len());
                bytes[at..end].fill(lie);
            }
            4 => {
                let end = (at + random.below(64)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                let end = (at + random.below(64)).min(bytes.len());
                let stretch = bytes[at..end].to_vec();
                bytes.splice(at..at, stretch);
            }
            6 => {
                // A digit of a text, made many.
                if let Some(digit) = bytes[at..].iter().position(u8::is_ascii_digit) {
                    bytes.splice(at + digit..=at + digit, *b"9999999999");
                }
            }
            _ => {
                let other = random.below(bytes.len());
                bytes.swap(at, other);
            }
        }
    }
    bytes
}
