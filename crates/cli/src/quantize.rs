//! `medclip quantize`: a bundle's towers in further precisions, as far as they keep to the limits.

mod films;
mod gate;
mod image;
mod text;

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use medclip_core::quantization::{GateLimits, GateReport, QuantizedTower};
use medclip_core::terminal::Escaped;
use medclip_export::quantize::{RangeMethod, add_towers};
use medclip_export::{BundleOptions, OnnxFile};
use medclip_runtime::{Bundle, EngineKind, EngineOptions, ModelOptions, Precision, TowerKind};

use crate::Outcome;
use crate::bundle;
use crate::output::locked_stdout;
use films::Films;

/// Add towers in further precisions to a bundle
///
/// fp16 stores weights in half precision; int8 multiplies 8-bit numbers, in dense layers of transformers with ranges found
/// while they run, in convolutions with ranges measured on calibration images. Layers that cost too much stay in single
/// precision. Every new tower is then compared with the model's own on inputs that nothing was chosen by: past the limits
/// nothing is written, and the layer that hurts most is named. The figures go into the bundle, as quantization.json; the
/// model, and its id, stay what they are.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct QuantizeArgs {
    /// Bundle directory
    bundle: PathBuf,
    /// Bundle directory to write; may be the same one, with --replace
    out: PathBuf,
    /// Precision to add: fp16 or int8
    #[arg(long, value_name = "P,…", value_delimiter = ',', required = true)]
    precision: Vec<Precision>,
    #[command(flatten)]
    settings: QuantizeSettings,
    /// Replace a bundle that is there
    #[arg(long)]
    replace: bool,
}

const EXAMPLES: &str = "\
Examples:
  medclip quantize models/medclip-edge edge-int8 --precision int8 --calibrate films/ --engine ort-cpu
  medclip quantize models/medclip-edge edge-int8 --precision int8 --calibrate films.csv --gate cosine=0.9995,top1=0.99";

/// How towers are quantised and what they may cost.
#[derive(Debug, Args)]
pub(crate) struct QuantizeSettings {
    /// Directory of chest films, or CSV file with a column `path`
    ///
    /// A third of the patients is calibrated and tuned on, the others are for the gate; without a column `patient_group` or
    /// `patient_id` every file is a patient. Columns named like the model's classes are labels: 1, 0 or nothing.
    #[arg(long, value_name = "DIR|CSV")]
    calibrate: Option<PathBuf>,
    /// Tower to quantise; may be repeated
    #[arg(long, value_name = "TOWER", default_value = "image")]
    tower: Vec<TowerArg>,
    /// How ranges of activations are chosen: percentile=SHARE, entropy or extremes
    #[arg(long, value_name = "METHOD", default_value = "percentile=99.99")]
    ranges: RangeMethod,
    /// Limits: least cosine with the model's own embeddings, least share of images with the same first class, largest
    /// loss of a class's AUROC
    #[arg(long, value_name = "cosine=…,top1=…,auroc=…", value_parser = gate::limits, default_value = "")]
    gate: GateLimits,
    /// Layers that may stay in single precision [default: a third of them]
    #[arg(long, value_name = "N")]
    keep: Option<usize>,
    /// What runs the graphs meanwhile: tract, ort-cpu, cuda or tensorrt
    #[arg(long, value_name = "ENGINE", default_value_t)]
    engine: EngineKind,
    /// Threads to use [default: all]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TowerArg {
    Image,
    Text,
}

impl QuantizeSettings {
    fn options(&self) -> ModelOptions {
        let default = ModelOptions::default();
        let threads = self.threads.unwrap_or(default.threads);
        ModelOptions { engine: EngineOptions::from(self.engine), threads, ..default }
    }

    fn max_kept(&self, layers: usize) -> usize {
        self.keep.unwrap_or(layers / 3)
    }

    fn towers(&self) -> Vec<TowerKind> {
        let named = |tower: TowerArg| match tower {
            TowerArg::Image => TowerKind::Image,
            TowerArg::Text => TowerKind::Text,
        };
        let mut towers: Vec<TowerKind> = self.tower.iter().copied().map(named).collect();
        towers.sort_unstable();
        towers.dedup();
        towers
    }
}

/// A quantised tower with its report, sums and sizes still to be filled in.
type Made = (QuantizedTower, OnnxFile);

pub(crate) fn run(args: &QuantizeArgs) -> anyhow::Result<Outcome> {
    bundle::refuse_existing(&args.out, args.replace)?;
    let bundle = Bundle::open(&args.bundle).context("cannot load the model")?;
    bundle.require_text_tower()?;
    let written = quantize(&bundle, &args.precision, &args.settings, &args.out, args.replace)?;
    let mut out = locked_stdout();
    writeln!(out, "wrote {}", Escaped(args.out.display()))?;
    write_reports(&mut out, &written)?;
    Ok(Outcome::Complete)
}

/// Writes `bundle` to `target` with its towers in these precisions, if they all keep to the limits.
pub(crate) fn quantize(
    bundle: &Bundle,
    precisions: &[Precision],
    settings: &QuantizeSettings,
    target: &Path,
    replace: bool,
) -> anyhow::Result<Bundle> {
    if let Some(own) = precisions.iter().find(|&&precision| precision == Precision::Fp32) {
        bail!("a bundle has its towers in {own} already; --precision takes fp16 and int8");
    }
    let towers = settings.towers();
    let options = settings.options();
    options.engine.check()?;
    let films = match &settings.calibrate {
        _ if !towers.contains(&TowerKind::Image) => None,
        Some(path) => Some(Films::open(path, bundle)?),
        None => bail!("--calibrate names the films that an image tower is calibrated and compared on"),
    };
    let mut made: Vec<Made> = Vec::new();
    for &precision in precisions {
        for &tower in &towers {
            let what = || format!("the {tower} tower is refused in {precision}");
            made.push(match (tower, &films) {
                (TowerKind::Image, Some(films)) => {
                    image::quantize(bundle, precision, films, settings, &options).with_context(what)?
                }
                (TowerKind::Image, None) => bail!("an image tower needs films"),
                (TowerKind::Text, _) => {
                    text::quantize(bundle, precision, settings, &options).with_context(what)?
                }
            });
        }
    }
    let detach_from = BundleOptions::default().detach_from;
    add_towers(bundle, made, target, detach_from, replace).context("the bundle cannot be written")?;
    Bundle::open(target).context("the bundle cannot be opened again")
}

/// A line for every tower in a further precision.
pub(crate) fn write_reports(out: &mut impl Write, bundle: &Bundle) -> anyhow::Result<()> {
    for each in &bundle.quantization().towers {
        let QuantizedTower { tower, precision, bytes: [from, to], kept, layers, gate, .. } = each;
        let share = 100.0 * *to as f64 / (*from).max(1) as f64;
        write!(out, "{tower} {precision}: {:.1} MB, {share:.0} % of its size", *to as f64 / 1e6)?;
        if *precision == Precision::Int8 {
            write!(out, "; {layers} layers of 8 bits, {} of single precision", kept.len())?;
        }
        let GateReport { inputs, least_cosine, mean_cosine, top1, auroc, .. } = gate;
        write!(out, "; on {inputs} inputs cosine {least_cosine:.5} at least, {mean_cosine:.5} on average")?;
        if let Some(top1) = top1 {
            write!(out, ", same first class for {:.2} %", 100.0 * top1)?;
        }
        let losses =
            auroc.iter().filter(|class| class.is_decisive()).map(|class| class.full - class.quantized);
        if let Some(loss) = losses.reduce(f64::max) {
            write!(out, ", AUROC loses {loss:.4} at most")?;
        }
        writeln!(out)?;
    }
    Ok(())
}
