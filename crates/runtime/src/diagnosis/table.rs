//! What can run here, for people.

use std::fmt;
use std::iter;

use medclip_core::terminal::TextTable;

use super::{Build, Diagnosis, EngineState, OrtLibrary};
use crate::machine::Machine;

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self;
        let Build { version, os, architecture, debug, features } = &found.medclip;
        let kind = if *debug { "development build (slow)" } else { "release build" };
        let features = features.join(" ");
        writeln!(f, "medclip {version}, {kind} for {os} {architecture}, features: {features}\n")?;
        write!(f, "{}", facts(found))?;
        writeln!(f)?;

        let mut engines = TextTable::new(&["Engine", "Runs here", "Reason"], &[]);
        for EngineState { name, problem } in &found.engines {
            let runs = if problem.is_none() { "yes" } else { "no" };
            engines.row([name, runs, problem.as_deref().unwrap_or_default()]);
        }
        write!(f, "{engines}")?;
        let taken = if found.model.tower.is_some() { "none" } else { "none without a model" };
        writeln!(f, "\nauto takes {}", found.auto.unwrap_or(taken))
    }
}

/// What is known of the machine, the library and the model, a line each.
fn facts(found: &Diagnosis) -> TextTable {
    let Machine { cpu, cpu_features, cores, cuda_devices, .. } = &found.machine;
    let mut facts = TextTable::new(&[], &[]);
    facts.row(["processor", cpu.as_deref().unwrap_or("unknown")]);
    facts.row(["instructions", &cpu_features.join(" ")]);
    facts.row(["hardware threads", &cores.to_string()]);
    if let Some(memory) = found.machine.describe_memory() {
        facts.row(["memory", &memory]);
    }
    let none = cuda_devices.is_empty().then_some("none");
    let devices = none.into_iter().chain(cuda_devices.iter().map(String::as_str));
    for (name, device) in iter::once("NVIDIA devices").chain(iter::repeat("")).zip(devices) {
        facts.row([name, device]);
    }
    let OrtLibrary { path, version, ignored, .. } = &found.onnx_runtime;
    let library = path.as_ref().map_or_else(
        || "none; the reason stands beside ort-cpu".to_owned(),
        |path| format!("{} in {}", version.as_deref().unwrap_or("version not told"), path.display()),
    );
    facts.row(["ONNX Runtime", &library]);
    for entries in ignored {
        facts.row(["", &format!("not searched: {entries}")]);
    }
    facts.row(["model", &found.model.to_string()]);
    facts
}
