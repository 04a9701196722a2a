//! Damaged files, made of sound ones: also for the tests of other crates that read what strangers wrote.

#[path = "../../../../tests/support/random.rs"]
mod random;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use std::{env, fs};

use random::{Random, peak_memory};

/// A damaged file may not take longer.
const MOST_TIME: Duration = Duration::from_secs(5);
/// Most memory that the process may have had, in KiB.
const MOST_MEMORY: u64 = 1 << 20;

/// Gives `read` damaged copies of `seeds` in turn: `MEDCLIP_MUTATIONS` of them or `count`, from `MEDCLIP_MUTATION_SEED`. True
/// says that one was read all the same.
///
/// One that panics or takes too long is written to the directory for temporary files.
pub fn run(what: &str, seeds: &[(String, Vec<u8>)], count: usize, mut read: impl FnMut(&str, &[u8]) -> bool) {
    let number = |name: &str, default| env::var(name).map_or(default, |text| text.parse().unwrap());
    let (count, seed) = (number("MEDCLIP_MUTATIONS", count), number("MEDCLIP_MUTATION_SEED", 1));
    let mut random = Random(seed as u64);
    let mut slowest = (Duration::ZERO, "");
    let mut sound = 0;
    for round in 0..count {
        let (name, bytes) = &seeds[round % seeds.len()];
        let damaged = mutate(bytes, &mut random);
        let start = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| read(name, &damaged)));
        let time = start.elapsed();
        if time > slowest.0 {
            slowest = (time, name);
        }
        if result.is_err() || time > MOST_TIME {
            let path = env::temp_dir().join(format!("medclip-mutation-{what}-{seed}-{round}"));
            fs::write(&path, &damaged).unwrap();
            panic!("{name}, mutation {round} of seed {seed} panicked or took {time:?}: {}", path.display());
        }
        sound += usize::from(result.unwrap());
    }
    let peak = peak_memory();
    eprintln!(
        "{count} mutations of {} {what}: {sound} read, {} refused; slowest {:?} ({}); peak of memory {} MiB",
        seeds.len(),
        count - sound,
        slowest.0,
        slowest.1,
        peak.map_or(0, |peak| peak >> 10),
    );
    assert!(peak.is_none_or(|peak| peak <= MOST_MEMORY), "{peak:?} KiB");
}

/// One to four changes: bits, bytes, cuts, repeated and removed stretches, and numbers that promise too much.
fn mutate(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        if bytes.len() < 8 {
            break;
        }
        // What decides is at the beginning, and at the end of Parquet and zip files.
        let near = bytes.len().min(700);
        let at = match random.below(3) {
            0 => random.below(near),
            1 => bytes.len() - 1 - random.below(near),
            _ => random.below(bytes.len()),
        };
        match random.below(8) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 if random.below(4) == 0 => bytes.truncate(at.max(1)),
            2 | 3 => {
                let lie = [0xff, 0xfe, 0x7f, 0x80, 0x00][random.below(5)];
                let end = (at + 1 + random.below(5)).min(bytes.len());
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
                // A number of the compact protocol, or of text, that is as large as one can be.
                let lie: [&[u8]; 4] = [
                    b"\xfe\xff\xff\xff\x0f",
                    b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                    b"77777777777",
                    b"\"",
                ];
                let lie = lie[random.below(4)];
                let end = (at + if random.below(2) == 0 { 1 } else { lie.len() }).min(bytes.len());
                bytes.splice(at..end, lie.iter().copied());
            }
            _ => {
                let other = random.below(bytes.len());
                bytes.swap(at, other);
            }
        }
    }
    bytes
}
