//! `medclip quantize`: a bundle's towers in further precisions, as far as they keep to the limits.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use medclip_archive::inputs::films_below;
use medclip_bundling::{LabeledFilm, QuantizeError, QuantizeOptions, describe_quantized};
use medclip_core::quantization::GateLimits;
use medclip_core::terminal::Escaped;
use medclip_export::quantize::RangeMethod;
use medclip_runtime::{Bundle, EngineKind, EngineOptions, ModelOptions, Precision, TowerKind};

use crate::Outcome;
use crate::bundle::Bar;
use crate::models::ModelArg;
use crate::output::locked_stdout;
use crate::target::{TargetArgs, exists};
use crate::values::tower;

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
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    target: TargetArgs,
    /// Precision to add: fp16 or int8; may be repeated
    #[arg(long, value_name = "PRECISION", value_delimiter = ',', required = true)]
    precision: Vec<Precision>,
    #[command(flatten)]
    settings: QuantizeSettings,
}

const EXAMPLES: &str = "\
Examples:
  medclip quantize -o edge-int8 --precision int8 --calibrate films/ --engine ort-cpu
  medclip quantize -o edge-int8 --precision int8 --calibrate films.csv --gate cosine=0.9995,top1=0.99";

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
    #[arg(long, value_name = "TOWER", value_delimiter = ',', default_value = "image", value_parser = tower())]
    tower: Vec<TowerKind>,
    /// How ranges of activations are chosen: percentile=SHARE, entropy or extremes
    #[arg(long, value_name = "METHOD", default_value = "percentile=99.99")]
    ranges: RangeMethod,
    /// Limits: least cosine with the model's own embeddings, least share of images with the same first class, largest
    /// loss of a class's AUROC
    #[arg(long, value_name = "cosine=…,top1=…,auroc=…", default_value = "")]
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

impl QuantizeSettings {
    pub(crate) fn options(&self, precisions: &[Precision], replace: bool) -> QuantizeOptions {
        let default = ModelOptions::default();
        let threads = self.threads.unwrap_or(default.threads);
        QuantizeOptions {
            precisions: precisions.to_vec(),
            towers: self.tower.clone(),
            ranges: self.ranges,
            limits: self.gate,
            max_kept: self.keep,
            model: ModelOptions { engine: EngineOptions::from(self.engine), threads, ..default },
            replace,
        }
    }

    /// Why nothing was written, in terms of the options.
    pub(crate) fn refusal(&self, error: QuantizeError) -> anyhow::Error {
        match (error, &self.calibrate) {
            (QuantizeError::Target(error), _) => exists(&error),
            (error @ QuantizeError::Own(_), _) => anyhow!("{error}; --precision takes fp16 and int8"),
            (QuantizeError::FewFilms { .. }, None) => {
                anyhow!("--calibrate names the films that an image tower is calibrated and compared on")
            }
            (error @ QuantizeError::FewFilms { .. }, Some(path)) => anyhow!("{}: {error}", path.display()),
            (error, _) => error.into(),
        }
    }

    /// The films of `--calibrate`, where an image tower needs some.
    pub(crate) fn films(&self, bundle: &Bundle) -> anyhow::Result<Vec<LabeledFilm>> {
        match &self.calibrate {
            Some(path) if self.tower.contains(&TowerKind::Image) => {
                if path.is_dir() {
                    return Ok(LabeledFilm::below(path, films_below(path)?));
                }
                LabeledFilm::listed(path, bundle).with_context(|| path.display().to_string())
            }
            _ => Ok(Vec::new()),
        }
    }
}

pub(crate) fn run(args: QuantizeArgs) -> anyhow::Result<Outcome> {
    let target = args.target.check()?;
    let bundle = args.model.open()?;
    bundle.require_text_tower()?;
    let films = args.settings.films(&bundle)?;
    let options = args.settings.options(&args.precision, args.target.replace);
    let written = medclip_bundling::quantize(&bundle, &films, target, &options, &mut Bar::new())
        .map_err(|error| args.settings.refusal(error))?;
    let mut out = locked_stdout();
    writeln!(out, "wrote {}", Escaped(target.display()))?;
    write_reports(&mut out, &written)?;
    Ok(Outcome::Complete)
}

/// A line for every tower in a further precision.
pub(crate) fn write_reports(out: &mut impl Write, bundle: &Bundle) -> io::Result<()> {
    let towers = &bundle.quantization().towers;
    towers.iter().try_for_each(|tower| writeln!(out, "{}", describe_quantized(tower)))
}
