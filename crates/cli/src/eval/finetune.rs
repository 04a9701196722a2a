//! `medclip eval finetune`: how well the image tower does once it is fitted to annotated films as a whole.

use std::path::PathBuf;

use clap::Args;
use medclip_export::BundleOptions;
use medclip_protocols::{FinetuneOptions, finetune};
use medclip_train::data::AugmentConfig;
use medclip_train::tuning::FinetuneConfig;
use medclip_train::{AdamWConfig, Schedule};

use super::args::{ReportArgs, refuse_existing};
use super::bar::Bar;
use super::tuning::{TuningArgs, print};
use crate::Outcome;
use crate::export::write_checked;
use crate::train::keep_freed_memory;

/// AUROC and average precision of the image tower fine-tuned with a linear head
///
/// Fits image tower and head to the films where a finding is annotated, by binary cross-entropy; a blank or uncertain
/// annotation has no part in it and is never read as absent. The head starts as logistic regressions of the unchanged
/// tower's embeddings. Augmentation is that of training.
///
/// The checkpoint is a directory of `medclip train` (its `best`) or of `medclip restore`. The batch normalisations of a
/// restored one are identities, so running statistics are kept while fitting; `--batch-statistics`, for checkpoints of
/// training, goes on with them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct FinetuneArgs {
    #[command(flatten)]
    tuning: TuningArgs,
    /// Passes over the films; 0 evaluates the head that fitting starts from
    #[arg(long, default_value_t = FinetuneConfig::default().epochs)]
    epochs: usize,
    /// Films a step
    #[arg(long, default_value_t = FinetuneConfig::default().batch)]
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
    /// Normalise by each batch and go on with the running statistics; refused for a restored checkpoint
    #[arg(long)]
    batch_statistics: bool,
    /// Fit to the films as they are
    #[arg(long)]
    no_augmentation: bool,
    /// Write what the last share gives here: `checkpoint`, the bundle exported from it as `bundle`, and
    /// `head.safetensors` for `medclip score --model DIR/bundle --head DIR/head.safetensors`
    #[arg(long, value_name = "DIR", requires = "prompts")]
    save: Option<PathBuf>,
    /// Zero-shot classes of the saved bundle (TOML)
    #[arg(long, value_name = "FILE", requires = "save")]
    prompts: Option<PathBuf>,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval finetune runs/medclip-edge/best films/manifest.csv --view frontal --fraction 0.1 --fraction 1
  medclip eval finetune runs/medclip-edge/best films/manifest.csv --save tuned --prompts models/prompts/chest-xray.toml";

pub(crate) fn run(args: FinetuneArgs) -> anyhow::Result<Outcome> {
    keep_freed_memory();
    let config = args.config();
    refuse_existing(args.save.as_deref())?;
    let prompts = args.prompts.as_deref().map(crate::bundle::read).transpose()?;
    let augment = (!args.no_augmentation).then(AugmentConfig::default);
    let (checkpoint, films, tuning) = args.tuning.open(&args.report)?;
    let options = FinetuneOptions { tuning, config, augment };
    let mut found = finetune(&checkpoint, &films, &options, &mut Bar::new())?;
    if let (Some(directory), Some(prompts)) = (&args.save, &prompts) {
        found.save(directory, |checkpoint, bundle| {
            write_checked(checkpoint, bundle, prompts, None, &BundleOptions::default())?;
            Ok(())
        })?;
    }
    print(&found.tuning, "image tower fine-tuned", &args.report)
}

impl FinetuneArgs {
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
