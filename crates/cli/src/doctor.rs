//! `medclip doctor`: what this build and this machine can do, and what is missing.

use std::io::{self, Write};
use std::iter;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use comfy_table::Table;
use medclip_core::architecture::ImageTower;
use medclip_runtime::{Bundle, EngineKind, EngineState, Machine, OrtLibrary, Preferred};
use serde::Serialize;

use crate::models::{ModelArg, shipped};
use crate::output::{ReportFormat, plain_table, print_report, write_table};
use crate::{Outcome, one_line};

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

/// Everything `doctor` says; the fields are the keys of its JSON object.
#[derive(Debug, Serialize)]
struct Report {
    medclip: Build,
    machine: Machine,
    onnx_runtime: OrtLibrary,
    engines: Vec<EngineState>,
    /// What `--engine auto` would take for the model.
    auto: Option<&'static str>,
    model: ModelReport,
}

#[derive(Debug, Serialize)]
struct Build {
    version: &'static str,
    os: &'static str,
    architecture: &'static str,
    /// Whether it is a build for development, which runs slowly.
    debug: bool,
    features: Vec<&'static str>,
}

#[derive(Debug, Default, Serialize)]
struct ModelReport {
    path: Option<PathBuf>,
    name: Option<String>,
    id: Option<String>,
    #[serde(skip)]
    tower: Option<ImageTower>,
    /// Why it cannot be used; none when every file is as its sum says.
    problem: Option<String>,
}

pub(crate) fn run(args: DoctorArgs) -> anyhow::Result<Outcome> {
    let asked = args.model.named()?;
    let is_model_asked_for = asked.is_some();
    let model = ModelReport::of(asked);
    let report = Report {
        medclip: Build::this(),
        machine: Machine::this(),
        onnx_runtime: OrtLibrary::find(),
        engines: EngineState::all(),
        auto: model.tower.as_ref().and_then(|tower| Preferred::of(tower).engine).map(EngineKind::name),
        model,
    };
    print_report(args.format, &report, |out| report.write(out))?;
    for asked in args.engine {
        let found = report.engines.iter().find(|engine| engine.name == asked.name());
        if let Some(problem) = found.and_then(|engine| engine.problem.as_ref()) {
            bail!("{problem}");
        }
    }
    match report.model.problem {
        Some(problem) if is_model_asked_for => bail!("{problem}"),
        _ => Ok(Outcome::Complete),
    }
}

impl Build {
    fn this() -> Self {
        let features = [
            ("tract", cfg!(feature = "tract")),
            ("rten", cfg!(feature = "rten")),
            ("ort", cfg!(feature = "ort")),
            ("cuda", cfg!(feature = "cuda")),
            ("tensorrt", cfg!(feature = "tensorrt")),
            ("train", cfg!(feature = "train")),
        ];
        Self {
            version: env!("CARGO_PKG_VERSION"),
            os: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            debug: cfg!(debug_assertions),
            features: features.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name).collect(),
        }
    }
}

impl ModelReport {
    fn of(asked: Option<PathBuf>) -> Self {
        let path = match asked.map_or_else(shipped, Ok) {
            Ok(path) => path,
            Err(error) => return Self { problem: Some(one_line(&error)), ..Self::default() },
        };
        match Bundle::open(&path).context("cannot load the model") {
            Ok(bundle) => Self {
                path: Some(path),
                name: Some(bundle.config().name.clone()),
                id: Some(bundle.id().to_owned()),
                tower: Some(bundle.config().architecture.image.clone()),
                problem: None,
            },
            Err(error) => Self { path: Some(path), problem: Some(one_line(&error)), ..Self::default() },
        }
    }
}

impl Report {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Build { version, os, architecture, debug, features } = &self.medclip;
        let kind = if *debug { "development build (slow)" } else { "release build" };
        let features = features.join(" ");
        writeln!(out, "medclip {version}, {kind} for {os} {architecture}, features: {features}\n")?;
        write_table(out, self.facts())?;
        writeln!(out)?;

        let mut engines = plain_table(&["Engine", "Runs here", "Reason"], &[]);
        for EngineState { name, problem } in &self.engines {
            let runs = if problem.is_none() { "yes" } else { "no" };
            engines.add_row([name, runs, problem.as_deref().unwrap_or_default()]);
        }
        write_table(out, engines)?;
        let taken = if self.model.tower.is_some() { "none" } else { "none without a model" };
        writeln!(out, "\n--engine auto takes {}", self.auto.unwrap_or(taken))
    }

    /// What is known of the machine, the library and the model, a line each.
    fn facts(&self) -> Table {
        let Machine { cpu, cpu_features, cores, cuda_devices, .. } = &self.machine;
        let mut facts = plain_table(&[], &[]);
        facts.add_row(["processor", cpu.as_deref().unwrap_or("unknown")]);
        facts.add_row(["instructions", &cpu_features.join(" ")]);
        facts.add_row(["hardware threads", &cores.to_string()]);
        if let (Some(total), Some(free)) =
            (self.machine.memory_total_bytes, self.machine.memory_available_bytes)
        {
            let gibibytes = |bytes: u64| bytes as f64 / f64::from(1 << 30);
            let memory = format!("{:.1} GiB, {:.1} GiB available", gibibytes(total), gibibytes(free));
            facts.add_row(["memory", &memory]);
        }
        let none = cuda_devices.is_empty().then_some("none");
        let devices = none.into_iter().chain(cuda_devices.iter().map(String::as_str));
        for (name, device) in iter::once("NVIDIA devices").chain(iter::repeat("")).zip(devices) {
            facts.add_row([name, device]);
        }
        let OrtLibrary { path, version, ignored, .. } = &self.onnx_runtime;
        let library = path.as_ref().map_or_else(
            || "none; the reason stands beside ort-cpu".to_owned(),
            |path| format!("{} in {}", version.as_deref().unwrap_or("version not told"), path.display()),
        );
        facts.add_row(["ONNX Runtime", &library]);
        for entries in ignored {
            facts.add_row(["", &format!("not searched: {entries}")]);
        }
        facts.add_row(["model", &self.model.text()]);
        facts
    }
}

impl ModelReport {
    fn text(&self) -> String {
        let path = self.path.as_ref().map_or_else(String::new, |path| path.display().to_string());
        match (&self.name, &self.problem) {
            (_, Some(problem)) => problem.clone(),
            (Some(name), None) => format!("{name} in {path}, all sums verified"),
            (None, None) => path,
        }
    }
}
