//! Commands that this build lacks.

use anyhow::bail;

use crate::Outcome;

/// Says which feature of the program has `command`.
fn refuse(command: &str, feature: &str) -> anyhow::Result<Outcome> {
    bail!(
        "this program was built without `medclip {command}`; build it with `cargo build --release -p medclip-cli \
         --features {feature}`"
    )
}

/// A module for each command whose feature this build lacks, in place of the command's own: same arguments by name, same `run`.
macro_rules! missing {
    ($($module:ident::$arguments:ident, $command:literal of $feature:literal: $about:literal;)*) => {$(
        #[cfg(not(feature = $feature))]
        pub(crate) mod $module {
            use std::ffi::OsString;

            use crate::Outcome;

            /// Whatever was asked of the command.
            #[derive(Debug, clap::Args)]
            #[command(
                disable_help_flag = true,
                about = concat!($about, " (not in this program: feature ", $feature, ")"),
                long_about = None
            )]
            pub(crate) struct $arguments {
                /// Options and arguments of the command
                #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
                _arguments: Vec<OsString>,
            }

            pub(crate) fn run<A>(_: A) -> anyhow::Result<Outcome> {
                super::refuse($command, $feature)
            }
        }
    )*};
}

missing! {
    index::IndexArgs, "index" of "search": "Search films by image or sentence";
    import::ImportArgs, "import" of "import": "Make a bundle of PyTorch weights";
    quantize::QuantizeArgs, "quantize" of "import": "Add towers in further precisions to a bundle";
    certify::CertifyArgs, "certify" of "train": "Compare a bundle with its weights, and certify it";
    train::TrainArgs, "train" of "train": "Train a model";
    runs::RunsArgs, "runs" of "train": "Report on training runs";
    export::ExportArgs, "export" of "train": "Make a bundle of a checkpoint";
    restore::RestoreArgs, "restore" of "candle-onnx": "Make a checkpoint of a bundle";
    eval::EvalArgs, "eval" of "eval": "Measure models on annotated images";
    fit::FitArgs, "fit" of "eval": "Fit a part of a model to annotated images, and keep it";
}

// Parts of commands that are there.
#[cfg(feature = "eval")]
missing! {
    eval_finetune::FinetuneArgs, "eval finetune" of "train": "Fine-tune the image tower on annotated films";
    eval_prompt_tuning::PromptTuningArgs, "eval prompt-tuning" of "train": "Learn vectors in front of the prompts";
    fit_finetune::FitFinetuneArgs, "fit finetune" of "train": "Keep a fine-tuned image tower";
    fit_prompts::FitPromptsArgs, "fit prompts" of "train": "Keep prompts behind learned vectors";
}
