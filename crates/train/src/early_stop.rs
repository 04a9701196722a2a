//! Ending a run that no longer improves.

use serde::{Deserialize, Serialize};

/// When a run ends before its last epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStop {
    /// Evaluations in a row without an improvement after which the run ends.
    pub patience: usize,
    /// How much the score has to exceed that of the last improvement to be the next.
    #[serde(default)]
    pub min_delta: f64,
}

/// How long a run has not improved; part of its state, so that an interrupted run ends where it would have.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plateau {
    /// Score of the last improvement.
    pub score: Option<f64>,
    /// Evaluations since.
    pub evaluations: usize,
}

impl EarlyStop {
    /// Takes note of an evaluation; a score that is undefined is no improvement.
    pub fn observe(&self, plateau: &mut Plateau, score: Option<f64>) {
        let improves =
            score.is_some_and(|score| plateau.score.is_none_or(|last| score > last + self.min_delta));
        *plateau = if improves {
            Plateau { score, evaluations: 0 }
        } else {
            Plateau { evaluations: plateau.evaluations + 1, ..*plateau }
        };
    }

    /// Whether the run has ended.
    pub const fn is_over(&self, plateau: &Plateau) -> bool {
        plateau.evaluations >= self.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_after_so_many_evaluations_without_improvement() {
        struct Case {
            rule: EarlyStop,
            scores: &'static [Option<f64>],
            /// Evaluations until the end, 0 where it is not reached.
            ends: usize,
        }
        let rule = |patience, min_delta| EarlyStop { patience, min_delta };
        let cases = [
            Case { rule: rule(2, 0.0), scores: &[Some(0.5), Some(0.4), Some(0.5)], ends: 3 },
            Case { rule: rule(2, 0.0), scores: &[Some(0.5), Some(0.4), Some(0.6), Some(0.6)], ends: 0 },
            Case { rule: rule(1, 0.0), scores: &[None], ends: 1 },
            Case { rule: rule(2, 0.0), scores: &[None, Some(0.1), None], ends: 0 },
            // Small steps add up to an improvement over the last one.
            Case { rule: rule(2, 0.1), scores: &[Some(0.5), Some(0.56), Some(0.62), Some(0.68)], ends: 0 },
            Case { rule: rule(2, 0.1), scores: &[Some(0.5), Some(0.56), Some(0.59)], ends: 3 },
        ];
        for Case { rule, scores, ends } in cases {
            let mut plateau = Plateau::default();
            let end = scores.iter().position(|score| {
                rule.observe(&mut plateau, *score);
                rule.is_over(&plateau)
            });
            assert_eq!(end.map_or(0, |index| index + 1), ends, "{rule:?} {scores:?}");
        }
    }
}
