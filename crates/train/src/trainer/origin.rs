//! What a run was begun with, so that it goes on with nothing else: settings, files and images.
//!
//! `inputs.json` in a run's output holds it, and every checkpoint its digest. Files and images are compared by the SHA-256 of
//! their bytes; an image whose size and time of last change are those of the earlier start is taken to have the same bytes
//! and is not read again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use medclip_core::checkpoint;
use medclip_data::{Digest, KnownDigests, RowName};
use medclip_files::read_regular;
use medclip_files::replace_file;
use medclip_files::{sha256, sha256_of_file};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::config::TrainConfig;
use crate::data::ImageFile;
use crate::data::dataset::MAX_LOST;
use crate::error::TrainError;

/// Name of the file in a run's output.
pub(super) const INPUTS: &str = "inputs.json";
/// Changed images that a message names before it only counts.
const NAMED: usize = 5;

/// Most bytes of what a run was begun with: a million images take 200 MB.
const MAX_BYTES: u64 = 1 << 30;

/// All that decides a run's weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Origin {
    /// The settings, as a training file.
    settings: String,
    /// Files that settings name, by the setting.
    files: BTreeMap<String, NamedFile>,
    images: Vec<NamedImage>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct NamedFile {
    path: PathBuf,
    sha256: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct NamedImage {
    set: String,
    row: RowName,
    path: PathBuf,
    /// None when it could not be read.
    digest: Option<Digest>,
}

impl Origin {
    /// What `config` and its files and images are now.
    pub(super) fn of(config: &TrainConfig, images: &[ImageFile]) -> Result<Self, TrainError> {
        let mut named = BTreeMap::new();
        for (setting, path) in files(config) {
            let sha256 = sha256_of_file(&path).map_err(TrainError::io(&path))?;
            named.insert(setting, NamedFile { path, sha256 });
        }
        let image = |file: &ImageFile| NamedImage {
            set: file.set.clone(),
            row: file.row.clone(),
            path: file.path.clone(),
            digest: file.digest.clone(),
        };
        Ok(Self {
            settings: deciding_settings(config)?,
            files: named,
            images: images.iter().map(image).collect(),
        })
    }

    /// What the run in `output` was begun with; `None` where nothing legible says so.
    pub(super) fn read(output: &Path) -> Option<Self> {
        serde_json::from_slice(&read_regular(&output.join(INPUTS), MAX_BYTES).ok()?).ok()
    }

    /// Leaves it for later starts.
    pub(super) fn write(&self, output: &Path) -> Result<(), TrainError> {
        let path = output.join(INPUTS);
        let bytes = serde_json::to_vec(self).map_err(|error| TrainError::invalid(&path, error))?;
        Ok(replace_file(&path, &bytes)?)
    }

    /// Digests of the images, for the next start.
    pub(super) fn known(self) -> KnownDigests {
        self.images.into_iter().filter_map(|image| Some((image.path, image.digest?))).collect()
    }

    /// SHA-256 of all that decides the weights; when a file was last changed does not.
    pub(super) fn sha256(&self) -> String {
        let settings = [format!("{}\n", sha256(self.settings.as_bytes()))];
        let files = self.files.iter().map(|(setting, file)| format!("{setting}\t{}\n", file.sha256));
        let images = self.images.iter().map(|NamedImage { set, path, digest, .. }| {
            let digest = digest.as_ref().map_or("unreadable", |digest| digest.sha256.as_str());
            format!("{set}\t{}\t{digest}\n", path.display())
        });
        let text: String = settings.into_iter().chain(files).chain(images).collect();
        sha256(text.as_bytes())
    }

    /// Settings that differ from those of another training file.
    pub(super) fn differing_settings(&self, before: &str) -> Vec<String> {
        differing_settings(&self.settings, before)
    }

    /// What is other than at the `earlier` start: setting by setting, file by file, image by image.
    pub(super) fn differences(&self, earlier: &Self) -> Vec<String> {
        let mut found = differing_settings(&self.settings, &earlier.settings);
        for (setting, now) in &self.files {
            // A file that was not named before, or under another name, is a setting that differs.
            let before = earlier.files.get(setting).filter(|before| before.path == now.path);
            if before.is_some_and(|before| before.sha256 != now.sha256) {
                found.push(format!("{} ({setting}) has other contents", now.path.display()));
            }
        }
        found.extend(differing_images(&self.images, &earlier.images));
        found
    }
}

/// The settings that decide the weights, as a training file: where the output goes and how many images may be lost do not.
pub(super) fn deciding_settings(config: &TrainConfig) -> Result<String, TrainError> {
    let mut settings = config.clone();
    settings.output = PathBuf::new();
    settings.data.max_lost = MAX_LOST;
    toml::to_string(&settings)
        .map_err(|error| TrainError::Setting { field: "config", reason: error.to_string() })
}

/// Every file that a setting names, by the setting.
fn files(config: &TrainConfig) -> Vec<(String, PathBuf)> {
    let data = &config.data;
    let mut files = vec![
        ("prompts".to_owned(), config.prompts.clone()),
        ("text.tokenizer".to_owned(), config.text.tokenizer.clone()),
        ("data.manifest".to_owned(), data.manifest.clone()),
    ];
    let single = [
        ("start", config.start.as_ref().map(|start| start.join(checkpoint::WEIGHTS))),
        ("image.init", config.image.init.clone()),
        ("text.init", config.text.init.clone()),
        ("data.reports", data.reports.clone()),
        ("data.prompts", data.prompts.clone()),
    ];
    files.extend(single.into_iter().filter_map(|(setting, path)| Some((setting.to_owned(), path?))));
    let numbered = |setting: &'static str, paths: Vec<&PathBuf>| -> Vec<(String, PathBuf)> {
        let numbered = paths.into_iter().zip(1..);
        numbered.map(|(path, number)| (format!("{setting}, {number}"), path.clone())).collect()
    };
    files.extend(numbered("data.further", data.further.iter().map(|each| &each.manifest).collect()));
    let scores = data.teacher.iter().flat_map(|teacher| &teacher.scores).collect();
    files.extend(numbered("data.teacher.scores", scores));
    files
}

/// `learning_rate is 0.002, was 0.001` for every setting that differs between two training files.
fn differing_settings(now: &str, before: &str) -> Vec<String> {
    let flat = |text: &str| {
        let mut settings = BTreeMap::new();
        if let Ok(table) = text.parse::<Table>() {
            flatten("", Value::Table(table), &mut settings);
        }
        settings
    };
    let (now, before) = (flat(now), flat(before));
    let keys: BTreeSet<&String> = now.keys().chain(before.keys()).collect();
    let value = |settings: &BTreeMap<String, String>, key: &str| {
        settings.get(key).cloned().unwrap_or_else(|| "not set".to_owned())
    };
    let decides = |key: &str| !matches!(key, "output" | "data.max_lost");
    let differs = |key: &&String| now.get(*key) != before.get(*key) && decides(key);
    let sentence = |key: &String| format!("{key} is {}, was {}", value(&now, key), value(&before, key));
    keys.into_iter().filter(differs).map(sentence).collect()
}

/// Values by dotted key; lists are values.
fn flatten(prefix: &str, value: Value, settings: &mut BTreeMap<String, String>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                let key = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
                flatten(&key, value, settings);
            }
        }
        value => {
            settings.insert(prefix.to_owned(), value.to_string());
        }
    }
}

/// Rows whose images are not what they were, by row: a path may be that of a patient.
fn differing_images(now: &[NamedImage], before: &[NamedImage]) -> Vec<String> {
    let (now_by_file, before_by_file) = (by_file(now), by_file(before));
    let sum = |image: &NamedImage| image.digest.as_ref().map(|digest| digest.sha256.clone());
    let mut found = Vec::new();
    for (key, &index) in &now_by_file {
        let image = &now[index];
        let what = match before_by_file.get(key).map(|index| &before[*index]) {
            None => "is new",
            Some(before) if sum(before) == sum(image) => continue,
            Some(NamedImage { digest: None, .. }) => "can be read, which it could not",
            Some(_) if image.digest.is_none() => "cannot be read any more",
            Some(_) => "has other bytes",
        };
        found.push((index, format!("the image of {} ({}) {what}", image.row, image.set)));
    }
    for (_, &index) in before_by_file.iter().filter(|(key, _)| !now_by_file.contains_key(*key)) {
        let NamedImage { row, set, .. } = &before[index];
        found.push((now.len() + index, format!("the image of {row} ({set}) is not selected any more")));
    }
    found.sort();
    let rest = found.len().saturating_sub(NAMED);
    let named = found.into_iter().take(NAMED).map(|(_, text)| text);
    named.chain((rest > 0).then(|| format!("{rest} more images"))).collect()
}

/// Positions of images by set and file.
fn by_file(images: &[NamedImage]) -> BTreeMap<(&str, &Path), usize> {
    let keyed = images.iter().enumerate();
    keyed.map(|(index, image)| ((image.set.as_str(), image.path.as_path()), index)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(name: &str, line: usize, digest: Option<&str>) -> NamedImage {
        NamedImage {
            set: "train".to_owned(),
            row: RowName { manifest: "m.csv".into(), place: format!("line {line}") },
            path: name.into(),
            digest: digest.map(|sha256| Digest {
                bytes: 3,
                modified_ns: Some(line as u64),
                sha256: sha256.to_owned(),
            }),
        }
    }

    fn origin(settings: &str, prompts: &str, images: &[NamedImage]) -> Origin {
        let file = NamedFile { path: "p.toml".into(), sha256: prompts.to_owned() };
        Origin {
            settings: settings.to_owned(),
            files: [("prompts".to_owned(), file)].into(),
            images: images.to_vec(),
        }
    }

    #[test]
    fn every_difference_is_named() {
        let images = [image("a.png", 2, Some("aa")), image("b.png", 3, Some("bb")), image("c.png", 4, None)];
        let before = origin("seed = 1\n[data]\nbalance = 0.5\nflip = 0.1\n", "pp", &images);
        assert_eq!(before.differences(&before), [""; 0]);
        let changed = [
            image("a.png", 2, Some("other")),
            image("b.png", 3, None),
            image("c.png", 4, Some("cc")),
            image("d.png", 5, Some("dd")),
        ];
        let now = origin("seed = 2\n[data]\nbalance = 0.5\nshare = [0, 1]\n", "qq", &changed);
        assert_eq!(
            now.differences(&before),
            [
                "data.flip is not set, was 0.1",
                "data.share is [0, 1], was not set",
                "seed is 2, was 1",
                "p.toml (prompts) has other contents",
                "the image of line 2 of m.csv (train) has other bytes",
                "the image of line 3 of m.csv (train) cannot be read any more",
                "the image of line 4 of m.csv (train) can be read, which it could not",
                "the image of line 5 of m.csv (train) is new",
            ]
        );
        let fewer = origin(&before.settings, "pp", &images[..1]);
        assert_eq!(fewer.differences(&before).len(), 2);
        let many: Vec<NamedImage> = (0..9).map(|line| image(&line.to_string(), line, None)).collect();
        let found = origin(&before.settings, "pp", &many).differences(&origin(&before.settings, "pp", &[]));
        assert_eq!((found.len(), found.last().map(String::as_str)), (6, Some("4 more images")));
    }

    #[test]
    fn only_bytes_count_not_times() {
        let before = origin("seed = 1", "pp", &[image("a.png", 2, Some("aa"))]);
        let mut now = before.clone();
        now.images[0].digest.as_mut().unwrap().modified_ns = Some(99);
        assert_eq!(now.sha256(), before.sha256());
        for other in [
            origin("seed = 2", "pp", &before.images),
            origin("seed = 1", "qq", &before.images),
            origin("seed = 1", "pp", &[image("a.png", 2, Some("ab"))]),
            origin("seed = 1", "pp", &[image("a.png", 2, None)]),
            origin("seed = 1", "pp", &[]),
        ] {
            assert_ne!(other.sha256(), before.sha256());
            assert!(!other.differences(&before).is_empty());
        }
    }
}
