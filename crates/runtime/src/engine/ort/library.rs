//! Where an ONNX Runtime library may be.

use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// What decides where to look.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// `ORT_DYLIB_PATH`.
    pub(super) named: Option<PathBuf>,
    /// Directory of the running program.
    pub(super) executable: Option<PathBuf>,
    /// Directories that hold Python installations: virtual environments, Conda's, those of `python3` on the path.
    pub(super) python: Vec<PathBuf>,
    /// Directories that hold libraries.
    pub(super) system: Vec<PathBuf>,
}

/// A directory, and the library to try from it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) searched: PathBuf,
    pub(super) library: Option<PathBuf>,
}

impl Surroundings {
    /// Those of this process.
    pub(super) fn here() -> Self {
        let program = env::current_exe().ok().and_then(|program| program.canonicalize().ok());
        Self {
            named: variable("ORT_DYLIB_PATH"),
            executable: program.and_then(|program| program.parent().map(Path::to_owned)),
            python: python_prefixes(),
            system: system_directories(),
        }
    }
}

/// Every place in the order to try them; `ORT_DYLIB_PATH` is none of them, as it leaves no choice.
pub(super) fn search(surroundings: &Surroundings) -> Vec<Place> {
    let mut places = Vec::new();
    for directory in surroundings.executable.iter().flat_map(|beside| [beside.clone(), beside.join("lib")]) {
        places.push(Place { library: newest(&directory), searched: directory });
    }
    for prefix in &surroundings.python {
        let found = packages(prefix).iter().find_map(|packages| newest(&packages.join("onnxruntime/capi")));
        places.push(Place { searched: prefix.join("lib/python3*/site-packages"), library: found });
    }
    for directory in &surroundings.system {
        places.push(Place { library: newest(directory), searched: directory.clone() });
    }
    places
}

/// The library in `directory` whose name has the highest version.
fn newest(directory: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(directory).ok()?;
    let mut found: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    found.retain(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_library));
    found.sort_by_cached_key(|path| (Reverse(numbers(path)), path.clone()));
    found.into_iter().next()
}

/// `libonnxruntime.so.1.24.0` and the like, but none of the providers beside it.
fn is_library(name: &str) -> bool {
    if cfg!(windows) {
        name.eq_ignore_ascii_case("onnxruntime.dll")
    } else if cfg!(target_vendor = "apple") {
        name.strip_prefix("libonnxruntime.").is_some_and(|rest| rest.split('.').next_back() == Some("dylib"))
    } else {
        name == "libonnxruntime.so" || name.starts_with("libonnxruntime.so.")
    }
}

fn numbers(path: &Path) -> Vec<u32> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split('.').filter_map(|part| part.parse().ok()).collect()
}

/// Package directories of the Python installation at `prefix`, Debian's names and Windows' included.
fn packages(prefix: &Path) -> Vec<PathBuf> {
    let mut found = vec![prefix.join("Lib/site-packages")];
    for lib in ["lib", "lib64", "local/lib"].map(|lib| prefix.join(lib)) {
        let entries = fs::read_dir(&lib).into_iter().flatten().filter_map(Result::ok);
        let mut versions: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        versions.retain(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python3"))
        });
        versions.sort_by_cached_key(|path| Reverse(numbers(path)));
        for version in versions {
            found.extend(["site-packages", "dist-packages"].map(|packages| version.join(packages)));
        }
    }
    found
}

fn python_prefixes() -> Vec<PathBuf> {
    let mut prefixes: Vec<PathBuf> =
        ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(variable).collect();
    let names = if cfg!(windows) { ["python3.exe", "python.exe"] } else { ["python3", "python"] };
    for directory in env::var_os("PATH").iter().flat_map(env::split_paths) {
        if names.iter().any(|name| directory.join(name).is_file()) {
            if cfg!(windows) {
                prefixes.push(directory.clone());
            }
            prefixes.extend(directory.parent().map(Path::to_owned));
        }
    }
    prefixes.extend(variable("HOME").map(|home| home.join(".local")));
    without_repeats(prefixes)
}

fn system_directories() -> Vec<PathBuf> {
    let listed = if cfg!(target_vendor = "apple") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };
    let mut directories: Vec<PathBuf> = env::var_os(listed).iter().flat_map(env::split_paths).collect();
    if cfg!(windows) {
        directories.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    } else {
        let usual = ["/usr/local/lib", "/usr/lib", "/usr/lib64", "/opt/onnxruntime/lib", "/opt/homebrew/lib"];
        directories.extend(usual.map(PathBuf::from));
        directories.push(PathBuf::from(format!("/usr/lib/{}-linux-gnu", env::consts::ARCH)));
    }
    directories.retain(|directory| directory.is_dir());
    without_repeats(directories)
}

fn without_repeats(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut kept: Vec<PathBuf> = Vec::new();
    for path in paths {
        if !kept.contains(&path) {
            kept.push(path);
        }
    }
    kept
}

/// An environment variable that is set and not empty.
fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    #[test]
    fn the_newest_of_every_place_is_tried_in_the_order_documented() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let capi = "lib/python3.9/site-packages/onnxruntime/capi";
        for file in [
            "bin/libonnxruntime.so",
            &format!("venv/{capi}/libonnxruntime.so.1.9.0"),
            &format!("venv/{capi}/libonnxruntime.so.1.24.1"),
            &format!("venv/{capi}/libonnxruntime_providers_shared.so"),
            "usr/lib/libonnxruntime.so.1.30.0",
            "usr/lib/libonnxruntime.text",
        ] {
            touch(&root.join(file));
        }
        let surroundings = Surroundings {
            named: None,
            executable: Some(root.join("bin")),
            python: vec![root.join("venv"), root.join("none")],
            system: vec![root.join("usr/lib")],
        };
        let found: Vec<PathBuf> =
            search(&surroundings).into_iter().filter_map(|place| place.library).collect();
        let expected = [
            "bin/libonnxruntime.so".to_owned(),
            format!("venv/{capi}/libonnxruntime.so.1.24.1"),
            "usr/lib/libonnxruntime.so.1.30.0".to_owned(),
        ];
        assert_eq!(found, expected.map(|file| root.join(file)));
    }

    #[test]
    fn debian_keeps_packages_elsewhere() {
        let directory = tempfile::tempdir().unwrap();
        let library =
            directory.path().join("lib/python3/dist-packages/onnxruntime/capi/libonnxruntime.so.1.24.0");
        touch(&library);
        let surroundings =
            Surroundings { python: vec![directory.path().to_owned()], ..Surroundings::default() };
        assert_eq!(search(&surroundings)[0].library.as_ref(), Some(&library));
    }
}
