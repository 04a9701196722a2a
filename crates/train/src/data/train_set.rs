//! Everything a training batch is made from.

use medclip_core::preprocess::PreprocessConfig;
use medclip_data::random::{Purpose, stream};
use medclip_data::{LabelVector, Record, Sentence, SentencePool};

use crate::data::augment::Augmenter;
use crate::data::augment::mix::mix;
use crate::data::augment::opacity;
use crate::data::images::{ImageStore, ImagesError};
use crate::data::sampler::{BatchPlan, Sampler};
use crate::data::text_augment::TextAugmenter;

/// Images, labels and sentences to train on. Shared between the trainer and the loader's threads.
#[derive(Debug)]
pub struct TrainSet {
    pub(crate) records: Vec<Record>,
    pub(crate) labels: Vec<LabelVector>,
    pub(crate) images: ImageStore,
    pub(crate) pool: SentencePool,
    pub(crate) sampler: Sampler,
    pub(crate) augmenter: Augmenter,
    pub(crate) text_augmenter: Option<TextAugmenter>,
    pub(crate) preprocess: PreprocessConfig,
    pub(crate) seed: u64,
}

/// A batch in memory, ready to become tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// What it was made from: epoch, step, image and sentence indices.
    pub plan: BatchPlan,
    /// Augmented, normalized pixels, `[images, channels, side, side]`.
    pub pixels: Vec<f32>,
    /// Sizes of `pixels`.
    pub shape: [usize; 4],
    /// Label vector of each image.
    pub image_labels: Vec<LabelVector>,
    /// Label vector of each sentence; texts are [`TrainSet::pool`]`.sentences()[plan.sentences[i]]`.
    pub sentence_labels: Vec<LabelVector>,
    /// A second view of each sentence, with the same label vector; empty without
    /// [`text_augment`](crate::data::DataConfig::text_augment).
    pub second_texts: Vec<String>,
}

impl TrainSet {
    /// The images' manifest rows.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The images' label vectors.
    pub fn labels(&self) -> &[LabelVector] {
        &self.labels
    }

    /// The sentences to draw from.
    pub const fn pool(&self) -> &SentencePool {
        &self.pool
    }

    /// Batches an epoch.
    pub fn steps(&self) -> usize {
        self.sampler.steps()
    }

    /// The images of an epoch in order, for [`plan`](Self::plan).
    pub fn order(&self, epoch: u64) -> Vec<usize> {
        self.sampler.order(epoch)
    }

    /// The plan of one batch; `None` past the last.
    pub fn plan(&self, epoch: u64, step: usize, order: &[usize]) -> Option<BatchPlan> {
        self.sampler.plan(epoch, step, order, &self.pool)
    }

    /// Makes the batch: a function of the plan and the seed alone.
    ///
    /// # Errors
    /// [`ImagesError::Read`] when the cache that holds the images cannot be read any more.
    pub fn batch(&self, plan: BatchPlan) -> Result<Batch, ImagesError> {
        let PreprocessConfig { image_size: side, channels, .. } = self.preprocess;
        let area = side * side;
        let mut pixels = vec![0.0; plan.images.len() * channels * area];
        let opacities = self.augmenter.config().opacities;
        let first_visit = plan.step * plan.images.len();
        let mut image_labels: Vec<LabelVector> =
            plan.images.iter().filter_map(|image| self.labels.get(*image)).copied().collect();
        for (slot, (planes, image)) in pixels.chunks_exact_mut(channels * area).zip(&plan.images).enumerate()
        {
            let Some(source) = self.images.get(*image)? else { continue };
            let visit = (first_visit + slot) as u64;
            let mut rng = stream(self.seed, Purpose::Augment, plan.epoch, visit);
            let (first, others) = planes.split_at_mut(area);
            self.augmenter.augment(&source, first, &mut rng);
            if let Some(labels) = image_labels.get_mut(slot).filter(|_| opacities > 0.0) {
                let mut rng = stream(self.seed, Purpose::Lesion, plan.epoch, visit);
                opacity::draw(opacities, first, side, self.augmenter.levels(), labels, &mut rng);
            }
            for plane in others.chunks_exact_mut(area) {
                plane.copy_from_slice(first);
            }
        }
        let mut rng = stream(self.seed, Purpose::Mix, plan.epoch, plan.step as u64);
        mix(self.augmenter.config().mixup, &mut pixels, &mut image_labels, &mut rng);
        let pool = self.pool.sentences();
        let sentences: Vec<&Sentence> = plan.sentences.iter().filter_map(|index| pool.get(*index)).collect();
        let mut rng = stream(self.seed, Purpose::Texts, plan.epoch, plan.step as u64);
        let second_texts = self.text_augmenter.iter().flat_map(|augmenter| {
            sentences.iter().map(|sentence| augmenter.alter(&sentence.text, &mut rng)).collect::<Vec<_>>()
        });
        Ok(Batch {
            shape: [plan.images.len(), channels, side, side],
            plan,
            pixels,
            image_labels,
            sentence_labels: sentences.iter().map(|sentence| sentence.vector).collect(),
            second_texts: second_texts.collect(),
        })
    }
}
