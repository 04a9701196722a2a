//! Which of the files that a search finds are inputs.

use std::borrow::Cow;
use std::io;

use super::InputOptions;

/// What the start of a file says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Nature {
    /// A film, whatever the file's name.
    Film,
    /// A film where the name does not say otherwise: it has no extension, or one that belongs to an identifier.
    Perhaps,
    /// A file of this kind, which holds no image, whatever its name.
    NoFilm(&'static str),
    /// Nothing.
    Unknown,
}

/// What becomes of a file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgment {
    /// It is an input.
    Input,
    /// It is of a kind that holds no film.
    NoFilm(Cow<'static, str>),
    /// Nothing speaks for a film.
    Other(Cow<'static, str>),
}

/// Files that operating systems leave behind.
const SYSTEM_FILES: [&str; 5] = [".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", ".localized"];

/// Directories of such files, and of small pictures that storage systems make of others.
const SYSTEM_DIRECTORIES: [&str; 7] = [
    "__macosx",
    "@eadir",
    "$recycle.bin",
    "system volume information",
    ".trashes",
    ".spotlight-v100",
    ".fseventsd",
];

const SYSTEM: &str = "system file";

/// Extensions that are counted by name. Others may say something of a patient.
const KNOWN_EXTENSIONS: [&str; 60] = [
    "7z", "avi", "bak", "bin", "bmp", "bz2", "csv", "dat", "db", "dll", "doc", "docx", "exe", "gif", "gz",
    "h5", "heic", "htm", "html", "inf", "ini", "ipynb", "jar", "js", "json", "jsonl", "lnk", "log", "md",
    "md5", "mha", "mhd", "mp4", "nii", "npy", "npz", "nrrd", "ods", "parquet", "pdf", "pptx", "ps", "py",
    "rar", "raw", "rtf", "sha256", "sql", "svg", "tar", "tmp", "toml", "tsv", "txt", "url", "webp", "xls",
    "xlsx", "xml", "zip",
];

/// Judges a file by its name, as text below the place that was searched, and by what `nature` finds at its start.
pub(super) fn judge(
    name: &str,
    options: &InputOptions,
    nature: impl FnOnce(fn(&[u8]) -> Nature) -> io::Result<Nature>,
) -> Judgment {
    let mut directories: Vec<&str> = name.split('/').collect();
    let file = directories.pop().unwrap_or_default();
    if directories.into_iter().any(|directory| is_among(&SYSTEM_DIRECTORIES, directory)) {
        return Judgment::NoFilm(SYSTEM.into());
    }
    let is_wanted = has_wanted_extension(file, options);
    let is_system = is_among(&SYSTEM_FILES, file) || file.starts_with("._");
    let Some(by_start) = options.by_start else {
        return match (is_system, is_wanted) {
            (true, _) => Judgment::NoFilm(SYSTEM.into()),
            (_, true) => Judgment::Input,
            _ => Judgment::Other(label(file)),
        };
    };
    let is_undecided = is_wanted || is_bare(file);
    match nature(by_start) {
        Ok(Nature::Film) => Judgment::Input,
        _ if is_system => Judgment::NoFilm(SYSTEM.into()),
        Ok(Nature::NoFilm(kind)) => Judgment::NoFilm(kind.into()),
        // Whoever reads it as a whole says what is wrong.
        Ok(Nature::Perhaps) | Err(_) if is_undecided => Judgment::Input,
        _ if is_wanted => Judgment::Input,
        Err(_) => Judgment::Other("unreadable".into()),
        Ok(_) => Judgment::Other(label(file)),
    }
}

fn is_among(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn has_wanted_extension(file: &str, options: &InputOptions) -> bool {
    options.extensions.iter().any(|extension| match extension.as_str() {
        "" => extension_of(file).is_empty(),
        extension => {
            let stem = file.len().checked_sub(extension.len() + 1).filter(|stem| *stem > 0);
            let end = stem.and_then(|stem| file.get(stem..));
            end.and_then(|end| end.strip_prefix('.')).is_some_and(|end| end.eq_ignore_ascii_case(extension))
        }
    })
}

/// Without the dot; empty where there is none, as of `.hidden`.
fn extension_of(file: &str) -> &str {
    file.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map_or("", |(_, extension)| extension)
}

/// Whether the name has no extension that says what the file is: none, a number, or whatever stands behind an identifier.
fn is_bare(file: &str) -> bool {
    let extension = extension_of(file);
    let stem = &file[..file.len() - extension.len()];
    let is_identifier =
        || stem.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit()) && stem.matches('.').count() >= 4;
    extension.bytes().all(|byte| byte.is_ascii_digit()) || is_identifier()
}

/// What a file is counted as, by its extension.
fn label(file: &str) -> Cow<'static, str> {
    let extension = extension_of(file).to_ascii_lowercase();
    if extension.bytes().all(|byte| byte.is_ascii_digit()) {
        "no suffix".into()
    } else if KNOWN_EXTENSIONS.contains(&extension.as_str()) {
        format!(".{extension}").into()
    } else {
        "other suffixes".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> InputOptions {
        let extensions = ["png", "dcm", "dcm.gz"].map(str::to_owned).to_vec();
        InputOptions { extensions, by_start: Some(|_| Nature::Unknown), portion: None }
    }

    fn judged(name: &str, nature: Nature) -> Judgment {
        judge(name, &options(), |_| Ok(nature))
    }

    #[test]
    fn content_decides_whatever_the_name() {
        for name in ["a", "a.ima", "b/c.txt", "1.2.840.10008.5.1.7.abc", "x.jfif", "._real", "a.png"] {
            assert_eq!(judged(name, Nature::Film), Judgment::Input, "{name}");
        }
        for name in ["DICOMDIR", "sr.dcm", "a.txt"] {
            let expected = Judgment::NoFilm("structured report".into());
            assert_eq!(judged(name, Nature::NoFilm("structured report")), expected, "{name}");
        }
        for name in ["IM0001", "study/1.2.3", "1.2.840.10008.5.1.7.abc", "a.dcm"] {
            assert_eq!(judged(name, Nature::Perhaps), Judgment::Input, "{name}");
        }
        assert_eq!(judged("notes.txt", Nature::Perhaps), Judgment::Other(".txt".into()));
    }

    #[test]
    fn a_known_extension_is_wanted_whatever_the_content() {
        for name in ["a.png", "A.PNG", "b/c.dcm", "c.dcm.gz", "C.DCM.GZ"] {
            assert_eq!(judged(name, Nature::Unknown), Judgment::Input, "{name}");
            let unreadable = judge(name, &options(), |_| Err(io::Error::other("locked")));
            assert_eq!(unreadable, Judgment::Input, "{name}");
        }
        for (name, expected) in [
            ("a.gz", ".gz"),
            (".dcm", "no suffix"),
            ("readme", "no suffix"),
            ("Dr.Miller", "other suffixes"),
            ("a.TXT", ".txt"),
            ("png", "no suffix"),
        ] {
            assert_eq!(judged(name, Nature::Unknown), Judgment::Other(expected.into()), "{name}");
        }
    }

    #[test]
    fn what_systems_leave_behind_is_no_film() {
        for name in ["._a.png", "b/.DS_Store", "Thumbs.db", "DESKTOP.INI", "__MACOSX/a.png", "x/@eaDir/a.png"]
        {
            assert_eq!(judged(name, Nature::Unknown), Judgment::NoFilm("system file".into()), "{name}");
        }
        let by_name = InputOptions { by_start: None, ..options() };
        let unasked = |_| panic!("nobody asked for the content");
        assert_eq!(judge("._a.png", &by_name, unasked), Judgment::NoFilm("system file".into()));
        assert_eq!(judge("a.png", &by_name, unasked), Judgment::Input);
    }

    #[test]
    fn what_cannot_be_read_is_an_input_unless_its_name_says_otherwise() {
        let locked = |name| judge(name, &options(), |_| Err(io::Error::other("locked")));
        assert_eq!(locked("IM0001"), Judgment::Input);
        assert_eq!(locked("a.txt"), Judgment::Other("unreadable".into()));
    }
}
