//! How often the right one of several classes was chosen.

use medclip_stats::{ConfusionMatrix, bootstrap_settings};

use crate::error::EvaluationError;
use crate::members::Figure;
use crate::resampling::{LEVEL, Resampling};

/// What was chosen for each film, in each draw of prompts.
pub(crate) struct Choices<'a> {
    /// How many classes there are.
    pub(crate) classes: usize,
    /// `[films]`.
    pub(crate) actual: Vec<usize>,
    /// `[draws][films]`.
    pub(crate) chosen: Vec<Vec<usize>>,
    /// `[films]`.
    pub(crate) patients: Vec<&'a str>,
}

/// Shares of right choices, as means over draws.
pub(crate) struct RightChoices {
    /// Of the films of each class.
    pub(crate) recalls: Vec<Option<Figure>>,
    /// Of all films.
    pub(crate) accuracy: Option<Figure>,
}

impl Choices<'_> {
    fn matrix(&self, draw: usize, counts: &[u32]) -> ConfusionMatrix {
        ConfusionMatrix::count(self.classes, &self.actual, &self.chosen[draw], counts)
    }

    /// `[actual][chosen]`, summed over draws.
    pub(crate) fn confusion(&self) -> ConfusionMatrix {
        (0..self.chosen.len()).map(|draw| self.matrix(draw, &[])).sum()
    }

    /// Recall of every class and accuracy, with intervals by patient.
    pub(crate) fn figures(&self, resampling: Resampling) -> Result<RightChoices, EvaluationError> {
        // Recall of each class, then accuracy.
        let statistics = |_: usize, draw: usize, counts: &[u32]| {
            let matrix = self.matrix(draw, counts);
            let recall = (0..self.classes).map(|class| matrix.recall(class));
            recall.chain([matrix.accuracy()]).collect()
        };
        let Resampling { resamples, seed } = resampling;
        let draws = [self.chosen.len()];
        let found = bootstrap_settings(&self.patients, &draws, &[], statistics, resamples, LEVEL, seed)?;
        let figure = |column: usize| found.first()?.each.get(column)?.clone().map(Figure::from);
        Ok(RightChoices { recalls: (0..self.classes).map(figure).collect(), accuracy: figure(self.classes) })
    }
}
