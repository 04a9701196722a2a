//! `medclip train`: a configuration to a checkpoint.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use medclip_train::{Setting, TrainConfig, Trainer};

use crate::Outcome;
use crate::output::{locked_stdout, write_json_line};

/// Train a model
///
/// Runs the training file to its last epoch. Started again with the same file, it goes on from the newest checkpoint in
/// the file's `output` directory; `output/best` holds the best model for `medclip export`. The final evaluations are
/// printed as one JSON object a line.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TrainArgs {
    /// Training file (TOML)
    config: PathBuf,
    /// Write checkpoints and the log here instead of where the file says
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Seed instead of the file's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Any other setting instead of the file's; may be repeated. The value is TOML, or text without quotes
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<Setting>,
}

const EXAMPLES: &str = "\
Examples:
  medclip train training/medclip-edge.toml
  medclip train training/medclip-edge.toml --output runs/nce --set objective.kind=info_nce
  medclip export runs/medclip-edge/best models/medclip-edge --prompts models/prompts/chest-xray.toml";

pub(crate) fn run(args: TrainArgs) -> anyhow::Result<Outcome> {
    keep_freed_memory();
    let mut config =
        TrainConfig::open_with(&args.config, &args.set).context("cannot use the training file")?;
    if let Some(output) = args.output {
        config.output = output;
    }
    if let Some(seed) = args.seed {
        config.seed = seed;
    }
    let trainer =
        Trainer::new(config).with_context(|| format!("cannot train as {} says", args.config.display()))?;
    let evaluations = trainer.run().context("training stopped")?;
    let mut out = locked_stdout();
    for evaluation in &evaluations {
        write_json_line(&mut out, evaluation)?;
    }
    Ok(Outcome::Complete)
}

/// Has the allocator keep large blocks instead of returning each to the system.
///
/// A step allocates the same hundreds of megabytes again and again; mapping and zeroing them anew doubles its time.
pub(crate) fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code, reason = "the C library's tuning call has no safe wrapper")]
    // SAFETY: mallopt only stores two numbers in the allocator; no other thread of this program runs yet.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}
