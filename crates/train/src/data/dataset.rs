//! From a configuration to images and sentences in memory, everything checked before training starts.

mod config;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use medclip_core::preprocess::{PreprocessConfig, Preprocessor};
use medclip_core::prompt::PromptSet;
use medclip_core::{Certainty, Finding, Labels};
use medclip_data::{
    Digest, KnownDigests, Record, RowName, SelectionError, SentencePool, TeacherConfig, TrainingReports,
    check_disjoint, digests, first_shared_digest, is_same_file, read_manifest, read_reports, soften,
};
use medclip_decode::Limits;
use medclip_labeler::Labeler;
use rayon::prelude::*;

pub(crate) use self::config::MAX_LOST;
pub use self::config::{DataConfig, DataError, FurtherManifest};
use crate::data::augment::Augmenter;
use crate::data::eval_set::EvalSet;
use crate::data::images::{ImagesError, LoadedImages, Storage, load_any};
use crate::data::lost::{LostImage, are_too_many};
use crate::data::sampler::Sampler;
use crate::data::text_augment::TextAugmenter;
use crate::data::train_set::TrainSet;

/// Training and evaluation data in memory.
#[derive(Debug)]
pub struct Dataset {
    /// What to train on.
    pub train: Arc<TrainSet>,
    /// What to evaluate on, in order of name.
    pub evals: Vec<EvalSet>,
    /// Selected images that could not be read and were left out.
    pub lost: Vec<LostImage>,
    /// Every selected image, those that could not be read too: first those to train on, then each evaluation's.
    pub images: Vec<ImageFile>,
}

/// A selected image, and what its file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFile {
    /// `train`, or the evaluation's name.
    pub set: String,
    /// Its row.
    pub row: RowName,
    /// The file.
    pub path: PathBuf,
    /// What it holds; `None` when it cannot be read.
    pub digest: Option<Digest>,
}

impl Dataset {
    /// Loads what `config` selects, for a model with this preprocessing; every draw of training derives from `seed`.
    ///
    /// Settings, manifest, selections and patients are checked before the first image is decoded, and so is whether a
    /// film of training is in an evaluation under another name.
    ///
    /// # Errors
    /// [`DataError`]. Single images that cannot be read are no error: see [`Dataset::lost`].
    pub fn load(
        config: &DataConfig,
        preprocess: &PreprocessConfig,
        limits: &Limits,
        seed: u64,
    ) -> Result<Self, DataError> {
        Self::load_known(config, preprocess, limits, seed, &KnownDigests::new())
    }

    /// As [`Dataset::load`], with digests of an earlier start: files of the same size and time are not read for theirs again.
    ///
    /// # Errors
    /// As [`Dataset::load`].
    pub fn load_known(
        config: &DataConfig,
        preprocess: &PreprocessConfig,
        limits: &Limits,
        seed: u64,
        known: &KnownDigests,
    ) -> Result<Self, DataError> {
        check_shares(config)?;
        let augmenter =
            Augmenter::new(config.augment, preprocess.image_size, preprocess.mean, preprocess.std)?;
        let storage = match (&config.cache, config.in_memory) {
            (Some(directory), true) => Storage::Cached(directory),
            (Some(directory), false) => Storage::OnDisk(directory),
            (None, true) => Storage::Memory,
            (None, false) => return Err(DataError::NoCache),
        };
        let text_augmenter = config.text_augment.map(TextAugmenter::new).transpose()?;
        let train_preprocessor = Preprocessor::new(PreprocessConfig {
            image_size: augmenter.source_side(),
            ..preprocess.clone()
        })?;

        let Rows { records, manifests } = rows(config)?;
        let chosen = Chosen::new(config, &records, seed)?;
        let labeler = Labeler::new();
        let reports = chosen.reports(config, &records, seed)?;
        let (sentences, report_labels): (Vec<_>, Vec<Labels>) = reports
            .texts
            .par_iter()
            .map(|text| labeler.report(text))
            .map(|report| (report.sentences, report.labels))
            .unzip();
        let pool = SentencePool::new(
            sentences,
            prompt_sentences(config, &labeler)?,
            &config.sentences,
            &config.labels,
        );

        let selected = chosen.files(&records, &manifests, known);
        let (train_files, eval_files) = selected.split_at(chosen.train.len());
        check_no_film_shared(train_files, eval_files)?;
        let mut lost: Vec<LostImage> = Vec::new();
        let mut load = |name: &str, indices: &[usize], preprocessor: &Preprocessor| {
            let files: Vec<PathBuf> = indices.iter().map(|index| records[*index].path.clone()).collect();
            let LoadedImages { store, kept, bad } = load_any(&files, preprocessor, limits, storage)
                .map_err(|source| DataError::Images { name: name.to_owned(), source })?;
            let rest = (0..indices.len()).filter(|position| kept.binary_search(position).is_err());
            lost.extend(rest.zip(bad).map(|(position, bad)| LostImage {
                set: name.to_owned(),
                row: row_name(&records, &manifests, indices[position]),
                path: bad.path,
                reason: bad.reason,
            }));
            if are_too_many(lost.len(), selected.len(), config.max_lost) {
                let lost = std::mem::take(&mut lost);
                return Err(DataError::TooManyLost {
                    lost,
                    selected: selected.len(),
                    limit: config.max_lost,
                });
            }
            if let Some(first) = lost.iter().find(|lost| lost.set == name && kept.is_empty()) {
                let (path, reason) = (first.path.clone(), first.reason.clone());
                let source = ImagesError::AllBad { count: indices.len(), path, reason };
                return Err(DataError::Images { name: name.to_owned(), source });
            }
            let kept: Vec<usize> = kept.into_iter().map(|position| indices[position]).collect();
            Ok::<_, DataError>((store, kept))
        };

        let (images, kept) = load(TRAIN, &chosen.train, &train_preprocessor)?;
        let report_of: Vec<Option<usize>> = kept.iter().map(|index| reports.of_record[*index]).collect();
        let label = |(index, report): (&usize, &Option<usize>)| {
            config.labels.vector(&records[*index].annotations, report.map(|report| &report_labels[report]))
        };
        let labels: Vec<_> = kept.iter().zip(&report_of).map(label).collect();
        let sources: Vec<&str> = kept.iter().map(|index| records[*index].source.as_str()).collect();
        let sampler = Sampler::new(config.sampler.clone(), seed, labels.clone(), &sources, report_of, &pool)?;
        let kept: Vec<Record> = kept.into_iter().map(|index| records[index].clone()).collect();
        // Which images count as positive when images and sentences are drawn is what annotations say.
        let labels = match &config.teacher {
            Some(teacher) => soften(teacher, &kept, &labels, config.labels.is_signed())?,
            None => labels,
        };
        let train = TrainSet {
            records: kept,
            labels,
            images,
            pool,
            sampler,
            augmenter,
            text_augmenter,
            preprocess: preprocess.clone(),
            seed,
        };

        let mut evals = Vec::with_capacity(chosen.evals.len());
        for (name, indices) in chosen.evals {
            let preprocessor = Preprocessor::new(preprocess.clone())?;
            let (images, kept) = load(&name, &indices, &preprocessor)?;
            let records = kept.into_iter().map(|index| records[index].clone()).collect();
            evals.push(EvalSet { name, records, images, preprocessor });
        }
        Ok(Self { train: Arc::new(train), evals, lost, images: selected })
    }
}

/// Settings that need no data to be judged.
fn check_shares(config: &DataConfig) -> Result<(), DataError> {
    config.sampler.validate()?;
    config.labels.validate()?;
    config.teacher.as_ref().map(TeacherConfig::validate).transpose()?;
    if !(0.0..=1.0).contains(&config.sentences.prompt_share) {
        return Err(DataError::PromptShare);
    }
    if !(0.0..=1.0).contains(&config.max_lost) {
        return Err(DataError::MaxLost);
    }
    Ok(())
}

/// Refuses an evaluation that has a film of training under another name.
fn check_no_film_shared(train: &[ImageFile], evals: &[ImageFile]) -> Result<(), SelectionError> {
    let of = |files: &[ImageFile]| -> Vec<Option<String>> {
        files.iter().map(|file| file.digest.as_ref().map(|digest| digest.sha256.clone())).collect()
    };
    let Some((trained, evaluated)) = first_shared_digest(&of(train), &of(evals)) else { return Ok(()) };
    let (trained, evaluated) = (&train[trained], &evals[evaluated]);
    Err(SelectionError::SharedFilm {
        trained: trained.row.clone(),
        evaluated: evaluated.row.clone(),
        name: evaluated.set.clone(),
        is_same_file: is_same_file(&trained.path, &evaluated.path),
    })
}

/// How messages name the images to train on.
const TRAIN: &str = "train";

/// Rows of every manifest, their paths with the directory they start from.
struct Rows {
    records: Vec<Record>,
    /// Manifests, each with the index of the first record after its own.
    manifests: Vec<(usize, PathBuf)>,
}

fn row_name(records: &[Record], manifests: &[(usize, PathBuf)], index: usize) -> RowName {
    let manifest = manifests.iter().find(|(end, _)| index < *end);
    RowName::of(manifest.map_or(Path::new(""), |(_, path)| path), &records[index])
}

fn rows(config: &DataConfig) -> Result<Rows, DataError> {
    let further = config.further.iter().map(|each| (&each.manifest, &each.image_root));
    let (mut all, mut manifests, mut seen) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (path, root) in std::iter::once((&config.manifest, &config.image_root)).chain(further) {
        let mut records =
            read_manifest(path).map_err(|source| DataError::Manifest { path: path.clone(), source })?;
        for record in &mut records {
            record.path = root.join(&record.path);
            let row = RowName::of(path, record);
            if let Some(first) = seen.insert(record.path.clone(), row.clone()) {
                return Err(DataError::DuplicateImage { first, second: row, path: record.path.clone() });
            }
        }
        all.append(&mut records);
        manifests.push((all.len(), path.clone()));
    }
    Ok(Rows { records: all, manifests })
}

/// What the selections chose of the records.
struct Chosen<'a> {
    /// Indices of the images to train on.
    train: Vec<usize>,
    /// Indices of the images to evaluate on, by name.
    evals: Vec<(String, Vec<usize>)>,
    /// Patient groups whose reports training must not read: those that meet an evaluation's conditions, and those outside
    /// the training selection's share.
    silent: BTreeSet<&'a str>,
}

impl<'a> Chosen<'a> {
    fn new(config: &DataConfig, records: &'a [Record], seed: u64) -> Result<Self, DataError> {
        let of = |indices: &[usize]| indices.iter().map(|index| &records[*index]).collect::<Vec<_>>();
        let group = |index: &usize| records[*index].patient_group.as_str();
        let mut train = config.train.indices(TRAIN, records)?;
        let mut evals = Vec::with_capacity(config.eval.len());
        let mut silent = BTreeSet::new();
        for (name, selection) in &config.eval {
            let mut indices = selection.indices(name, records)?;
            // Before shares are drawn, so that none hides a leak.
            check_disjoint(of(&train), name, of(&indices))?;
            silent.extend(indices.iter().map(group));
            let kept = selection.share(indices.iter().map(group), seed);
            indices.retain(|index| kept.contains(group(index)));
            evals.push((name.clone(), indices));
        }

        let imaged: BTreeSet<&str> = train.iter().map(group).collect();
        let mut kept = config.train.share(imaged.iter().copied(), seed);
        train.retain(|index| kept.contains(group(index)));
        // Groups without a selected image lend only their reports. They are shared out on their own, so that which
        // images there are does not depend on them.
        let part = records.iter().filter(|record| config.train.admits_part(record));
        let unseen = part.map(|record| record.patient_group.as_str());
        kept.extend(config.train.share(unseen.filter(|g| !imaged.contains(g) && !silent.contains(g)), seed));
        silent.extend(records.iter().map(|r| r.patient_group.as_str()).filter(|group| !kept.contains(group)));
        Ok(Self { train, evals, silent })
    }

    /// Every selected image with its digest: those to train on, then each evaluation's.
    fn files(
        &self,
        records: &[Record],
        manifests: &[(usize, PathBuf)],
        known: &KnownDigests,
    ) -> Vec<ImageFile> {
        let evals = self.evals.iter().map(|(name, indices)| (name.as_str(), indices));
        let sets = std::iter::once((TRAIN, &self.train)).chain(evals);
        let places: Vec<(&str, usize)> =
            sets.flat_map(|(set, indices)| indices.iter().map(move |index| (set, *index))).collect();
        let paths: Vec<PathBuf> = places.iter().map(|(_, index)| records[*index].path.clone()).collect();
        let digests = digests(&paths, known);
        let files = places.into_iter().zip(paths).zip(digests);
        files
            .map(|(((set, index), path), digest)| ImageFile {
                set: set.to_owned(),
                row: row_name(records, manifests, index),
                path,
                digest,
            })
            .collect()
    }

    fn reports(
        &self,
        config: &DataConfig,
        records: &[Record],
        seed: u64,
    ) -> Result<TrainingReports, DataError> {
        let rows = match &config.reports {
            Some(path) => {
                read_reports(path).map_err(|source| DataError::Reports { path: path.clone(), source })?
            }
            None => Vec::new(),
        };
        Ok(TrainingReports::gather(records, &rows, &config.train, &self.silent, seed))
    }
}

/// The prompt file's sentences: what the labeler reads in them, corrected by the class they stand under.
fn prompt_sentences(config: &DataConfig, labeler: &Labeler) -> Result<Vec<(String, Labels)>, DataError> {
    let Some(path) = &config.prompts else { return Ok(Vec::new()) };
    let mut prompts =
        PromptSet::open(path).map_err(|source| DataError::Prompts { path: path.clone(), source })?;
    // Without the ensemble's draw every sentence of the file joins the pool.
    prompts.ensemble = None;
    let mut sentences = Vec::new();
    for class in prompts.expand() {
        let finding = Finding::from_name(&class.name)
            .ok_or_else(|| DataError::PromptClass { path: path.clone(), class: class.name.clone() })?;
        let sides = [(class.positive, Certainty::Positive), (class.negative, Certainty::Negative)];
        for (texts, certainty) in sides {
            for text in texts {
                let mut labels = labeler.sentence(&text);
                labels[finding] = certainty;
                sentences.push((text, labels));
            }
        }
    }
    Ok(sentences)
}

#[cfg(test)]
mod tests;
