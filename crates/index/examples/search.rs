//! Build time, queries a second and recall of an index of synthetic or real vectors.
//!
//! ```sh
//! cargo run --release -p medclip-index --example search -- --rows 100000 --dim 512
//! ```
//!
//! Synthetic vectors lie around as many centers as asked for, in a subspace, with noise of all directions on top: joint spaces
//! of images and sentences have few directions of large variance. `--vectors` takes an index instead, as `medclip index
//! build` writes it. Queries are drawn like the vectors and are none of them.

#![allow(clippy::print_stdout, reason = "a program's output")]

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use medclip_index::{Hit, Index, IndexBuilder, Layout, Search};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Debug, Parser)]
struct Args {
    /// Vectors
    #[arg(long, default_value_t = 100_000)]
    rows: usize,
    /// Their width
    #[arg(long, default_value_t = 512)]
    dim: usize,
    /// Centers they lie around
    #[arg(long, default_value_t = 300)]
    centers: usize,
    /// Directions in which centers and their surroundings spread
    #[arg(long, default_value_t = 48)]
    rank: usize,
    /// Take the vectors of this index instead; every hundredth becomes a query
    #[arg(long)]
    vectors: Option<PathBuf>,
    /// Queries
    #[arg(long, default_value_t = 1000)]
    queries: usize,
    /// Recall to build for
    #[arg(long, default_value_t = 0.99)]
    recall: f64,
    /// Where to write
    #[arg(long, default_value = "search-example.index")]
    path: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let (rows, queries) = match &args.vectors {
        Some(path) => stored(path)?,
        None => synthetic(&args),
    };
    let dim = rows[0].len();
    println!("{} vectors of {dim}, {} queries", rows.len(), queries.len());
    println!("| index | build s | MB | ms a query | queries/s | recall@10 |\n|---|--:|--:|--:|--:|--:|");

    let (index, seconds, _) = build(&args, &rows, Layout::Flat)?;
    let (exact, ms) = time(&index, &queries, Search::Exact)?;
    print("exact", seconds, fs::metadata(&args.path)?.len(), ms, 1.0);

    let (index, seconds, report) = build(&args, &rows, Layout::Lists { recall: args.recall })?;
    let size = fs::metadata(&args.path)?.len();
    for probes in [report.probes.div_ceil(4), report.probes.div_ceil(2), report.probes, 2 * report.probes] {
        let (found, ms) = time(&index, &queries, Search::Probes(probes))?;
        let kept = exact.iter().zip(&found).map(|(exact, found)| overlap(exact, found)).sum::<usize>();
        let recall = kept as f64 / (10 * queries.len()) as f64;
        let chosen = if probes == report.probes { ", as built" } else { "" };
        print(&format!("{probes} of {} lists{chosen}", report.lists), seconds, size, ms, recall);
    }
    fs::remove_file(&args.path)?;
    Ok(())
}

type Names = Vec<Vec<String>>;

fn build(
    args: &Args,
    rows: &[Vec<f32>],
    layout: Layout,
) -> anyhow::Result<(Index, f64, medclip_index::BuildReport)> {
    let mut builder = IndexBuilder::new("example", "none", rows[0].len())?;
    for (number, row) in rows.iter().enumerate() {
        builder.push(number.to_string(), row)?;
    }
    let begun = Instant::now();
    let report = builder.write(&args.path, layout)?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok((Index::open(&args.path)?, seconds, report))
}

/// Names found, and the median time in ms.
fn time(index: &Index, queries: &[Vec<f32>], search: Search) -> anyhow::Result<(Names, f64)> {
    let mut times = Vec::new();
    let mut names = Vec::new();
    for query in queries {
        let begun = Instant::now();
        let hits: Vec<Hit> = black_box(index.query(query, 10, search)?);
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        names.push(hits.iter().map(|hit| index.id(hit.row)).collect::<Result<_, _>>()?);
    }
    times.sort_by(f64::total_cmp);
    Ok((names, times[times.len() / 2]))
}

fn overlap(exact: &[String], found: &[String]) -> usize {
    exact.iter().filter(|name| found.contains(name)).count()
}

fn print(name: &str, seconds: f64, bytes: u64, ms: f64, recall: f64) {
    println!(
        "| {name} | {seconds:.1} | {:.0} | {ms:.2} | {:.0} | {recall:.4} |",
        bytes as f64 / 1e6,
        1e3 / ms
    );
}

/// Vectors, one a row.
type Rows = Vec<Vec<f32>>;

/// Rows to search, and every hundredth to search for.
fn stored(path: &Path) -> anyhow::Result<(Rows, Rows)> {
    let index = Index::open(path)?;
    let (mut rows, mut queries) = (Vec::new(), Vec::new());
    index.each_block(0..index.len(), &mut Vec::new(), &mut |first, block| {
        for (number, vector) in (first..).zip(block.chunks_exact(index.dim())) {
            if number % 100 == 99 { queries.push(vector.to_vec()) } else { rows.push(vector.to_vec()) }
        }
    })?;
    anyhow::ensure!(!queries.is_empty(), "too few vectors for a query");
    Ok((rows, queries))
}

fn synthetic(args: &Args) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let basis: Vec<Vec<f32>> = (0..args.rank).map(|_| normals(&mut rng, args.dim)).collect();
    let centers: Vec<Vec<f32>> = (0..args.centers).map(|_| normals(&mut rng, args.rank)).collect();
    let mut draw = |count: usize| {
        let mut point = |number: usize| {
            let center = &centers[number % centers.len()];
            let around = normals(&mut rng, args.rank);
            let noise = normals(&mut rng, args.dim);
            let mut point: Vec<f32> = noise.iter().map(|value| 0.5 * value).collect();
            for ((center, around), direction) in center.iter().zip(around).zip(&basis) {
                let weight = center + 0.6 * around;
                point.iter_mut().zip(direction).for_each(|(value, part)| *value += weight * part);
            }
            point
        };
        (0..count).map(&mut point).collect::<Vec<_>>()
    };
    let rows = draw(args.rows);
    (rows, draw(args.queries))
}

/// Standard normal values (Box and Muller).
fn normals(rng: &mut ChaCha8Rng, count: usize) -> Vec<f32> {
    let mut value = || {
        let (a, b): (f32, f32) = (rng.random(), rng.random());
        (-2.0 * (1.0 - a).ln()).sqrt() * (std::f32::consts::TAU * b).cos()
    };
    (0..count).map(|_| value()).collect()
}
