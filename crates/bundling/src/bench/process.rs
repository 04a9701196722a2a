//! The measuring processes, as the side sees them that asks.

use std::io::BufReader;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use medclip_runtime::{EngineKind, Precision};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{BenchError, ProcessError};
use super::worker::{Finished, Loaded, Reply, Request, Setting, read_line, write_line};

/// A process that has loaded the model and waits for requests. Dropping it ends it: its input ends.
#[derive(Debug)]
pub(super) struct Worker {
    engine: EngineKind,
    pub(super) threads: usize,
    loaded: Loaded,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// What is known of a measuring process apart from its runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchProcess {
    /// The engine it ran.
    pub engine: &'static str,
    /// Threads it could use.
    pub threads: usize,
    /// How long it took to load the model.
    #[serde(flatten)]
    pub loaded: Loaded,
    /// What it took in all.
    #[serde(flatten)]
    pub finished: Finished,
}

impl Worker {
    /// Starts a process and waits until it has loaded the model.
    pub(super) fn start(
        mut command: Command,
        engine: EngineKind,
        setting: &Setting,
    ) -> Result<Self, BenchError> {
        let threads = setting.threads.get();
        let of_process = |source| BenchError::Process { engine, threads, source };
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.map_err(BenchError::Start)?;
        let (mut input, output) = (child.stdin.take(), child.stdout.take());
        let mut output = BufReader::new(output.ok_or_else(|| of_process(ProcessError::Ended))?);
        let loaded = ask(&mut input, &mut output, setting).map_err(of_process)?;
        Ok(Self { engine, threads, loaded, child, input, output })
    }

    /// Engine and precision.
    pub(super) fn setting(&self) -> (&'static str, Precision) {
        (self.engine.name(), self.loaded.precision)
    }

    /// Milliseconds of every run.
    pub(super) fn measure(&mut self, request: &Request) -> Result<Vec<f64>, BenchError> {
        let reply: Result<Reply, _> = ask(&mut self.input, &mut self.output, request);
        let (engine, threads) = (self.engine, self.threads);
        Ok(reply.map_err(|source| BenchError::Process { engine, threads, source })?.ms)
    }

    /// Ends the process.
    pub(super) fn finish(mut self) -> Result<BenchProcess, BenchError> {
        drop(self.input.take());
        let finished = read_line(&mut self.output)?.ok_or(ProcessError::Ended)?;
        self.child.wait().map_err(ProcessError::from)?;
        let Self { engine, threads, loaded, .. } = self;
        Ok(BenchProcess { engine: engine.name(), threads, loaded, finished })
    }
}

/// Sends a line and returns the answer.
fn ask<T: DeserializeOwned>(
    input: &mut Option<ChildStdin>,
    output: &mut BufReader<ChildStdout>,
    question: &impl Serialize,
) -> Result<T, ProcessError> {
    // A process that has ended says why on standard error; the missing answer is what is reported here.
    let sent = write_line(input.as_mut().ok_or(ProcessError::Ended)?, question);
    let answer = read_line(output)?.ok_or(ProcessError::Ended)?;
    sent?;
    Ok(answer)
}
