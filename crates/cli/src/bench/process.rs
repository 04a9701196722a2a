//! The worker processes, as the measuring side sees them.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail};
use medclip_runtime::{EngineKind, Precision, PrecisionChoice};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::worker::{Finished, Loaded, Reply, Request};

/// A process that has loaded the model and waits for requests. Dropping it ends it: its input ends.
pub(super) struct Worker {
    pub(super) engine: &'static str,
    pub(super) threads: usize,
    loaded: Loaded,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// What is known of a process beside its runs.
#[derive(Debug, Serialize)]
pub(super) struct Process {
    pub(super) engine: &'static str,
    pub(super) threads: usize,
    #[serde(flatten)]
    pub(super) loaded: Loaded,
    #[serde(flatten)]
    pub(super) finished: Finished,
}

impl Worker {
    /// Starts a process and waits until it has loaded the model.
    pub(super) fn start(
        bundle: &Path,
        engine: EngineKind,
        precision: PrecisionChoice,
        threads: NonZeroUsize,
        text: bool,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.arg("bench-worker").arg(bundle);
        command.args(["--engine", engine.name(), "--precision", &precision.to_string()]);
        command.args(["--threads", &threads.to_string()]);
        if text {
            command.arg("--text");
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().context("the process has an output")?);
        let engine = engine.name();
        let loaded = read(&mut output).with_context(|| format!("{engine} on {threads} threads"))?;
        Ok(Self { engine, threads: threads.get(), loaded, child, input, output })
    }

    /// Engine and precision.
    pub(super) fn setting(&self) -> (&'static str, Precision) {
        (self.engine, self.loaded.precision)
    }

    /// Milliseconds of every run.
    pub(super) fn measure(&mut self, request: &Request) -> anyhow::Result<Vec<f64>> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        let input = self.input.as_mut().context("the process has an input")?;
        // A process that has ended says why on standard error; the missing answer is what is reported here.
        let sent = input.write_all(&line).and_then(|()| input.flush());
        let reply: anyhow::Result<Reply> = read(&mut self.output);
        let reply = reply.with_context(|| format!("{} on {} threads", self.engine, self.threads))?;
        sent?;
        Ok(reply.ms)
    }

    /// Ends the process.
    pub(super) fn finish(mut self) -> anyhow::Result<Process> {
        drop(self.input.take());
        let finished = read(&mut self.output)?;
        self.child.wait()?;
        let Self { engine, threads, loaded, .. } = self;
        Ok(Process { engine, threads, loaded, finished })
    }
}

fn read<T: DeserializeOwned>(output: &mut impl BufRead) -> anyhow::Result<T> {
    let mut line = String::new();
    if output.read_line(&mut line)? == 0 {
        bail!("the measuring process ended early");
    }
    Ok(serde_json::from_str(&line)?)
}
