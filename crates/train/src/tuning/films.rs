//! Films to fit on and to evaluate on, decoded once.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use medclip_core::Embeddings;
use medclip_core::preprocess::{PreprocessConfig, Preprocessor};
use medclip_core::stop::Stopped;
use medclip_data::Record;
use medclip_data::random::{Purpose, stream};
use medclip_decode::Limits;
use medclip_nn::tower::Phase;
use medclip_nn::{MedClip, to_embeddings};
use rayon::prelude::*;

use crate::data::images::{LoadedImages, Storage, load_images};
use crate::data::{AugmentConfig, Augmenter, BadImage, DataError, EvalSet, ImageStore, ImagesError};
use crate::error::TrainError;

/// Films embedded together.
const BATCH: usize = 32;

/// Films as the runtime will see them.
#[derive(Debug)]
pub struct Films {
    set: EvalSet,
    bad: Vec<BadImage>,
}

impl Films {
    /// Decodes the films of `records`, whose paths start from `root`; `name` appears in errors. One that cannot be read
    /// is left out and listed as [`Films::bad`].
    ///
    /// # Errors
    /// [`TrainError::Data`] when no film can be read.
    pub fn load(
        name: &str,
        records: &[&Record],
        root: &Path,
        preprocess: &PreprocessConfig,
    ) -> Result<Self, TrainError> {
        let preprocessor = Preprocessor::new(preprocess.clone())?;
        let LoadedImages { store, kept, bad } = decode(name, records, root, &preprocessor)?;
        let records = kept.into_iter().map(|index| records[index].clone()).collect();
        Ok(Self { set: EvalSet { name: name.to_owned(), records, images: store, preprocessor }, bad })
    }

    /// The films' manifest rows.
    pub fn records(&self) -> &[Record] {
        self.set.records()
    }

    /// The films that could not be read.
    pub fn bad(&self) -> &[BadImage] {
        &self.bad
    }

    /// Unit-norm embeddings of the first `count` films; `embedded` hears how many more are done, and may stop the work.
    ///
    /// # Shapes
    /// - returns: `[films, embedding_dim]`
    /// # Errors
    /// When the films have other channels than the tower takes, and [`TrainError::Stopped`].
    pub fn embed(
        &self,
        model: &MedClip,
        count: usize,
        mut embedded: impl FnMut(usize) -> Result<(), Stopped>,
    ) -> Result<Embeddings, TrainError> {
        let count = count.min(self.set.len());
        let (mut values, mut dim) = (Vec::new(), 0);
        for start in (0..count).step_by(BATCH) {
            let end = count.min(start + BATCH);
            let (pixels, shape) = self.set.batch(start..end)?.into_parts();
            let pixels = Tensor::from_vec(pixels, &shape, model.store().device())?;
            // Out of candle batch by batch: a tensor holds on to every activation that a gradient would need.
            let part = to_embeddings(&model.embed_images(&pixels, Phase::Evaluate)?)?;
            dim = part.dim();
            values.extend_from_slice(part.data());
            embedded(end - start)?;
        }
        Ok(Embeddings::new(values, dim).map_err(candle_core::Error::wrap)?)
    }
}

/// Films to fit on: as evaluation sees them, and at the size that random variants are cut from.
#[derive(Debug)]
pub struct TrainingFilms {
    films: Films,
    sources: ImageStore,
    augmenter: Augmenter,
    channels: usize,
}

impl TrainingFilms {
    /// Decodes films as [`Films::load`] does.
    ///
    /// # Errors
    /// [`TrainError::Data`] for a setting of `augment` out of range, or when no film can be read.
    pub fn load(
        name: &str,
        records: &[&Record],
        root: &Path,
        preprocess: &PreprocessConfig,
        augment: AugmentConfig,
    ) -> Result<Self, TrainError> {
        let PreprocessConfig { image_size, channels, mean, std, .. } = *preprocess;
        let augmenter = Augmenter::new(augment, image_size, mean, std).map_err(DataError::from)?;
        let films = Films::load(name, records, root, preprocess)?;
        let preprocessor = Preprocessor::new(PreprocessConfig {
            image_size: augmenter.source_side(),
            ..preprocess.clone()
        })?;
        let read: Vec<&Record> = films.records().iter().collect();
        let LoadedImages { store, bad, .. } = decode(name, &read, root, &preprocessor)?;
        if let Some(BadImage { path, reason }) = bad.into_iter().next() {
            return Err(TrainError::Invalid { path, reason });
        }
        Ok(Self { films, sources: store, augmenter, channels })
    }

    /// The films as evaluation sees them.
    pub const fn films(&self) -> &Films {
        &self.films
    }

    /// Random variants of the films `rows`, which are the visits from `first_visit` on of an epoch.
    ///
    /// # Shapes
    /// - returns: `[rows, channels, side, side]`, normalized
    pub(super) fn variants(
        &self,
        rows: &[usize],
        seed: u64,
        epoch: u64,
        first_visit: usize,
    ) -> Result<Tensor, TrainError> {
        let side = self.films.set.images.side();
        let area = side * side;
        let mut pixels = vec![0.0; rows.len() * self.channels * area];
        pixels.par_chunks_exact_mut(self.channels * area).zip(rows).enumerate().try_for_each(
            |(slot, (planes, row))| {
                let Some(source) = self.sources.get(*row)? else { return Ok(()) };
                let mut rng = stream(seed, Purpose::Augment, epoch, (first_visit + slot) as u64);
                let (first, others) = planes.split_at_mut(area);
                self.augmenter.augment(&source, first, &mut rng);
                for plane in others.chunks_exact_mut(area) {
                    plane.copy_from_slice(first);
                }
                Ok::<(), ImagesError>(())
            },
        )?;
        Ok(Tensor::from_vec(pixels, (rows.len(), self.channels, side, side), &Device::Cpu)?)
    }
}

fn decode(
    name: &str,
    records: &[&Record],
    root: &Path,
    preprocessor: &Preprocessor,
) -> Result<LoadedImages, TrainError> {
    let files: Vec<PathBuf> = records.iter().map(|record| root.join(&record.path)).collect();
    let failed = |source| TrainError::Data(DataError::Images { name: name.to_owned(), source });
    load_images(&files, preprocessor, &Limits::default(), Storage::Memory).map_err(failed)
}
