//! `medclip export`: a checkpoint to a bundle, checked against the forward pass it was trained with.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use medclip_core::batch::Embeddings;
use medclip_core::bundle::BUNDLE;
use medclip_core::terminal::Escaped;
use medclip_core::{GrayImage, ImageBatch, TokenBatch};
use medclip_export::{BundleContents, BundleOptions, Checkpoint, GraphOptions, Storage, write_bundle_if};
use medclip_files::StagedDirectory;
use medclip_phantom::Phantom;
use medclip_runtime::{
    Bundle, BundleFile, GraphInfo, GraphSource, Model, ModelOptions, Precision, embed_sentences,
};
use medclip_train::reference::ReferenceModel;

use crate::Outcome;
use crate::bundle;
use crate::output::locked_stdout;
use crate::quantize::{self, QuantizeSettings};
use crate::verify::compare;

/// Largest difference between the exported graphs and training's forward pass, per entry of a unit vector.
const TOLERANCE: f32 = 1e-4;
/// The same where half-precision storage has rounded the weights.
const HALF_TOLERANCE: f32 = 5e-3;
/// Phantoms and prompts that are compared.
const SAMPLES: usize = 8;

/// Write a checkpoint as a bundle
///
/// Writes both towers as ONNX, embeds the prompts once, and runs the result beside the forward pass of training; a
/// bundle that differs is not put in place. The text tower is stored in half precision.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    /// Checkpoint directory: weights.safetensors, model.toml, tokenizer.json
    checkpoint: PathBuf,
    /// Bundle directory to write
    bundle: PathBuf,
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
    /// Replace a bundle that is there
    #[arg(long)]
    replace: bool,
}

const EXAMPLES: &str = "\
Examples:
  medclip export runs/medclip-edge/best models/medclip-edge --prompts models/prompts/chest-xray.toml
  medclip export runs/medclip-edge/best edge-int8 --prompts models/prompts/chest-xray.toml --precision int8 --calibrate films.csv";

pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<Outcome> {
    bundle::refuse_existing(&args.bundle, args.replace)?;
    let prompts = bundle::read(&args.prompts)?;
    let image =
        GraphOptions { storage: if args.precision == Precision::Fp16 { Storage::F16 } else { Storage::F32 } };
    let options = BundleOptions { image, replace: args.replace, ..BundleOptions::default() };
    let write =
        |target: &Path| write_checked(&args.checkpoint, target, &prompts, args.card.as_deref(), &options);
    let mut out = locked_stdout();
    let differences = if args.precision == Precision::Int8 {
        // Out of sight until its towers have passed the gate; it never takes this name.
        let staged = StagedDirectory::create(&args.bundle, &BUNDLE)?;
        let single = staged.path().join("bundle");
        let differences = write(&single)?;
        let single = Bundle::open(&single)?;
        let precisions = [args.precision];
        let bundle = quantize::quantize(&single, &precisions, &args.quantize, &args.bundle, args.replace)?;
        quantize::write_reports(&mut out, &bundle)?;
        differences
    } else {
        write(&args.bundle)?
    };
    writeln!(out, "wrote {}", Escaped(args.bundle.display()))?;
    for (what, difference, _) in differences {
        writeln!(out, "{what}: largest difference from training's forward pass {difference:.1e}")?;
    }
    Ok(Outcome::Complete)
}

/// Writes the bundle of a checkpoint, unless it differs from the forward pass of training.
pub(crate) fn write_checked(
    directory: &Path,
    bundle: &Path,
    prompts: &str,
    card: Option<&Path>,
    options: &BundleOptions,
) -> anyhow::Result<Vec<Difference>> {
    let checkpoint = Checkpoint::open(directory).context("cannot export the checkpoint")?;
    let card = bundle::card(card, &checkpoint)?;
    let contents = BundleContents { prompts, card: &card };
    let mut differences = Vec::new();
    write_bundle_if(&checkpoint, contents, options, bundle, bundle::embed, |bundle| {
        differences = check(directory, &checkpoint, bundle)?;
        Ok(())
    })?;
    Ok(differences)
}

/// What was compared, the largest difference and the tolerance.
pub(crate) type Difference = (&'static str, f32, f32);

/// Runs the same phantoms and prompts through training's forward pass and the exported graphs.
fn check(directory: &Path, checkpoint: &Checkpoint, bundle: &Path) -> anyhow::Result<Vec<Difference>> {
    let reference = ReferenceModel::open(directory).context("cannot run the checkpoint")?;
    let model = Model::open(bundle).context("the bundle cannot be opened again")?;

    let images = (0..SAMPLES as u64)
        .map(|seed| Ok(Phantom::random(seed, 256)?.render()))
        .collect::<anyhow::Result<Vec<GrayImage>>>()?;
    let batch: ImageBatch = model.preprocessor().batch(&images)?;
    let expected = reference.embed_images(&batch)?;
    let image = largest_difference(&expected, &model.embed_images(&batch)?);

    let classes = model.bundle().bank().classes();
    let sentences: Vec<&str> =
        classes.iter().flat_map(|class| &class.positive).take(SAMPLES).map(String::as_str).collect();
    let config = model.bundle().config();
    let tokenizer = model.bundle().tokenizer()?;
    let tokens: TokenBatch = tokenizer.batch(&sentences)?;
    let expected = reference.embed_texts(&tokens)?;
    let full = checkpoint.text_graph(&GraphOptions { storage: Storage::F32 })?.into_bytes();
    let full = embed_sentences(
        GraphSource::Bytes(&full),
        config,
        &tokenizer,
        &[&sentences],
        ModelOptions::default(),
    )?;
    let stored = model.embed_texts(&sentences)?;

    let half_image = GraphInfo::read(&bundle.join(BundleFile::ImageGraph.file_name()))?.half_parameters > 0;
    let differences = vec![
        ("image tower", image, if half_image { HALF_TOLERANCE } else { TOLERANCE }),
        ("text tower", largest_difference(&expected, &full), TOLERANCE),
        ("text tower as stored in half precision", largest_difference(&expected, &stored), HALF_TOLERANCE),
    ];
    for (what, difference, tolerance) in &differences {
        if difference.is_nan() || difference > tolerance {
            bail!(
                "{what}: differs from training's forward pass by {difference:.1e}, at most {tolerance:.0e} is allowed"
            );
        }
    }
    Ok(differences)
}

fn largest_difference(a: &Embeddings, b: &Embeddings) -> f32 {
    // A difference of two single-precision numbers: nothing is lost.
    compare::Difference::new(a, b).largest as f32
}
