//! Where an ONNX Runtime library may be.

use std::cmp::Reverse;
use std::env;
use std::ffi::OsString;
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
    /// Variables with entries that were left out, in words.
    pub(super) ignored: Vec<String>,
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
        Self::of(&|name| env::var_os(name), program.and_then(|program| program.parent().map(Path::to_owned)))
    }

    /// Those of these variables, for a program in the directory `executable`.
    fn of(variable: &dyn Fn(&str) -> Option<OsString>, executable: Option<PathBuf>) -> Self {
        let mut variables = Variables { variable, ignored: Vec::new() };
        let named = variable("ORT_DYLIB_PATH").filter(|value| !value.is_empty()).map(PathBuf::from);
        let (python, system) = (variables.python_prefixes(), variables.system_directories());
        Self { named, executable, python, system, ignored: variables.ignored }
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

/// Environment variables that name directories.
///
/// An empty or relative entry stands for the current directory or a place below it, which may be anyone's: a library there
/// is not loaded.
struct Variables<'a> {
    variable: &'a dyn Fn(&str) -> Option<OsString>,
    ignored: Vec<String>,
}

impl Variables<'_> {
    /// The absolute entries of a list of directories.
    fn list(&mut self, name: &str) -> Vec<PathBuf> {
        let Some(value) = (self.variable)(name).filter(|value| !value.is_empty()) else { return Vec::new() };
        let (kept, ignored): (Vec<_>, Vec<_>) = env::split_paths(&value).partition(|path| path.is_absolute());
        if !ignored.is_empty() {
            let entries = if ignored.len() == 1 { "entry" } else { "entries" };
            self.ignored.push(format!("{} empty or relative {entries} of {name}", ignored.len()));
        }
        kept
    }

    /// A directory.
    fn single(&mut self, name: &str) -> Option<PathBuf> {
        let path = (self.variable)(name).filter(|value| !value.is_empty()).map(PathBuf::from)?;
        if path.is_absolute() {
            return Some(path);
        }
        self.ignored.push(format!("the relative path of {name}"));
        None
    }

    fn python_prefixes(&mut self) -> Vec<PathBuf> {
        let mut prefixes: Vec<PathBuf> =
            ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(|name| self.single(name)).collect();
        let names = if cfg!(windows) { ["python3.exe", "python.exe"] } else { ["python3", "python"] };
        for directory in self.list("PATH") {
            if names.iter().any(|name| directory.join(name).is_file()) {
                if cfg!(windows) {
                    prefixes.push(directory.clone());
                }
                prefixes.extend(directory.parent().map(Path::to_owned));
            }
        }
        prefixes.extend(self.single("HOME").map(|home| home.join(".local")));
        without_repeats(prefixes)
    }

    fn system_directories(&mut self) -> Vec<PathBuf> {
        let listed = if cfg!(target_vendor = "apple") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };
        let mut directories = self.list(listed);
        if cfg!(windows) {
            let path = (self.variable)("PATH").unwrap_or_default();
            directories.extend(env::split_paths(&path).filter(|directory| directory.is_absolute()));
        } else {
            let usual =
                ["/usr/local/lib", "/usr/lib", "/usr/lib64", "/opt/onnxruntime/lib", "/opt/homebrew/lib"];
            directories.extend(usual.map(PathBuf::from));
            directories.push(PathBuf::from(format!("/usr/lib/{}-linux-gnu", env::consts::ARCH)));
        }
        directories.retain(|directory| directory.is_dir());
        without_repeats(directories)
    }
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
            ignored: Vec::new(),
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

    #[test]
    fn entries_that_stand_for_the_current_directory_are_ignored() {
        let directory = tempfile::tempdir().unwrap();
        let good = directory.path().to_str().unwrap();
        touch(&directory.path().join("python3"));
        let list = format!(":.:libs:{good}:../x:");
        for name in ["LD_LIBRARY_PATH", "PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "HOME"] {
            let value = if matches!(name, "LD_LIBRARY_PATH" | "PATH") { list.as_str() } else { "venv" };
            let found = Surroundings::of(&|asked| (asked == name).then(|| value.into()), None);
            let all: Vec<&PathBuf> = found.python.iter().chain(&found.system).collect();
            assert!(all.iter().all(|path| path.is_absolute()), "{name}: {all:?}");
            assert!(found.ignored.len() == 1 && found.ignored[0].ends_with(name), "{:?}", found.ignored);
        }
        let found = Surroundings::of(&|name| (name == "LD_LIBRARY_PATH").then(|| list.clone().into()), None);
        assert_eq!(found.system[0], directory.path());
        assert_eq!(found.ignored, ["5 empty or relative entries of LD_LIBRARY_PATH"]);
    }
}
