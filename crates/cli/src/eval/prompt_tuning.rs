//! `medclip eval prompt-tuning`: how well prompts do once the words in front of them are learned.

use std::path::PathBuf;

use clap::Args;
use medclip_protocols::{PromptTuningOptions, TunedPrompts, tune_prompts};
use medclip_train::AdamWConfig;
use medclip_train::tuning::ContextConfig;

use crate::Outcome;
use crate::protocol::{Bar, ReportArgs, TuningArgs};
use crate::train::keep_freed_memory;

/// AUROC and average precision of prompts behind learned context vectors
///
/// Both towers stay as they are. A few vectors in the space of word embeddings are learned in front of each finding's
/// positive and negative text, by binary cross-entropy of their difference at the model's temperature on the films where
/// the finding is annotated; a blank or uncertain annotation has no part in it and is never read as absent.
///
/// The texts are the first positive and the first negative sentence of the finding's class in --prompts; its name and
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
    #[arg(long, value_name = "N", default_value_t = ContextConfig::default().vectors)]
    vectors: usize,
    /// Learn vectors of each finding's own, instead of ones that all share
    #[arg(long)]
    per_finding: bool,
    /// Passes over the films
    #[arg(long, value_name = "N", default_value_t = ContextConfig::default().epochs)]
    epochs: usize,
    /// Films a step
    #[arg(long, value_name = "N", default_value_t = ContextConfig::default().batch)]
    batch: usize,
    /// Learning rate, after a warm-up and before a half cosine down
    #[arg(long, default_value_t = ContextConfig::default().learning_rate)]
    learning_rate: f64,
    /// Decoupled weight decay
    #[arg(long, default_value_t = ContextConfig::default().optimizer.weight_decay)]
    weight_decay: f64,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval prompt-tuning runs/medclip-edge/best films/manifest.csv --prompts models/prompts/chest-xray.toml";

pub(crate) fn run(args: PromptTuningArgs) -> anyhow::Result<Outcome> {
    args.run(None, |_| Ok(()))
}

impl PromptTuningArgs {
    /// Fits and measures; `keep` takes what was fitted, with a head for `bundle`, before anything is printed.
    pub(crate) fn run(
        self,
        bundle: Option<PathBuf>,
        keep: impl FnOnce(&TunedPrompts) -> anyhow::Result<()>,
    ) -> anyhow::Result<Outcome> {
        keep_freed_memory();
        let (config, report) = (self.config(), self.report);
        let (checkpoint, films, tuning) = self.tuning.open(&report)?;
        let options = PromptTuningOptions { tuning, config, texts: self.prompts, bundle };
        let found = tune_prompts(&checkpoint, &films, &options, &mut Bar::new())?;
        keep(&found)?;
        report.print(&found)
    }

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
