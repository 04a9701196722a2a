//! `medclip fit prompts`: a head of learned prompts.

use clap::Args;

use crate::Outcome;
use crate::eval::prompt_tuning::PromptTuningArgs;
use crate::fit::write_head;
use crate::models::ModelArg;
use crate::target::TargetArgs;

/// Keep prompts behind learned context vectors as a head for medclip score --head
///
/// Fits and measures as medclip eval prompt-tuning does. The model is the bundle of this very checkpoint, which the head is
/// then for. Of several shares, the head of the last is kept.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct FitPromptsArgs {
    #[command(flatten)]
    tuning: PromptTuningArgs,
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    target: TargetArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip fit prompts runs/medclip-edge/best films/manifest.csv --prompts models/prompts/chest-xray.toml \\
    --model models/medclip-edge -o head.safetensors";

pub(crate) fn run(args: FitPromptsArgs) -> anyhow::Result<Outcome> {
    let output = args.target.check()?;
    let model = args.model.resolve()?;
    args.tuning.run(Some(model), |found| found.head.iter().try_for_each(|head| write_head(output, head)))
}
