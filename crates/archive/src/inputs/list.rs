//! Inputs that are listed more than once.

use std::collections::HashMap;
use std::io::{self, BufRead, Cursor};
use std::path::{Path, PathBuf};

use medclip_files::{FileFault, is_pipe, read_name};

use super::{InputError, InputOptions, STDIN, Skipped, expand_and_count};
use crate::source::Source;

/// Most bytes of a list of inputs that has to be kept: longer ones are for a table.
const MAX_LIST_BYTES: usize = 1 << 30;

/// Inputs as they were named, for whoever lists them several times: a run does before it goes on.
#[derive(Debug)]
pub struct InputList<'a> {
    arguments: &'a [PathBuf],
    options: InputOptions,
    unique: bool,
    /// Standard input, where it lists inputs: it can be read only once.
    stdin: Vec<u8>,
    skipped: Skipped,
}

impl<'a> InputList<'a> {
    /// What `arguments` stand for. With `unique`, no two inputs may be the same.
    ///
    /// # Errors
    /// [`InputError`] when an argument is a pipe, which gives its content once, or `stdin` cannot be read.
    pub fn new(
        arguments: &'a [PathBuf],
        options: InputOptions,
        unique: bool,
        stdin: &mut dyn BufRead,
    ) -> Result<Self, InputError> {
        if let Some(pipe) = arguments.iter().find(|input| is_pipe(input)) {
            return Err(InputError::Pipe { path: pipe.clone() });
        }
        let is_listed = arguments.iter().any(|input| input == Path::new(STDIN));
        let stdin = if is_listed { read_list(stdin).map_err(InputError::Stdin)? } else { Vec::new() };
        Ok(Self { arguments, options, unique, stdin, skipped: Skipped::default() })
    }

    /// Hands every input to `sink`, in order.
    ///
    /// # Errors
    /// Of the search and of `sink`, and [`InputError::Twice`] after the last input.
    pub fn list(&mut self, sink: &mut dyn FnMut(Source) -> io::Result<()>) -> Result<(), InputError> {
        let (mut numbers, mut number) = (HashMap::new(), 0);
        let (unique, mut twice) = (self.unique, None);
        let mut stdin = Cursor::new(&self.stdin);
        self.skipped = expand_and_count(self.arguments, &self.options, &mut stdin, &mut |source| {
            number += 1;
            if unique && let Some(first) = numbers.insert(source.id(), number) {
                twice.get_or_insert_with(|| InputError::Twice { first, second: number, id: source.id() });
            }
            sink(source)
        })?;
        twice.map_or(Ok(()), Err)
    }

    /// What the search left out.
    pub const fn skipped(&self) -> &Skipped {
        &self.skipped
    }
}

/// A list of names that is read more than once.
fn read_list(input: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let (mut list, mut line) = (Vec::new(), Vec::new());
    let mut number = 1;
    while read_name(input, number, &mut line)? {
        list.extend_from_slice(&line);
        list.push(b'\n');
        if list.len() > MAX_LIST_BYTES {
            return Err(FileFault::TooLarge { limit: MAX_LIST_BYTES as u64 }.into());
        }
        number += 1;
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_is_listed_again_and_a_name_twice_is_told_by_number() {
        let arguments = ["-".into(), "c.png".into()];
        let listed = |names: &str, unique| {
            let options = InputOptions::films();
            let mut list = InputList::new(&arguments, options, unique, &mut names.as_bytes()).unwrap();
            let mut found = Vec::new();
            for _ in 0..2 {
                found.clear();
                let mut sink = |source: Source| {
                    found.push(source.id());
                    Ok(())
                };
                list.list(&mut sink)?;
            }
            Ok::<_, InputError>(found)
        };
        assert_eq!(listed("a.png\nb.png\n", true).unwrap(), ["a.png", "b.png", "c.png"]);
        assert_eq!(listed("c.png\n", false).unwrap().len(), 2);
        let error = listed("a.png\nc.png\n", true).unwrap_err();
        assert_eq!(error.to_string(), "inputs 2 and 3 are the same (c.png): name each film once");
        assert_eq!(error.unnamed(), "inputs 2 and 3 are the same: name each film once");
    }
}
