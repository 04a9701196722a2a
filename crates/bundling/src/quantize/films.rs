//! Films to calibrate with, and others to judge by.

use medclip_core::ImageBatch;
use medclip_core::stop::Stopped;
use medclip_decode::Limits;
use medclip_files::sha256;
use medclip_runtime::{Bundle, GrayImage};
use tracing::info_span;

use super::error::QuantizeError;
use super::labeled::LabeledFilm;
use crate::observer::{Observer, Progress, Work};

/// Images in one batch.
const BATCH: usize = 8;
/// Most films that ranges and layers are chosen by.
const MAX_CALIBRATED: usize = 200;
/// Fewest films of either part: with fewer, the figures mean nothing.
const MIN_FILMS: usize = 8;

/// Films in two parts that share no patient.
#[derive(Default)]
pub(super) struct Films {
    /// Ranges and layers are chosen by these.
    pub(super) calibration: Part,
    /// And judged by these.
    pub(super) gate: Part,
}

/// Films as the model takes them.
#[derive(Default)]
pub(super) struct Part {
    pub(super) batches: Vec<ImageBatch>,
    /// Of every film a label for every class of the model, where the manifest has one.
    pub(super) labels: Vec<Vec<Option<bool>>>,
}

impl Films {
    /// Decodes the films of both parts.
    pub(super) fn read(
        films: &[LabeledFilm],
        bundle: &Bundle,
        observer: &mut dyn Observer,
    ) -> Result<Self, QuantizeError> {
        let (mut calibration, gate): (Vec<&LabeledFilm>, Vec<&LabeledFilm>) =
            films.iter().partition(|film| is_for_calibration(&film.patient));
        calibration.truncate(MAX_CALIBRATED);
        let counts = [("calibrate with", calibration.len()), ("judge by", gate.len())];
        if let Some((purpose, count)) = counts.into_iter().find(|&(_, count)| count < MIN_FILMS) {
            return Err(QuantizeError::FewFilms { count, purpose, needed: MIN_FILMS });
        }
        Ok(Self {
            calibration: Part::read(&calibration, bundle, observer)?,
            gate: Part::read(&gate, bundle, observer)?,
        })
    }
}

impl Part {
    fn read(
        films: &[&LabeledFilm],
        bundle: &Bundle,
        observer: &mut dyn Observer,
    ) -> Result<Self, QuantizeError> {
        let _span = info_span!("decode", films = films.len()).entered();
        observer.tell(Progress::Begin { work: Work::ReadFilms, steps: films.len() });
        let mut part = Self::default();
        for chunk in films.chunks(BATCH) {
            let mut images: Vec<GrayImage> = Vec::with_capacity(chunk.len());
            for film in chunk {
                observer.tell(Progress::Step);
                if observer.is_stopped() {
                    return Err(Stopped.into());
                }
                images.push(medclip_decode::open(&film.path, &Limits::default())?.image);
            }
            part.batches.push(bundle.preprocessor().batch(&images)?);
            part.labels.extend(chunk.iter().map(|film| film.labels.clone()));
        }
        observer.tell(Progress::End);
        Ok(part)
    }

    pub(super) const fn len(&self) -> usize {
        self.labels.len()
    }
}

/// By the patient's name alone, so that more films of others change nothing.
fn is_for_calibration(patient: &str) -> bool {
    let sum = sha256(patient.as_bytes());
    u32::from_str_radix(&sum[..8], 16).is_ok_and(|number| number.is_multiple_of(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_a_third_of_the_patients_is_calibrated_on() {
        let count = (0..3000).filter(|k| is_for_calibration(&format!("patient {k}"))).count();
        assert!((900..1100).contains(&count), "{count}");
    }
}
