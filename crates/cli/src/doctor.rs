//! `medclip doctor`: what this build and this machine can do, and what is missing.

use anyhow::bail;
use clap::Args;
use medclip_runtime::{Diagnosis, EngineKind, ModelState};

use crate::Outcome;
use crate::models::{ModelArg, shipped};
use crate::output::{ReportFormat, print_report};

/// Show what runs here: engines, ONNX Runtime, processor, devices, the model
///
/// Engines are tried: libraries are loaded and devices opened. What cannot run is shown with its reason and what to
/// install; it is an error only where it was asked for by --engine or --model.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  medclip doctor\n  medclip doctor --engine cuda --format json")]
pub(crate) struct DoctorArgs {
    /// Fail unless this engine can run; may be repeated
    #[arg(long, value_name = "ENGINE", value_delimiter = ',')]
    engine: Vec<EngineKind>,
    #[command(flatten)]
    model: ModelArg,
    /// Output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: ReportFormat,
}

pub(crate) fn run(args: DoctorArgs) -> anyhow::Result<Outcome> {
    let asked = args.model.named()?;
    let is_model_asked_for = asked.is_some();
    let model = match asked.map_or_else(shipped, Ok) {
        Ok(path) => ModelState::of(path),
        Err(error) => ModelState::missing(error.to_string()),
    };
    let further = if cfg!(feature = "train") { &["train"][..] } else { &[] };
    let found = Diagnosis::of(model, further);
    print_report(args.format, &found)?;
    if let Some(problem) = args.engine.into_iter().find_map(|engine| found.problem_of(engine)) {
        bail!("{problem}");
    }
    match found.model.problem {
        Some(problem) if is_model_asked_for => bail!("{problem}"),
        _ => Ok(Outcome::Complete),
    }
}
