//! `medclip eval prompt-tuning`: how well prompts do once the words in front of them are learned.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use medclip_files::replace_file;
use medclip_protocols::{PromptTuningOptions, tune_prompts};
use medclip_train::AdamWConfig;
use medclip_train::tuning::ContextConfig;

use super::args::{ReportArgs, refuse_existing};
use super::bar::Bar;
use super::tuning::{TuningArgs, print};
use crate::Outcome;
use crate::train::keep_freed_memory;

/// AUROC and average precision of prompts behind learned context vectors
///
/// Both towers stay as they are. A few vectors in the space of word embeddings are learned in front of each finding's
/// positive and negative text, by binary cross-entropy of their difference at the model's temperature on the films where
/// the finding is annotated; a blank or uncertain annotation has no part in it and is never read as absent.
///
/// The texts are the first positive and the first negative sentence of the finding's class in `--prompts`; its name and
/// "no NAME" without such a class.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct PromptTuningArgs {
    #[command(flatten)]
    tuning: TuningArgs,
    /// Texts of the findings (TOML)
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// Vectors in front of a text
    #[arg(long, default_value_t = ContextConfig::default().vectors)]
    vectors: usize,
    /// Learn vectors of each finding's own, instead of ones that all share
    #[arg(long)]
    per_finding: bool,
    /// Passes over the films
    #[arg(long, default_value_t = ContextConfig::default().epochs)]
    epochs: usize,
    /// Films a step
    #[arg(long, default_value_t = ContextConfig::default().batch)]
    batch: usize,
    /// Learning rate, after a warm-up and before a half cosine down
    #[arg(long, default_value_t = ContextConfig::default().learning_rate)]
    learning_rate: f64,
    /// Decoupled weight decay
    #[arg(long, default_value_t = ContextConfig::default().optimizer.weight_decay)]
    weight_decay: f64,
    /// Write the learned classes of the last share here, for `medclip score --model BUNDLE --head`
    #[arg(long, value_name = "HEAD.safetensors", requires = "model")]
    save: Option<PathBuf>,
    /// Bundle of this very checkpoint that the saved head is for
    #[arg(long, value_name = "BUNDLE", requires = "save")]
    model: Option<PathBuf>,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval prompt-tuning runs/medclip-edge/best films/manifest.csv --prompts models/prompts/chest-xray.toml \\
    --save head.safetensors --model models/medclip-edge";

pub(crate) fn run(args: PromptTuningArgs) -> anyhow::Result<Outcome> {
    keep_freed_memory();
    let config = args.config();
    refuse_existing(args.save.as_deref())?;
    let (checkpoint, films, tuning) = args.tuning.open(&args.report)?;
    let options = PromptTuningOptions { tuning, config, texts: args.prompts, bundle: args.model };
    let found = tune_prompts(&checkpoint, &films, &options, &mut Bar::new())?;
    if let (Some(file), Some(head)) = (&args.save, &found.head) {
        replace_file(file, &head.to_bytes()?).context("cannot write the head")?;
    }
    print(&found.tuning, "prompts behind learned context", &args.report)
}

impl PromptTuningArgs {
    fn config(&self) -> ContextConfig {
        let default = ContextConfig::default();
        ContextConfig {
            seed: self.report.seed,
            vectors: self.vectors,
            per_finding: self.per_finding,
            epochs: self.epochs,
            batch: self.batch,
            learning_rate: self.learning_rate,
            optimizer: AdamWConfig { weight_decay: self.weight_decay, ..default.optimizer },
            schedule: default.schedule,
        }
    }
}
