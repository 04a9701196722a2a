//! What the second output of an image graph costs: asked for, and not asked for.
//!
//! ```sh
//! cargo run --release -p medclip-runtime --features rten,ort --example map_cost -- BUNDLE [THREADS]
//! ```
//!
//! Compares three, on one image, in turn and twenty times each: the graph without maps as earlier versions wrote it, the
//! bundle's own with the map left out, and with the map. Prints medians and the median of the ratios within rounds.

#![allow(clippy::print_stdout, reason = "a program's output")]

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;
use std::{env, fs};

use medclip_core::graph::IMAGE_EMBEDDINGS;
use medclip_files::sha256;
use medclip_phantom::Phantom;
use medclip_runtime::{BundleFile, EngineKind, EngineState, Model, ModelOptions};

const ROUNDS: usize = 20;
/// Time that one setting takes in a round, in seconds.
const SLICE: f64 = 0.1;

/// Bytes of a file in which it may name the graph.
const HEADER: usize = 1 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let bundle = arguments.next().ok_or("name a bundle whose image graph has maps")?;
    let threads = arguments.next().as_deref().unwrap_or("1").parse()?;
    let directory = tempfile::tempdir()?;
    let without = directory.path();
    copy_without_maps(Path::new(&bundle), without)?;
    println!("| engine | former graph | map not asked for | map asked for |\n|---|--:|--:|--:|");
    let runs_here = |engine: &&EngineKind| {
        EngineState::all().iter().any(|state| state.name == engine.name() && state.problem.is_none())
    };
    for &engine in EngineKind::ALL.iter().filter(runs_here) {
        let options = || ModelOptions { engine: engine.into(), threads, ..ModelOptions::default() };
        let former = Model::open_with(without, options())?;
        let model = Model::open_with(&bundle, options())?;
        let image = former.preprocessor().batch(&[Phantom::random(1, 512)?.render()])?;
        let call = |setting: usize| -> Result<(), Box<dyn Error>> {
            match setting {
                0 => drop(black_box(former.embed_images(&image)?)),
                1 => drop(black_box(model.embed_images(&image)?)),
                _ => drop(black_box(model.embed_with_maps(&image)?)),
            }
            Ok(())
        };
        print_row(engine, call)?;
    }
    Ok(())
}

/// Times the settings 0, 1 and 2 in turn.
fn print_row(
    engine: EngineKind,
    call: impl Fn(usize) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let time = |setting: usize, calls: usize| -> Result<f64, Box<dyn Error>> {
        let begun = Instant::now();
        (0..calls).try_for_each(|_| call(setting))?;
        Ok(begun.elapsed().as_secs_f64() / calls as f64)
    };
    (0..3).try_for_each(&call)?;
    let calls = (SLICE / time(0, 3)?).ceil().max(1.0) as usize;
    let (mut times, mut ratios) = (vec![Vec::new(); 3], vec![Vec::new(); 3]);
    for round in 0..ROUNDS {
        let mut of_round = [0.0; 3];
        for step in 0..3 {
            let setting = (round + step) % 3;
            of_round[setting] = time(setting, calls)?;
        }
        for setting in 0..3 {
            times[setting].push(of_round[setting]);
            ratios[setting].push(of_round[setting] / of_round[0]);
        }
    }
    let cell =
        |setting: usize| format!("{:.2} ms, {:.3}", 1e3 * median(&times[setting]), median(&ratios[setting]));
    println!("| {} | {} | {} | {} |", engine.name(), cell(0), cell(1), cell(2));
    Ok(())
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Copies a bundle with an image graph that has no second output. Files that name the graph by its sum get the new one.
fn copy_without_maps(bundle: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    let graph = BundleFile::IMAGE_GRAPH.file_name();
    let whole = fs::read(bundle.join(graph))?;
    let part = medclip_onnx::select(&whole, &[IMAGE_EMBEDDINGS])?;
    if part.len() >= whole.len() {
        return Err("the image graph has no maps".into());
    }
    let (old, new) = (sha256(&whole), sha256(&part));
    let mut sums = fs::read_to_string(bundle.join("SHA256SUMS"))?.replace(&old, &new);
    fs::write(to.join(graph), part)?;
    for entry in fs::read_dir(bundle)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name == graph || name == "SHA256SUMS" {
            continue;
        }
        let before = fs::read(bundle.join(&name))?;
        let mut after = before.clone();
        for at in 0..before.len().saturating_sub(old.len()).min(HEADER) {
            if before[at..].starts_with(old.as_bytes()) {
                after[at..at + old.len()].copy_from_slice(new.as_bytes());
            }
        }
        sums = sums.replace(&sha256(&before), &sha256(&after));
        fs::write(to.join(&name), after)?;
    }
    fs::write(to.join("SHA256SUMS"), sums)?;
    Ok(())
}
