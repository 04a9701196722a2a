//! `medclip export`: a checkpoint to a bundle, checked against the forward pass it was trained with.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use medclip_bundling::{
    ExportBundleError, QuantizeOptions, TowerDifference, export_bundle, export_quantized,
};
use medclip_core::terminal::Escaped;
use medclip_export::{BundleOptions, GraphOptions, Storage};
use medclip_runtime::Precision;

use crate::Outcome;
use crate::bundle::{self, Bar};
use crate::output::locked_stdout;
use crate::quantize::{QuantizeSettings, write_reports};
use crate::target::{TargetArgs, exists};

/// Write a checkpoint as a bundle
///
/// Writes both towers as ONNX, embeds the prompts once, and runs the result beside the forward pass of training; a
/// bundle that differs is not put in place. The text tower is stored in half precision.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    /// Checkpoint directory: weights.safetensors, model.toml, tokenizer.json
    checkpoint: PathBuf,
    #[command(flatten)]
    target: TargetArgs,
    /// Zero-shot classes (TOML)
    #[arg(long, value_name = "FILE")]
    prompts: PathBuf,
    /// Model card (Markdown) [default: name and description of the model]
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
    /// Precision of the bundle's towers: fp32, fp16 for an image tower stored in half precision as the text tower is, int8
    /// for a tower of 8-bit layers beside it
    #[arg(long, value_name = "PRECISION", default_value_t)]
    precision: Precision,
    #[command(flatten)]
    quantize: QuantizeSettings,
}

const EXAMPLES: &str = "\
Examples:
  medclip export runs/medclip-edge/best -o models/medclip-edge --prompts models/prompts/chest-xray.toml
  medclip export runs/medclip-edge/best -o edge-int8 --prompts models/prompts/chest-xray.toml --precision int8 --calibrate films.csv";

pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<Outcome> {
    let to = args.target.check()?;
    let replace = args.target.replace;
    let prompts = bundle::read(&args.prompts)?;
    let image =
        GraphOptions { storage: if args.precision == Precision::Fp16 { Storage::F16 } else { Storage::F32 } };
    let options = BundleOptions { image, replace, ..BundleOptions::default() };
    let (from, card) = (&args.checkpoint, args.card.as_deref());
    let mut out = locked_stdout();
    let differences = if args.precision == Precision::Int8 {
        let further: QuantizeOptions = args.quantize.options(&[args.precision], replace);
        let made = export_quantized(
            from,
            to,
            &prompts,
            card,
            (&options, &further),
            |bundle| Ok(args.quantize.films(bundle)?),
            &mut Bar::new(),
        );
        let (bundle, differences) = made.map_err(|error| refusal(error, &args.quantize))?;
        write_reports(&mut out, &bundle)?;
        differences
    } else {
        export_bundle(from, to, &prompts, card, &options).map_err(|error| refusal(error, &args.quantize))?
    };
    writeln!(out, "wrote {}", Escaped(to.display()))?;
    for TowerDifference { what, largest, .. } in differences {
        writeln!(out, "{what}: largest difference from training's forward pass {largest:.1e}")?;
    }
    Ok(Outcome::Complete)
}

/// Why nothing was exported, in terms of the options.
fn refusal(error: ExportBundleError, settings: &QuantizeSettings) -> anyhow::Error {
    match error {
        ExportBundleError::Target(error) => exists(&error),
        ExportBundleError::Quantize(error) => settings.refusal(error),
        error => error.into(),
    }
}
