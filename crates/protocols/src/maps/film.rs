//! Maps of one film, with the boxes on it.

use medclip_core::{ClassMap, Finding, FindingScore};
use medclip_data::{MarkedBox, Record};
use medclip_runtime::{Classifier, EncodeError};
use medclip_stats::Region;

use super::occlusion;
use crate::embed;
use crate::error::FilmError;
use crate::evaluator::Evaluator;

/// A film with boxes.
pub(super) struct MappedFilm<'a> {
    /// The row of the manifest.
    pub(super) record: &'a Record,
    /// One for every finding that has boxes.
    pub(super) maps: Vec<MarkedMap>,
    /// Largest difference between the mean of a map and the score that it accounts for.
    pub(super) incompleteness: f64,
}

/// A class's map of a film, and where readers marked the finding.
pub(super) struct MarkedMap {
    pub(super) finding: Finding,
    /// The boxes, in the square that the tower sees.
    pub(super) regions: Vec<Region>,
    pub(super) map: ClassMap,
    /// By covering parts of the image, where that was asked for.
    pub(super) occlusion: Option<ClassMap>,
}

/// Reads films and makes their maps.
pub(super) struct Reader<'a> {
    evaluator: &'a Evaluator,
    classifier: Classifier,
    occlusion: bool,
}

impl<'e> Reader<'e> {
    pub(super) fn new(evaluator: &'e Evaluator, occlusion: bool) -> Self {
        Self { evaluator, classifier: evaluator.model().classifier(), occlusion }
    }

    /// The maps of the findings that have boxes on this film.
    pub(super) fn read<'a>(
        &self,
        record: &'a Record,
        boxes: &[(Finding, &MarkedBox)],
    ) -> Result<MappedFilm<'a>, FilmError> {
        let path = self.evaluator.films().root().join(&record.path);
        let model = self.evaluator.model();
        let image = embed::read(&path)?.image;
        let size = [image.width(), image.height()];
        let failed = |source: EncodeError| FilmError::Embed { path: path.clone(), source };
        let preprocessor = model.preprocessor();
        let resized = preprocessor.resized(&image);
        let batch = preprocessor.normalize([&resized]).map_err(|error| failed(error.into()))?;
        let (embeddings, locations) = model.embed_with_maps(&batch).map_err(failed)?;
        let maps = self.classifier.maps(&embeddings, &locations).map_err(failed)?.pop().unwrap_or_default();
        let scores = self.classifier.scores_of(embeddings.row(0)).map_err(failed)?;
        let factor = f64::from(model.bundle().logit_scale().factor());
        let gap =
            |(map, score): (&ClassMap, &FindingScore)| (map.mean() - f64::from(score.logit) / factor).abs();
        let incompleteness = maps.iter().zip(&scores).map(gap).fold(0.0, f64::max);

        let mut marked: Vec<MarkedMap> = Vec::new();
        for (class, map) in maps.into_iter().enumerate() {
            let Some(finding) = Finding::from_name(&map.name) else { continue };
            let of_finding = boxes.iter().filter(|(of, _)| *of == finding);
            let regions = of_finding.map(|(_, marked)| {
                let [left, top] = preprocessor.place([marked.left, marked.top], size);
                let end = [marked.left + marked.width, marked.top + marked.height];
                let [right, bottom] = preprocessor.place(end, size);
                let is_inside = marked.left < f64::from(size[0])
                    && marked.top < f64::from(size[1])
                    && end.into_iter().all(|end| end > 0.0);
                let problem =
                    || format!("a box of {finding} lies outside its {} x {} pixels", size[0], size[1]);
                is_inside
                    .then_some(Region { left, top, right, bottom })
                    .ok_or_else(|| FilmError::Unreadable { path: path.clone(), problem: problem() })
            });
            let regions = regions.collect::<Result<Vec<Region>, FilmError>>()?;
            if regions.is_empty() {
                continue;
            }
            let covered = || occlusion::map(model, &self.classifier, class, &resized).map_err(failed);
            let occlusion = self.occlusion.then(covered).transpose()?;
            marked.push(MarkedMap { finding, regions, map, occlusion });
        }
        Ok(MappedFilm { record, maps: marked, incompleteness })
    }
}
