//! `medclip doctor`: what this build and this machine can do, and what is missing.

use std::io::{self, Write};
use std::iter;

use anyhow::bail;
use clap::Args;
use comfy_table::Table;
use medclip_runtime::{Build, Diagnosis, EngineKind, EngineState, Machine, ModelState, OrtLibrary};

use crate::Outcome;
use crate::models::{ModelArg, shipped};
use crate::output::{ReportFormat, plain_table, print_report, write_table};

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
    print_report(args.format, &found, |out| write(out, &found))?;
    if let Some(problem) = args.engine.into_iter().find_map(|engine| found.problem_of(engine)) {
        bail!("{problem}");
    }
    match found.model.problem {
        Some(problem) if is_model_asked_for => bail!("{problem}"),
        _ => Ok(Outcome::Complete),
    }
}

fn write(out: &mut impl Write, found: &Diagnosis) -> io::Result<()> {
    let Build { version, os, architecture, debug, features } = &found.medclip;
    let kind = if *debug { "development build (slow)" } else { "release build" };
    let features = features.join(" ");
    writeln!(out, "medclip {version}, {kind} for {os} {architecture}, features: {features}\n")?;
    write_table(out, facts(found))?;
    writeln!(out)?;

    let mut engines = plain_table(&["Engine", "Runs here", "Reason"], &[]);
    for EngineState { name, problem } in &found.engines {
        let runs = if problem.is_none() { "yes" } else { "no" };
        engines.add_row([name, runs, problem.as_deref().unwrap_or_default()]);
    }
    write_table(out, engines)?;
    let taken = if found.model.tower.is_some() { "none" } else { "none without a model" };
    writeln!(out, "\n--engine auto takes {}", found.auto.unwrap_or(taken))
}

/// What is known of the machine, the library and the model, a line each.
fn facts(found: &Diagnosis) -> Table {
    let Machine { cpu, cpu_features, cores, cuda_devices, .. } = &found.machine;
    let mut facts = plain_table(&[], &[]);
    facts.add_row(["processor", cpu.as_deref().unwrap_or("unknown")]);
    facts.add_row(["instructions", &cpu_features.join(" ")]);
    facts.add_row(["hardware threads", &cores.to_string()]);
    if let Some(memory) = found.machine.describe_memory() {
        facts.add_row(["memory", &memory]);
    }
    let none = cuda_devices.is_empty().then_some("none");
    let devices = none.into_iter().chain(cuda_devices.iter().map(String::as_str));
    for (name, device) in iter::once("NVIDIA devices").chain(iter::repeat("")).zip(devices) {
        facts.add_row([name, device]);
    }
    let OrtLibrary { path, version, ignored, .. } = &found.onnx_runtime;
    let library = path.as_ref().map_or_else(
        || "none; the reason stands beside ort-cpu".to_owned(),
        |path| format!("{} in {}", version.as_deref().unwrap_or("version not told"), path.display()),
    );
    facts.add_row(["ONNX Runtime", &library]);
    for entries in ignored {
        facts.add_row(["", &format!("not searched: {entries}")]);
    }
    facts.add_row(["model", &found.model.to_string()]);
    facts
}
