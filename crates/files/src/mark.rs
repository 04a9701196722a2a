//! The file in a staging directory that tells whose it is.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Component, Path};

use std::ffi::OsString;

use serde::{Deserialize, Serialize};

/// Its name.
pub(crate) const MARK: &str = "mark";

const STAGING: &str = "medclip staging";

/// Longer than any mark: names have 255 bytes at most on the file systems in use.
const LONGEST: u64 = 4096;

#[derive(Serialize, Deserialize)]
struct Mark {
    what: String,
    /// The bytes of the target's name, which need not be text.
    target: Vec<u8>,
}

/// Writes the mark of a directory in which `target`, a name, is staged.
pub(crate) fn write(file: &mut File, target: &std::ffi::OsStr) -> io::Result<()> {
    let mark = Mark { what: STAGING.to_owned(), target: target.as_encoded_bytes().to_vec() };
    file.write_all(&serde_json::to_vec(&mark)?)
}

/// The name of the target; none where the file is no whole mark.
pub(crate) fn read(file: &mut File) -> io::Result<Option<OsString>> {
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    let Ok(Mark { what, target }) = serde_json::from_slice(&bytes) else { return Ok(None) };
    let Some(name) = os_string(target).filter(|_| what == STAGING) else { return Ok(None) };
    // A mark of someone else must not lead out of the directory.
    let mut components = Path::new(&name).components();
    let is_name =
        matches!((components.next(), components.next()), (Some(Component::Normal(one)), None) if one == name);
    Ok(is_name.then_some(name))
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere not all bytes are a name")]
fn os_string(bytes: Vec<u8>) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt;
    Some(OsString::from_vec(bytes))
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> Option<OsString> {
    String::from_utf8(bytes).ok().map(OsString::from)
}

#[cfg(test)]
mod tests {
    use std::io::Seek;

    use super::*;

    fn read_back(bytes: &[u8]) -> Option<OsString> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        read(&mut file).unwrap()
    }

    #[test]
    fn a_name_comes_back_and_nothing_else_is_taken_for_one() {
        let mut file = tempfile::tempfile().unwrap();
        write(&mut file, "röntgen.csv".as_ref()).unwrap();
        file.rewind().unwrap();
        assert_eq!(read(&mut file).unwrap(), Some("röntgen.csv".into()));
        let named = |name: &str| format!(r#"{{"what":"medclip staging","target":{:?}}}"#, name.as_bytes());
        assert_eq!(read_back(named("it").as_bytes()), Some("it".into()));
        for wrong in ["../it", "a/b", "/etc", ".", "..", ""] {
            assert_eq!(read_back(named(wrong).as_bytes()), None, "{wrong}");
        }
        assert_eq!(read_back(b""), None);
        assert_eq!(read_back(br#"{"what":"another","target":[105]}"#), None);
    }
}
