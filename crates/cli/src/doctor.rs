//! `medclip doctor`: what this build and this machine can do, and what is missing.

mod machine;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use medclip_core::architecture::ImageTower;
use medclip_runtime::{Bundle, EngineKind, EngineOptions, Preferred};
use serde::Serialize;

use crate::output::{ReportFormat, locked_stdout, plain_table, write_json_report, write_table};
use crate::{Outcome, models, one_line};
pub(crate) use machine::{Machine, kibibytes};

/// Show what runs here: engines, ONNX Runtime, processor, devices, the model
///
/// Engines are tried: libraries are loaded and devices opened. What cannot run is shown with its reason and what to
/// install; it is an error only where it was asked for by --engine or --model.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  medclip doctor\n  medclip doctor --engine cuda --format json")]
pub(crate) struct DoctorArgs {
    /// Fail unless this engine can run; may be repeated
    #[arg(long, value_name = "ENGINE")]
    engine: Vec<EngineKind>,
    /// Fail unless this bundle is sound [default: the shipped model is looked at]
    #[arg(long, value_name = "DIR", env = models::MODEL_VARIABLE, hide_env_values = true, value_parser = models::any_path())]
    model: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

/// Everything `doctor` says; the fields are the keys of its JSON object.
#[derive(Debug, Serialize)]
struct Report {
    medclip: Build,
    machine: Machine,
    onnx_runtime: Library,
    engines: Vec<EngineReport>,
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

/// The ONNX Runtime library that engines would use.
#[derive(Debug, Default, Serialize)]
struct Library {
    path: Option<PathBuf>,
    version: Option<String>,
    build: Option<String>,
    /// Entries of environment variables that are not searched.
    ignored: Vec<String>,
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct EngineReport {
    name: &'static str,
    /// Why it cannot run here; none when it can.
    problem: Option<String>,
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
    let asked = models::named(args.model)?;
    let is_model_asked_for = asked.is_some();
    let model = ModelReport::of(asked);
    let report = Report {
        medclip: Build::this(),
        machine: Machine::this(),
        onnx_runtime: Library::found(),
        engines: EngineKind::ALL.iter().map(|&kind| EngineReport::of(kind)).collect(),
        auto: model.tower.as_ref().and_then(|tower| Preferred::of(tower).engine).map(EngineKind::name),
        model,
    };
    let mut out = locked_stdout();
    match args.format {
        ReportFormat::Json => write_json_report(&mut out, &report)?,
        ReportFormat::Text => report.write_text(&mut out)?,
    }
    out.flush()?;
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

impl Library {
    #[cfg(feature = "ort")]
    fn found() -> Self {
        let ignored = medclip_runtime::OnnxRuntime::ignored();
        match medclip_runtime::OnnxRuntime::load() {
            Ok(found) => Self {
                ignored,
                path: Some(found.path),
                version: found.version,
                build: Some(found.build),
                problem: None,
            },
            Err(error) => Self { ignored, problem: Some(error.lack()), ..Self::default() },
        }
    }

    #[cfg(not(feature = "ort"))]
    fn found() -> Self {
        let problem = "not in this build; build with feature `ort`".to_owned();
        Self { problem: Some(problem), ..Self::default() }
    }
}

impl EngineReport {
    fn of(kind: EngineKind) -> Self {
        Self { name: kind.name(), problem: EngineOptions::from(kind).check().err().map(|error| error.lack()) }
    }
}

impl ModelReport {
    fn of(asked: Option<PathBuf>) -> Self {
        let path = match asked.map_or_else(models::shipped, Ok) {
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
    fn write_text(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let Build { version, os, architecture, debug, features } = &self.medclip;
        let kind = if *debug { "development build (slow)" } else { "release build" };
        writeln!(
            out,
            "medclip {version}, {kind} for {os} {architecture}, features: {}\n",
            features.join(" ")
        )?;

        let mut about = plain_table(&[], &[]);
        for (what, found) in self.machine.rows() {
            about.add_row([what.to_owned(), found]);
        }
        about.add_row(["ONNX Runtime".to_owned(), self.onnx_runtime.text()]);
        for entries in &self.onnx_runtime.ignored {
            about.add_row([String::new(), format!("not searched: {entries}")]);
        }
        about.add_row(["model".to_owned(), self.model.text()]);
        write_table(out, about)?;
        writeln!(out)?;

        let mut engines = plain_table(&["Engine", "Runs here", "Reason"], &[]);
        for EngineReport { name, problem } in &self.engines {
            let runs = if problem.is_none() { "yes" } else { "no" };
            engines.add_row([name, runs, problem.as_deref().unwrap_or_default()]);
        }
        write_table(out, engines)?;
        let taken = if self.model.tower.is_some() { "none" } else { "none without a model" };
        Ok(writeln!(out, "\n--engine auto takes {}", self.auto.unwrap_or(taken))?)
    }
}

impl Library {
    fn text(&self) -> String {
        match &self.path {
            Some(path) => {
                format!("{} in {}", self.version.as_deref().unwrap_or("version not told"), path.display())
            }
            None => "none; the reason stands beside ort-cpu".to_owned(),
        }
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
