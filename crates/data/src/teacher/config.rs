//! Whose scores soften labels, and why scores are refused.

use std::path::PathBuf;

use medclip_core::Finding;
use medclip_stats::FitError;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::error::TableError;
use crate::place::Place;

/// Whose scores soften the labels of training images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeacherConfig {
    /// Files that `medclip score --format csv` wrote, one a model or one a fold. Several files that score an image are
    /// averaged; every training image must be in at least one.
    pub scores: Vec<PathBuf>,
    /// What the scores weigh beside the annotations, 0–1.
    pub share: f32,
}

impl TeacherConfig {
    /// Checks what can be checked without opening a file.
    ///
    /// # Errors
    /// [`TeacherError::Share`], [`TeacherError::NoScores`].
    pub fn validate(&self) -> Result<(), TeacherError> {
        if !(0.0..=1.0).contains(&self.share) {
            return Err(TeacherError::Share);
        }
        if self.scores.is_empty() {
            return Err(TeacherError::NoScores);
        }
        Ok(())
    }
}

/// Why scores were refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TeacherError {
    /// A share outside its range.
    #[error("data.teacher.share must be in 0–1")]
    Share,
    /// No files.
    #[error("data.teacher.scores names no file")]
    NoScores,
    /// A file or a cell of it.
    #[error("scores {}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: TableError,
    },
    /// A file without the logits of any finding.
    #[error("scores {}: no column `… logit` of a finding", path.display())]
    NoFinding {
        /// The file.
        path: PathBuf,
    },
    /// Training images that no file scores.
    #[error("no score for {missing} of {images} training images, such as {}", first.display())]
    Missing {
        /// Images without a score.
        missing: usize,
        /// Training images.
        images: usize,
        /// The first without one.
        first: PathBuf,
        /// Its row in the manifest.
        row: Place,
    },
    /// Scores that no probability can be fitted to.
    #[error("probabilities of `{finding}` from scores")]
    Fit {
        /// The finding.
        finding: Finding,
        /// Why not.
        source: FitError,
    },
}

impl TeacherError {
    /// The error in words that name no image.
    pub fn unnamed(&self) -> String {
        match self {
            Self::Missing { missing, images, row, .. } => {
                format!(
                    "no score for {missing} of {images} training images, such as that of {row} of its manifest"
                )
            }
            _ => self.to_string(),
        }
    }
}
