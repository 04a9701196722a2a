//! How do I score an archive, so that nothing is lost when it is stopped?
//!
//! ```text
//! cargo run --release -p medclip-examples --example score_archive [OUTPUT.parquet INPUT…]
//! ```
//!
//! Inputs are files, directories, zip and tar archives, patterns, and tables with a column `path`. Started again with the same
//! arguments, it goes on where it was stopped. Research use only, not for diagnosis.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::thread;

use medclip::Scorer;
use medclip::archive::{Format, InputOptions, PipelineOptions, Run, Settings, Target, expand, work};

#[allow(clippy::print_stdout, reason = "a program's output")]
fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let output = arguments.next().unwrap_or_else(|| std::env::temp_dir().join("medclip-scores.parquet"));
    let mut inputs: Vec<PathBuf> = arguments.collect();
    if inputs.is_empty() {
        inputs.push("examples/images".into());
    }
    let memory = 1 << 30;
    let (pipeline, threads) =
        PipelineOptions::in_batches(thread::available_parallelism()?, std::num::NonZeroUsize::MIN, memory);
    let scorer = Scorer::builder().bundle("models/medclip-edge").threads(threads).embeddings(true).open()?;
    let settings = Settings {
        schema: (**scorer.schema()).clone(),
        options: scorer.record().into_iter().collect::<BTreeMap<_, _>>(),
        format: Format::Parquet,
        shard_size: NonZeroU32::new(512).unwrap_or(NonZeroU32::MIN),
        portion: None,
        memory: Some(memory),
    };
    let mut list = |sink: &mut dyn FnMut(medclip::archive::Source) -> io::Result<()>| {
        expand(&inputs, &InputOptions::films(), &mut io::empty(), sink)
    };
    let mut run = Run::resume(&Target::File(output.clone()), settings, &mut list)?;
    // Whoever sets this to true has the rows at hand written, and no more begun.
    let stop = AtomicBool::new(false);
    work(&mut run, &scorer, &pipeline, &stop, |report, progress| {
        let path = report.path.as_deref().unwrap_or_default();
        let said = report.failure().map_or("scored", |failure| failure.message.as_str());
        println!("{} of {}: {path}: {said}", progress.done, progress.total);
        Ok(())
    })?;
    println!("{}: {} rows", output.display(), run.summary().rows);
    Ok(())
}
