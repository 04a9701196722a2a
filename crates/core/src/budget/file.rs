//! A file's share: what its bytes take and what is made of them.

use std::io::Read;
use std::path::Path;

use super::{Share, TooMuchMemory, Turn};
use medclip_files::open_regular;

/// A share for a file, and the file's content where that had to be read to learn how large a share it needs.
#[derive(Debug)]
pub struct Claimed {
    /// All bytes of the file.
    pub content: Option<Vec<u8>>,
    /// To be kept for as long as the file is worked on.
    pub share: Share,
}

/// How much is to be claimed for a file.
#[derive(Debug, Clone, Copy)]
pub struct Claim<N> {
    /// Longest file that is read, in bytes; longer ones are left to whoever refuses them.
    pub most: u64,
    /// How many of its first bytes `need` wants to see.
    pub start: u64,
    /// Bytes that are needed beside those of the file, told from its start and its length; none asks for the whole file.
    pub need: N,
}

impl<N: Fn(&[u8], u64) -> Option<u64>> Claim<N> {
    /// Waits for the share of a file that is read into memory whole. A file that cannot be read gets an empty one: the error is
    /// for whoever reads it.
    ///
    /// # Errors
    /// [`TooMuchMemory`] where the file needs more than the whole budget.
    pub fn of_file(&self, path: &Path, mut turn: Turn) -> Result<Claimed, TooMuchMemory> {
        let Self { most, start, need } = self;
        let known = |turn: Turn, bytes| Ok(Claimed { content: None, share: turn.take(bytes)? });
        let Ok(metadata) = path.metadata() else { return known(turn, 0) };
        if !metadata.is_file() {
            // A pipe gives its bytes only once, and may give as many as are read.
            return known(turn, if metadata.is_dir() { 0 } else { *most });
        }
        let bytes = metadata.len();
        if bytes > *most {
            return known(turn, 0);
        }
        let read = |length: u64| {
            let mut content = Vec::new();
            open_regular(path)
                .and_then(|file| file.take(length).read_to_end(&mut content))
                .ok()
                .map(|_| content)
        };
        let Some(beginning) = read(*start) else { return known(turn, 0) };
        if let Some(more) = need(&beginning, bytes) {
            return known(turn, bytes.saturating_add(more));
        }
        turn.hold(bytes)?;
        let Some(content) = read(bytes) else { return known(turn, 0) };
        turn.hold(need(&content, content.len() as u64).unwrap_or(0))?;
        Ok(Claimed { content: Some(content), share: turn.done() })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Budget;
    use super::*;

    /// Files that begin with a digit need as many bytes; others tell at their end.
    fn need(start: &[u8], bytes: u64) -> Option<u64> {
        let digit = |byte: &u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
        start.first().and_then(digit).or_else(|| {
            let whole = start.len() as u64 == bytes;
            whole.then(|| start.last().and_then(digit).unwrap_or(0))
        })
    }

    #[test]
    fn a_file_gets_what_it_and_its_content_need() {
        let directory = tempfile::tempdir().unwrap();
        let claim = Claim { most: 20, start: 4, need };
        for (name, text, budget, expected) in [
            ("start", "7 abcdef", 100, Ok((None, 15))),
            ("end", "abcdef 9", 100, Ok((Some("abcdef 9"), 17))),
            ("short", "ab3", 100, Ok((None, 6))),
            ("too large", "9 abcdef", 16, Err(17)),
            ("too large at its end", "abcdef 9", 16, Err(17)),
            ("too long to be read", "9 abcdefghijklmnopqrst", 16, Ok((None, 0))),
        ] {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            let budget = Budget::new(budget);
            let claimed = claim.of_file(&path, budget.turn());
            let found = match &claimed {
                Ok(claimed) => {
                    let content = claimed.content.as_deref().map(|content| str::from_utf8(content).unwrap());
                    Ok((content, claimed.share.bytes()))
                }
                Err(error) => Err(error.needed),
            };
            assert_eq!(found, expected, "{name}");
        }
        for path in [directory.path(), &directory.path().join("missing")] {
            let claimed = claim.of_file(path, Budget::new(9).turn()).unwrap();
            assert_eq!((claimed.content, claimed.share.bytes()), (None, 0));
        }
    }
}
