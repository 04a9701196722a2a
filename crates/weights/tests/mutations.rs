//! Damaged files of weights: no panic, no hang, no more memory than the file is worth.
//!
//! `cargo test` runs a few thousand mutations. Many more, with the slowest file and, on Linux, the peak of memory:
//!
//! ```sh
//! MEDCLIP_MUTATIONS=40000 cargo test -p medclip-weights --test mutations -- --nocapture
//! ```
//!
//! `MEDCLIP_MUTATION_SEED` starts elsewhere. A file that fails is written to the directory for temporary files.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a long test reports what it saw")]

#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use medclip_weights::names::Mapping;
use medclip_weights::{ElementType, TensorFile, TensorFileError, TensorFileOptions};

use support::random::mutate;
use support::random::shared::{Random, peak_memory};
use support::{Node, archive, dict, legacy, model, safetensors};

const DEFAULT_COUNT: usize = 2000;
/// A mutated file may not take longer.
const MOST_TIME: Duration = Duration::from_secs(5);
/// Most memory that the process may have had, in KiB.
const MOST_MEMORY: u64 = 1 << 19;

#[test]
fn damaged_files_neither_panic_nor_hang_nor_outgrow_their_size() {
    let number = |name: &str, default| env::var(name).map_or(default, |text| text.parse().unwrap());
    let (count, seed) = (number("MEDCLIP_MUTATIONS", DEFAULT_COUNT), number("MEDCLIP_MUTATION_SEED", 1));
    let seeds = seeds();
    let mut random = Random(seed as u64);
    let (mut slowest, mut read) = ((Duration::ZERO, ""), 0);
    for round in 0..count {
        let (name, bytes) = &seeds[round % seeds.len()];
        let mutated = mutate(bytes, &mut random);
        let start = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| read_all(mutated.clone())));
        let time = start.elapsed();
        if time > slowest.0 {
            slowest = (time, *name);
        }
        if result.is_err() || time > MOST_TIME {
            let path = env::temp_dir().join(format!("medclip-weights-{seed}-{round}"));
            fs::write(&path, &mutated).unwrap();
            panic!("{name}, mutation {round} of seed {seed} panicked or took {time:?}: {}", path.display());
        }
        read += usize::from(result.unwrap().is_ok());
    }
    let peak = peak_memory();
    eprintln!(
        "{count} mutations of {} files: {read} read, {} refused; slowest {:?} ({}); peak of memory {} MiB",
        seeds.len(),
        count - read,
        slowest.0,
        slowest.1,
        peak.map_or(0, |peak| peak >> 10),
    );
    assert!(peak.is_none_or(|peak| peak <= MOST_MEMORY), "{peak:?} KiB");
}

/// Opens `bytes`, names the tensors and reads all values there are.
fn read_all(bytes: Vec<u8>) -> Result<usize, TensorFileError> {
    let _ = TensorFile::from_bytes("a", bytes.clone(), &TensorFileOptions { part: Some("ema".to_owned()) });
    let mut file = TensorFile::from_bytes("a", bytes, &TensorFileOptions::default())?;
    let names: Vec<String> = file.names().map(str::to_owned).collect();
    let _ = Mapping::of(&file).map(|mapping| mapping.shapes());
    let mut count = 0;
    for name in names {
        if file.element(&name).is_some_and(ElementType::is_real) {
            count += file.f32(&name)?.len();
        }
    }
    Ok(count)
}

/// A file of every kind, none larger than a few kilobytes.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let checkpoint = dict(&[
        ("args", Node::Settings),
        ("epoch", Node::Int(3)),
        ("best", Node::Tensor(9.0)),
        ("model", model(1.0)),
        ("model_ema", dict(&[("module", model(2.0))])),
        ("optimizer", model(8.0)),
    ]);
    let mut seeds = vec![
        ("archive", archive(&checkpoint)),
        ("legacy", legacy(&checkpoint)),
        ("legacy, flat", legacy(&model(1.0))),
        (
            "prefixed",
            safetensors(&[("model.layer1.0.conv1.weight", 1.0), ("model_ema.layer1.0.conv1.weight", 2.0)]),
        ),
        ("pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n".to_vec()),
    ];
    for name in
        ["state_zip.bin", "state_legacy.bin", "state.safetensors", "wrapped.bin", "swin_timm.safetensors"]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        seeds.push((name, fs::read(path).unwrap()));
    }
    seeds
}
