//! The inputs of a run, which may be listed several times.

use std::collections::HashMap;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use medclip_archive::{InputError, InputOptions, Skipped, Source, expand_and_count};
use medclip_files::is_pipe;

use crate::inputs::read_list;

/// Inputs as they were named.
pub(super) struct Inputs<'a> {
    arguments: &'a [PathBuf],
    options: InputOptions,
    unique: bool,
    /// Standard input, where it lists inputs: it can be read only once.
    stdin: Option<Vec<u8>>,
    skipped: Skipped,
    twice: Option<Twice>,
}

/// Two inputs of one name, by their number from 1.
pub(super) struct Twice {
    first: u64,
    second: u64,
    id: String,
}

impl<'a> Inputs<'a> {
    /// # Errors
    /// When an input is a pipe, or standard input cannot be read.
    pub(super) fn new(arguments: &'a [PathBuf], options: InputOptions, unique: bool) -> anyhow::Result<Self> {
        // It is listed before it is scored, and a pipe gives its content once.
        if let Some(pipe) = arguments.iter().find(|input| is_pipe(input)) {
            bail!("{} is a pipe, which cannot be read again: save what it gives as a file", pipe.display());
        }
        let mut stdin = None;
        if arguments.iter().any(|input| input == Path::new("-")) {
            let list = read_list(&mut io::stdin().lock());
            stdin = Some(list.context("cannot read the list of inputs from standard input")?);
        }
        Ok(Self { arguments, options, unique, stdin, skipped: Skipped::default(), twice: None })
    }

    /// Hands every input to `sink`, in order.
    ///
    /// # Errors
    /// Of the search and of `sink`, and of inputs that are there twice where each has to have its own name.
    pub(super) fn list(&mut self, sink: &mut dyn FnMut(Source) -> io::Result<()>) -> Result<(), InputError> {
        let mut stdin = Cursor::new(self.stdin.as_deref().unwrap_or_default());
        let mut numbers = HashMap::new();
        let mut number = 0;
        let (unique, twice) = (self.unique, &mut self.twice);
        self.skipped = expand_and_count(self.arguments, &self.options, &mut stdin, &mut |source| {
            number += 1;
            if unique && let Some(first) = numbers.insert(source.id(), number) {
                twice.get_or_insert_with(|| Twice { first, second: number, id: source.id() });
            }
            sink(source)
        })?;
        match &self.twice {
            Some(twice) => Err(io::Error::other(twice.error(false)).into()),
            None => Ok(()),
        }
    }

    /// Inputs that are there twice and must not.
    pub(super) const fn twice(&self) -> Option<&Twice> {
        self.twice.as_ref()
    }

    /// What the search left out.
    pub(super) const fn skipped(&self) -> &Skipped {
        &self.skipped
    }
}

impl Twice {
    pub(super) fn error(&self, with_name: bool) -> anyhow::Error {
        let Self { first, second, id } = self;
        let name = if with_name { format!(" ({id})") } else { String::new() };
        anyhow!("inputs {first} and {second} are the same{name}: name each film once")
    }
}
