//! `SHA256SUMS`, as coreutils' `sha256sum` writes and checks it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use medclip_files::{MAX_TEXT_BYTES, read_regular, sha256};

use super::seen::Seen;
use super::{BundleError, BundleFile};

/// Name of the file of sums.
pub(super) const FILE_NAME: &str = "SHA256SUMS";

/// Files that systems and programs leave in directories. Nothing reads them in a bundle, so they need no sum.
const OF_SYSTEMS: [&str; 18] = [
    ".ds_store",
    ".localized",
    ".spotlight-v100",
    ".trashes",
    ".fseventsd",
    ".apdisk",
    "icon\r",
    "__macosx",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    ".directory",
    "@eadir",
    ".gitattributes",
    ".gitignore",
    ".gitkeep",
    // What downloads from Hugging Face leave.
    ".cache",
    ".huggingface",
];
/// Starts of the names of such files: macOS's forks, open files that NFS and FUSE keep.
const STARTS_OF_SYSTEMS: [&str; 3] = ["._", ".nfs", ".fuse_hidden"];

/// What messages call the place of a bundle that lies in no directory.
pub(super) const IN_MEMORY: &str = "a bundle in memory";

/// What the sums say of a directory that is as they say.
pub(super) struct Verified {
    /// The model's identity.
    pub(super) id: String,
    /// Each file's sum by name, of files that were left out too.
    pub(super) sums: BTreeMap<String, String>,
    /// The files that are there, those that are parsed with their contents.
    pub(super) files: BTreeMap<BundleFile, Seen>,
}

/// Checks every file of `directory`.
pub(super) fn verify(directory: &Path) -> Result<Verified, BundleError> {
    let path = directory.join(FILE_NAME);
    let text = read_regular(&path, MAX_TEXT_BYTES)
        .map_err(|source| BundleError::Io { path: path.clone(), source })?;
    let sums = parse(&String::from_utf8_lossy(&text))
        .map_err(|reason| BundleError::Sums { path: path.clone(), reason })?;
    let mut names = Vec::new();
    let fail = |source| BundleError::Io { path: directory.to_owned(), source };
    for entry in fs::read_dir(directory).map_err(fail)? {
        names.push(entry.map_err(fail)?.file_name());
    }
    refuse_unexpected(directory, &names, &sums)?;
    let named = || sums.iter().filter_map(|(name, sum)| Some((BundleFile::named(name)?, sum)));
    let path_of = |file: BundleFile| directory.join(file.file_name());
    let without_text =
        named().filter(|(file, _)| file.is_of_text_tower()).all(|(file, _)| is_missing(&path_of(file)));
    let mut files = BTreeMap::new();
    for (file, expected) in named().filter(|(file, _)| !(without_text && file.is_of_text_tower())) {
        files.insert(file, Seen::read(&path_of(file), expected, file.is_parsed())?);
    }
    Ok(Verified { id: identity(&sums), sums, files })
}

/// Checks files in memory, by name, as those of a directory.
pub(super) fn verify_bytes(mut contents: BTreeMap<String, Vec<u8>>) -> Result<Verified, BundleError> {
    let place = Path::new(IN_MEMORY);
    let missing =
        |name: &str| BundleError::Io { path: place.join(name), source: io::ErrorKind::NotFound.into() };
    let text = contents.remove(FILE_NAME).ok_or_else(|| missing(FILE_NAME))?;
    let sums = parse(&String::from_utf8_lossy(&text))
        .map_err(|reason| BundleError::Sums { path: place.join(FILE_NAME), reason })?;
    let names: Vec<OsString> = contents.keys().map(OsString::from).collect();
    refuse_unexpected(place, &names, &sums)?;
    let named = || sums.iter().filter_map(|(name, sum)| Some((BundleFile::named(name)?, sum)));
    let mut of_text = named().filter(|(file, _)| file.is_of_text_tower());
    let without_text = of_text.all(|(file, _)| !contents.contains_key(file.file_name()));
    let mut files = BTreeMap::new();
    for (file, expected) in named().filter(|(file, _)| !(without_text && file.is_of_text_tower())) {
        let name = file.file_name();
        let bytes = contents.remove(name).ok_or_else(|| missing(name))?;
        files.insert(file, Seen::in_memory(&place.join(name), bytes, expected, file.is_parsed())?);
    }
    Ok(Verified { id: identity(&sums), sums, files })
}

/// Whether nothing has this name; what cannot be looked at is not missing, and fails when it is read.
fn is_missing(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// SHA-256 of the sums of the model itself.
fn identity(sums: &BTreeMap<String, String>) -> String {
    let mut model = sums.clone();
    model.retain(|name, _| BundleFile::named(name).is_some_and(BundleFile::is_of_model));
    sha256(format(&model).as_bytes())
}

/// A bundle holds its own files and nothing else: what is not summed is not verified.
fn refuse_unexpected(
    directory: &Path,
    names: &[OsString],
    sums: &BTreeMap<String, String>,
) -> Result<(), BundleError> {
    let mut unexpected = Vec::new();
    for name in names {
        // What is written beside the model and has no sum is a file whose writing was interrupted; nobody reads it.
        let mut of_no_sum = BundleFile::BESIDE.map(BundleFile::file_name).into_iter().chain([FILE_NAME]);
        let known = name.to_str().is_some_and(|name| {
            of_no_sum.any(|known| known == name) || sums.contains_key(name) || is_of_system(name)
        });
        if !known {
            unexpected.push(directory.join(name));
        }
    }
    // The order of a directory differs between systems; the message should not.
    unexpected.into_iter().min().map_or(Ok(()), |path| Err(BundleError::Unexpected { path }))
}

pub(super) fn is_of_system(name: &str) -> bool {
    let name = name.to_lowercase();
    OF_SYSTEMS.contains(&name.as_str()) || STARTS_OF_SYSTEMS.iter().any(|start| name.starts_with(start))
}

/// Whether these bytes of a file differ from the one of this sum by their line ends alone.
pub(super) fn has_other_line_ends(path: &Path, bytes: &[u8], expected: &str) -> bool {
    let is_text =
        path.extension().is_some_and(|kind| ["toml", "md", "json"].iter().any(|text| kind == *text));
    let unix =
        bytes.iter().enumerate().filter(|(at, byte)| **byte != b'\r' || bytes.get(at + 1) != Some(&b'\n'));
    is_text && sha256(&unix.map(|(_, byte)| *byte).collect::<Vec<u8>>()) == expected
}

/// The text of the file for these sums.
pub(super) fn format(sums: &BTreeMap<String, String>) -> String {
    sums.iter().fold(String::new(), |mut text, (name, sum)| {
        let _ = writeln!(text, "{sum}  {name}");
        text
    })
}

fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut sums = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let entry = line.split_once("  ").filter(|(sum, _)| {
            sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        });
        let Some((sum, name)) = entry else { return Err(format!("line {} is no sum", number + 1)) };
        // Only the names a bundle has: a sum cannot point outside the directory.
        if BundleFile::named(name).is_none() {
            return Err(format!("`{name}` is not a file of a bundle"));
        }
        if sums.insert(name.to_owned(), sum.to_owned()).is_some() {
            return Err(format!("`{name}` is listed twice"));
        }
    }
    match BundleFile::REQUIRED.iter().find(|file| !sums.contains_key(file.file_name())) {
        Some(file) => Err(format!("`{}` is not listed", file.file_name())),
        None => Ok(sums),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> BTreeMap<String, String> {
        BundleFile::REQUIRED.iter().map(|file| (file.file_name().to_owned(), sha256(b""))).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(parse(&format(&complete())).unwrap(), complete());
    }

    #[test]
    fn refusals_name_the_file_or_line() {
        let text = format(&complete());
        for (text, reason) in [
            (String::new(), "`model.toml` is not listed"),
            (text.replace("image.onnx", "../image.onnx"), "`../image.onnx` is not a file of a bundle"),
            (text.replacen("  README", " README", 1), "line 1 is no sum"),
            (format!("{text}{}  README.md\n", sha256(b"")), "`README.md` is listed twice"),
        ] {
            assert_eq!(parse(&text).unwrap_err(), reason);
        }
    }
}
