//! `medclip import`: weights that PyTorch saved to a bundle.

use std::io::Write;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use medclip_bundling::{
    ImportBundleError, ImportBundleOptions, KnownTower, describe_image_tower, describe_text_tower,
    import_bundle,
};
use medclip_core::terminal::Escaped;
use medclip_export::Mode;

use crate::Outcome;
use crate::bundle::{Bar, hint};
use crate::output::locked_stdout;
use crate::target::{TargetArgs, exists};
use crate::values::one_of;

/// Write PyTorch weights as a bundle
///
/// Reads a MedCLIP that a PyTorch program saved (zip, older formats, safetensors, lists of shards) without executing
/// anything in it, tells its towers and sizes by the shapes of its tensors, writes both towers as ONNX in single precision and embeds
/// the prompts. A file with other tensors than those of the architecture is refused, and every difference listed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImportArgs {
    /// File of both towers, or of one of them; a list of shards (model.safetensors.index.json) stands for all
    weights: PathBuf,
    #[command(flatten)]
    target: TargetArgs,
    /// File of the other tower, where they were saved apart, or another shard; may be repeated
    #[arg(long, value_name = "FILE")]
    also: Vec<PathBuf>,
    /// Part of the file to take, such as `state_dict_ema`: a dictionary of it, or what names start with [default: the
    /// model's weights as they are]
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
    /// Fail unless the image tower is this one [default: whichever it is]
    #[arg(long, value_name = "TOWER", value_parser = one_of(&KnownTower::ALL, KnownTower::name))]
    vision: Option<KnownTower>,
    /// vocab.txt or tokenizer.json [default: the one beside the weights]
    #[arg(long, value_name = "FILE")]
    tokenizer: Option<PathBuf>,
    /// Lower-case sentences, as the published models do although their vocabulary is cased; `--lowercase=false` keeps
    /// capitals whatever the vocabulary [default: as tokenizer.json says]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    lowercase: Option<bool>,
    /// Longest sentence in tokens
    #[arg(long, value_name = "N", default_value_t = 77)]
    max_length: usize,
    /// Attention heads of the text tower [default: those of the config.json beside the weights, or of published towers]
    #[arg(long, value_name = "N")]
    heads: Option<usize>,
    /// Side of the image in pixels
    #[arg(long, value_name = "N", default_value_t = 224)]
    image_size: usize,
    /// Whose behaviour: `paper` averages sentences over their tokens and classes over their prompts; `reference` averages
    /// over padding too and takes the best prompt, as the published code does
    #[arg(long, default_value = "paper", value_parser = one_of(&Mode::ALL, Mode::name))]
    mode: Mode,
    /// Zero-shot classes (TOML) [default: the 14 findings of CheXpert]
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// Model card (Markdown) [default: name and description of the model]
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
    /// Name of the model, as scores report it [default: that of the bundle directory]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  medclip import pytorch_model.bin -o models/medclip-vit --tokenizer vocab.txt --lowercase
  medclip import pytorch_model.bin -o models/medclip-vit-reference --tokenizer vocab.txt --lowercase --mode reference";

pub(crate) fn run(args: ImportArgs) -> anyhow::Result<Outcome> {
    let ImportArgs { weights, target: TargetArgs { output, replace }, .. } = args;
    let options = ImportBundleOptions {
        also: args.also,
        part: args.part,
        tower: args.vision,
        tokenizer: args.tokenizer,
        lowercase: args.lowercase,
        max_length: args.max_length,
        heads: args.heads,
        image_size: args.image_size,
        mode: args.mode,
        prompts: args.prompts,
        card: args.card,
        name: args.name,
        replace,
    };
    let config = import_bundle(&weights, &output, &options, &mut Bar::new()).map_err(refusal)?;
    let mut out = locked_stdout();
    writeln!(out, "wrote {}", Escaped(output.display()))?;
    writeln!(out, "image tower: {}", describe_image_tower(&config.architecture.image))?;
    writeln!(out, "text tower: {}", describe_text_tower(&config))?;
    Ok(Outcome::Complete)
}

/// Why nothing was imported, in terms of the options.
fn refusal(error: ImportBundleError) -> anyhow::Error {
    match error {
        ImportBundleError::Target(error) => exists(&error),
        ImportBundleError::Weights(_) => hint(error),
        ImportBundleError::NoVocabulary { .. } => {
            anyhow!("{error}; --tokenizer names the vocab.txt or tokenizer.json of the text tower")
        }
        error => error.into(),
    }
}
