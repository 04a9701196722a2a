//! Bundles side by side on the same films.

mod error;
mod figures;
mod scored;
mod sheet;

use medclip_data::Split;
use medclip_runtime::{Model, ModelOptions};
use serde::Serialize;

use crate::films::FilmSet;
use crate::headline::LeftOut;
use crate::labeled::Labeled;
use crate::observer::Observer;
use crate::resampling::Resampling;
use crate::side::Side;

pub use error::CompareError;
pub use figures::{Difference, LabelFigures, LabelFinding};

use scored::{Column, score};

/// How [`compare`] evaluates.
#[derive(Debug, Clone, Default)]
pub struct CompareOptions {
    /// Only films of these splits; an empty list takes all.
    pub splits: Vec<Split>,
    /// Which sentences rank films.
    pub side: Side,
    /// How every bundle is loaded.
    pub model: ModelOptions,
    /// Threads to embed films on; 0 counts as 1.
    pub threads: usize,
    /// How intervals are made.
    pub resampling: Resampling,
}

/// What [`compare`] finds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Which sentences ranked the films.
    pub side: Side,
    /// Engine that ran the bundles.
    pub engine: &'static str,
    /// Films evaluated.
    pub images: usize,
    /// Patients they are of.
    pub patients: usize,
    /// Films that could not be read or embedded.
    pub failed: usize,
    /// How often patients were drawn for the 95 % intervals.
    pub resamples: usize,
    /// Seed of everything that was drawn.
    pub seed: u64,
    /// The headline findings that are defined here: those the means are over.
    pub headline: Vec<&'static str>,
    /// The headline findings that are not.
    pub left_out_of_mean: Vec<LeftOut>,
    /// Findings that some bundle has no prompts of.
    pub left_out: Vec<&'static str>,
    /// Findings that all bundles have prompts of.
    pub findings: Vec<Counted>,
    /// One for every label, in the order in which they were given.
    pub labels: Vec<LabelFigures>,
}

/// A finding and the films annotated for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// The finding.
    pub name: &'static str,
    /// Films that have it.
    pub positives: usize,
    /// Films that do not.
    pub negatives: usize,
}

/// A bundle that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Name of the model.
    pub model: String,
    /// Id of the bundle.
    pub bundle: String,
}

/// Zero-shot AUROC of several bundles, with paired differences from those of the first label.
///
/// Figures of a label are means over its bundles, with the 95 % interval of that mean by patient. All labels are resampled on the
/// same patients, and a difference is taken resample by resample. Each bundle's own prompt bank and pooling are used, or one side
/// of its pairs ([`CompareOptions::side`]), so no text tower is loaded. Findings that not every bundle has prompts of are left out.
///
/// # Errors
/// [`CompareError`] when films or a bundle cannot be used, or the bundles have no finding in common.
pub fn compare(
    films: &FilmSet,
    bundles: &[Labeled],
    options: &CompareOptions,
    observer: &mut dyn Observer,
) -> Result<Comparison, CompareError> {
    let mut chosen = films.chosen("evaluation", &options.splits)?;
    let asked = chosen.len();
    let mut columns: Vec<Column> = Vec::new();
    let mut engine = "";
    for (position, Labeled { label, path }) in bundles.iter().enumerate() {
        let model = Model::open_with(path, options.model.clone())
            .map_err(|source| CompareError::Load { path: path.clone(), source })?;
        let in_bundle = |source| CompareError::Bundle { path: path.clone(), source };
        let (read, scored) = score(films, &model, &chosen, options, observer).map_err(in_bundle)?;
        // A film that cannot be read fails with the first bundle; one that fails later leaves nothing to pair.
        if position > 0 && read.len() < chosen.len() {
            return Err(CompareError::OtherFilms { path: path.clone() });
        }
        (engine, chosen) = (model.engine().name(), read);
        match columns.iter_mut().find(|column| column.label == *label) {
            Some(column) => {
                if column.bundles.iter().any(|other| other.member.bundle == scored.member.bundle) {
                    return Err(CompareError::Copy { path: path.clone(), label: label.clone() });
                }
                column.bundles.push(scored);
            }
            None => columns.push(Column { label: label.clone(), bundles: vec![scored] }),
        }
    }
    let failed = asked - chosen.len();
    figures::compare(columns, &chosen, failed, engine, options)
}
