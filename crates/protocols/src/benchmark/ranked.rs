//! How well logits rank films of each class above those of the others.

use medclip_stats::{Ranks, bootstrap_settings};

use crate::choice::Choices;
use crate::error::EvaluationError;
use crate::members::Figure;
use crate::resampling::{LEVEL, Resampling};

/// Areas under ROC curves.
pub(super) struct Areas {
    /// One for every class.
    pub(super) classes: Vec<Option<Figure>>,
    /// Their mean.
    pub(super) mean: Option<Figure>,
}

/// Areas of each class against the others, as means over draws.
///
/// # Shapes
/// - `logits`: `[draws][films][classes]`
pub(super) fn figures(
    logits: &[Vec<Vec<f32>>],
    choices: &Choices<'_>,
    resampling: Resampling,
) -> Result<Areas, EvaluationError> {
    let classes: Vec<usize> = (0..choices.classes).collect();
    let ranks = |films: &Vec<Vec<f32>>| -> Vec<Option<Ranks>> {
        let of_class = |class: &usize| {
            let scores: Vec<f64> = films.iter().map(|film| log_odds(film, *class)).collect();
            let labels: Vec<_> = choices.actual.iter().map(|actual| Some(actual == class)).collect();
            Ranks::new(&scores, &labels)
        };
        classes.iter().map(of_class).collect()
    };
    let ranks: Vec<Vec<Option<Ranks>>> = logits.iter().map(ranks).collect();
    let areas = |_: usize, draw: usize, counts: &[u32]| {
        ranks[draw].iter().map(|ranks| ranks.as_ref()?.auroc(counts)).collect()
    };
    let Resampling { resamples, seed } = resampling;
    let found =
        bootstrap_settings(&choices.patients, &[logits.len()], &classes, areas, resamples, LEVEL, seed)?;
    let setting = found.into_iter().next();
    let (each, mean) =
        setting.map_or_else(|| (vec![None; classes.len()], None), |found| (found.each, found.mean));
    let classes = each.into_iter().map(|area| area.map(Figure::from)).collect();
    Ok(Areas { classes, mean: mean.map(Figure::from) })
}

/// Log-odds of a class by a softmax over all: its logit, less the logarithm of the sum over the others of `exp(logit)`.
fn log_odds(logits: &[f32], class: usize) -> f64 {
    let others =
        || logits.iter().enumerate().filter(move |(other, _)| *other != class).map(|(_, z)| f64::from(*z));
    let largest = others().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = others().map(|z| (z - largest).exp()).sum();
    f64::from(logits[class]) - largest - sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_odds_are_those_of_a_softmax() {
        assert!((log_odds(&[2.0, 5.0], 0) + 3.0).abs() < 1e-12, "of two, the difference");
        let logits = [1.0, 2.0, 3.0];
        let sum: f64 = logits.iter().map(|z| f64::from(*z).exp()).sum();
        let share = 2_f64.exp() / sum;
        assert!((log_odds(&logits, 1) - (share / (1.0 - share)).ln()).abs() < 1e-12);
        assert!(
            log_odds(&[900.0, -900.0, -900.0], 0) > log_odds(&[800.0, -900.0, -900.0], 0),
            "no saturation"
        );
    }
}
