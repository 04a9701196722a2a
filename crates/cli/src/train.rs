//! `medclip train`: a configuration to a checkpoint.

mod bar;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use medclip_train::data::{DataError, LostImage};
use medclip_train::{Ended, Setting, TrainConfig, TrainError, Trainer};

use crate::interrupt::stop_on_interrupt;
use crate::output::{locked_stdout, write_json_line};
use crate::private::told;
use crate::{Outcome, report_error, say};

use bar::Bar;

/// Train a model
///
/// Runs the training file to its last epoch. Started again with the same file, it goes on from the newest checkpoint in
/// the file's `output` directory; `output/best` holds the best model for `medclip export`. The final evaluations are
/// printed as one JSON object a line.
///
/// Images that cannot be read are left out and named on standard error, by their rows of the manifest; the exit status is
/// then 1. More than `data.max_lost` of them, 1 % unless the file says otherwise, refuse the run.
///
/// Ctrl-C finishes the step at hand and writes a checkpoint; the exit status is then 3, and the same command continues the run.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TrainArgs {
    /// Training file (TOML)
    config: PathBuf,
    /// Write checkpoints and the log here instead of where the file says
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Seed instead of the file's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Any other setting instead of the file's; may be repeated. The value is TOML, or text without quotes
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<Setting>,
    /// Name images that cannot be read by path too, on standard error and in the log and report of the run
    #[arg(long)]
    log_paths: bool,
}

const EXAMPLES: &str = "\
Examples:
  medclip train training/medclip-edge.toml
  medclip train training/medclip-edge.toml -o runs/nce --set objective.kind=info_nce
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
    let log_paths = args.log_paths;
    let trainer = if log_paths { Trainer::with_logged_paths(config) } else { Trainer::new(config) };
    let trainer = trainer.inspect_err(|error| {
        if let (TrainError::Data(DataError::TooManyLost { lost, .. }), true) = (error, args.log_paths) {
            name_lost(lost, true);
        }
    });
    let trainer = trainer
        .with_context(|| format!("cannot train as {} says", args.config.display()))
        .map_err(|error| told(error, log_paths))?;
    if trainer.data_unproven() {
        say(
            "note: this run was begun by a version that did not record its data, so nothing shows that it goes on with the \
             same; from now on they are recorded",
        );
    }
    let lost = LostImage::describe(trainer.lost(), trainer.selected());
    if let Some(words) = &lost {
        name_lost(trainer.lost(), args.log_paths);
        say(words);
    }
    let stop = stop_on_interrupt("stopping after the step at hand; Ctrl-C once more stops at once")?;
    let mut bar = Bar::new();
    let ended = trainer.run(&mut bar, stop);
    // Whatever is printed from here on comes below it.
    drop(bar);
    let ended = ended.context("training stopped").map_err(|error| told(error, log_paths))?;
    let Ended::Complete(evaluations) = ended else {
        say("stopped; the same command continues the run");
        return Ok(Outcome::Stopped);
    };
    let mut out = locked_stdout();
    for evaluation in &evaluations {
        write_json_line(&mut out, evaluation)?;
    }
    let Some(words) = lost else { return Ok(Outcome::Complete) };
    say(&format!("trained, but {words}"));
    Ok(Outcome::SomeFailed)
}

/// Images that are named one by one; the log names all.
const NAMED: usize = 20;

/// A line an image on standard error, by row or by path.
fn name_lost(lost: &[LostImage], by_path: bool) {
    for LostImage { row, path, reason, .. } in lost.iter().take(NAMED) {
        if by_path {
            report_error(&format!("{}: {reason}", path.display()));
        } else {
            report_error(&format!("{row}: {reason}"));
        }
    }
    if lost.len() > NAMED {
        say(&format!("{} more images cannot be read", lost.len() - NAMED));
    }
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
