//! A model, images and a way to run the program.

use std::path::{Path, PathBuf};
use std::process::{self, Output};
#[cfg(feature = "archive")]
use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;
use std::{env, fs};

use assert_cmd::Command;
use image::GrayImage;
use medclip_tests::tiny_bundle;
use serde_json::Value;
use tempfile::TempDir;

/// The model all tests share, made once for this program of tests, whichever of its processes needs it first.
pub(crate) fn bundle() -> &'static Path {
    static BUNDLE: OnceLock<PathBuf> = OnceLock::new();
    BUNDLE.get_or_init(|| {
        let built = fs::metadata(env::current_exe().unwrap()).unwrap().modified().unwrap();
        let built = built.duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{built}"));
        if !shared.exists() {
            let own = shared.with_extension(process::id().to_string());
            tiny_bundle(&own);
            // Another process may have been faster; its model is the same.
            if fs::rename(&own, &shared).is_err() {
                assert!(shared.exists());
                fs::remove_dir_all(&own).unwrap();
            }
        }
        shared.join("bundle")
    })
}

/// `medclip` with these arguments, no model set by the environment.
pub(crate) fn medclip(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("medclip").unwrap();
    command.args(arguments).env_remove("MEDCLIP_MODEL");
    command
}

/// `medclip score` with the shared model.
pub(crate) fn score(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = medclip(&["score", "--model", bundle().to_str().unwrap()]);
    command.current_dir(directory).args(arguments).output().unwrap()
}

/// `medclip score` with the shared model, at work beside the test; what it says on standard error is kept.
#[cfg(feature = "archive")]
pub(crate) fn start_scoring<'a>(directory: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Child {
    process::Command::new(env!("CARGO_BIN_EXE_medclip"))
        .args(["score", "--model", bundle().to_str().unwrap()])
        .args(arguments)
        .env_remove("MEDCLIP_MODEL")
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Standard output, one JSON value a line.
pub(crate) fn json_lines(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A directory with the images `names`, all different.
pub(crate) fn images(names: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (index, name) in names.iter().enumerate() {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture(index as u32).save(path).unwrap();
    }
    directory
}

fn picture(seed: u32) -> GrayImage {
    GrayImage::from_fn(40 + seed, 48, |x, y| image::Luma([((x * (7 + seed) + y * 13) % 256) as u8]))
}
