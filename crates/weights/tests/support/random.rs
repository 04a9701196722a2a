//! Damage, drawn from a seed.

use std::fs;

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

/// Peak of resident memory in KiB, where the system tells.
pub fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// A generator good enough to choose bytes by (`SplitMix64`).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}
