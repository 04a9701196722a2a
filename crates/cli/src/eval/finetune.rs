//! `medclip eval finetune`: how well the image tower does once it is fitted to annotated films as a whole.

use clap::Args;
use medclip_protocols::{FinetuneOptions, Finetuned, finetune};
use medclip_train::data::AugmentConfig;
use medclip_train::tuning::FinetuneConfig;
use medclip_train::{AdamWConfig, Schedule};

use crate::Outcome;
use crate::protocol::{Bar, ReportArgs, TuningArgs};
use crate::train::keep_freed_memory;

/// AUROC and average precision of the image tower fine-tuned with a linear head
///
/// Fits image tower and head to the films where a finding is annotated, by binary cross-entropy; a blank or uncertain
/// annotation has no part in it and is never read as absent. The head starts as logistic regressions of the unchanged
/// tower's embeddings. Augmentation is that of training.
///
/// The checkpoint is a directory of `medclip train` (its `best`) or of `medclip restore`. The batch normalizations of a
/// restored one are identities, so running statistics are kept while fitting; --batch-statistics, for checkpoints of
/// training, goes on with them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct FinetuneArgs {
    #[command(flatten)]
    tuning: TuningArgs,
    /// Passes over the films; 0 evaluates the head that fitting starts from
    #[arg(long, value_name = "N", default_value_t = FinetuneConfig::default().epochs)]
    epochs: usize,
    /// Films a step
    #[arg(long, value_name = "N", default_value_t = FinetuneConfig::default().batch)]
    batch: usize,
    /// Learning rate of the head, after a warm-up and before a half cosine down
    #[arg(long, default_value_t = FinetuneConfig::default().learning_rate)]
    learning_rate: f64,
    /// Factor of the learning rate for the image tower
    #[arg(long, default_value_t = FinetuneConfig::default().trunk_rate)]
    trunk_rate: f64,
    /// Further factor for each block below the last
    #[arg(long, default_value_t = FinetuneConfig::default().layer_decay)]
    layer_decay: f64,
    /// Keep this many blocks from the bottom as they are
    #[arg(long, default_value_t = FinetuneConfig::default().freeze_blocks)]
    freeze_blocks: usize,
    /// Decoupled weight decay
    #[arg(long, default_value_t = FinetuneConfig::default().optimizer.weight_decay)]
    weight_decay: f64,
    /// Share of the steps spent warming up
    #[arg(long, default_value_t = FinetuneConfig::default().schedule.warmup)]
    warmup: f64,
    /// C of the logistic regressions that the head starts from
    #[arg(long, default_value_t = FinetuneConfig::default().head_c)]
    head_c: f64,
    /// Normalize by each batch and go on with the running statistics; refused for a restored checkpoint
    #[arg(long)]
    batch_statistics: bool,
    /// Fit to the films as they are
    #[arg(long)]
    no_augmentation: bool,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval finetune runs/medclip-edge/best films/manifest.csv --view frontal --fraction 0.1 --fraction 1";

pub(crate) fn run(args: FinetuneArgs) -> anyhow::Result<Outcome> {
    args.run(|_| Ok(()))
}

impl FinetuneArgs {
    /// Fits and measures; `keep` takes what was fitted before anything is printed.
    pub(crate) fn run(
        self,
        keep: impl FnOnce(&mut Finetuned) -> anyhow::Result<()>,
    ) -> anyhow::Result<Outcome> {
        keep_freed_memory();
        let (config, report) = (self.config(), self.report);
        let augment = (!self.no_augmentation).then(AugmentConfig::default);
        let (checkpoint, films, tuning) = self.tuning.open(&report)?;
        let options = FinetuneOptions { tuning, config, augment };
        let mut found = finetune(&checkpoint, &films, &options, &mut Bar::new())?;
        keep(&mut found)?;
        report.print(&found)
    }

    fn config(&self) -> FinetuneConfig {
        let default = FinetuneConfig::default();
        FinetuneConfig {
            seed: self.report.seed,
            epochs: self.epochs,
            batch: self.batch,
            learning_rate: self.learning_rate,
            trunk_rate: self.trunk_rate,
            layer_decay: self.layer_decay,
            freeze_blocks: self.freeze_blocks,
            batch_statistics: self.batch_statistics,
            head_c: self.head_c,
            optimizer: AdamWConfig { weight_decay: self.weight_decay, ..default.optimizer },
            schedule: Schedule { warmup: self.warmup, ..default.schedule },
        }
    }
}
