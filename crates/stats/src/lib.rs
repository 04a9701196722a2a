//! Figures of merit with confidence intervals, and the linear probe: pure functions of numbers.
//!
//! | module | holds |
//! |---|---|
//! | [`auroc`](mod@auroc), [`roc`] | area under the ROC curve, and the curve |
//! | [`precision`] | average precision, the area under the precision–recall curve |
//! | [`ranks`] | both of these again and again on resampled rows, sorted once |
//! | [`confusion`] | confusion counts, precision, recall, F1, micro and macro F1, accuracy |
//! | [`multiclass`] | confusion matrix of one class among several: accuracy, recall by class |
//! | [`retrieval`] | precision at k, rank and recall at k |
//! | [`groups`] | patients shared out between folds, and shares of patients |
//! | [`logistic`] | logistic regression and its cross-validation |
//! | [`calibration`](mod@calibration) | reliability in bins, expected calibration error, Wilson intervals |
//! | [`pointing`] | the pointing game of maps, its floor and its ceiling |
//! | [`projection`] | embeddings on the plane of their principal components |
//! | [`bootstrap`] | percentile intervals that resample patients: one statistic, many jointly, means over seeds with paired differences |
//!
//! A figure that the data does not define (one class only, no positives, a score that is not a number) is `None`,
//! never a number and never left out of a mean unsaid.
//!
//! ```
//! use medclip_stats::{annotated, auroc, bootstrap_ci};
//!
//! let scores = [0.9, 0.2, 0.7, 0.4, 0.3, 0.8];
//! let labels = [Some(true), Some(false), Some(true), Some(true), Some(false), None];
//! let patients = ["a", "a", "b", "c", "d", "e"];
//! let interval = bootstrap_ci(
//!     &patients,
//!     |rows| {
//!         let (scores, labels) = annotated(&scores, &labels, rows);
//!         auroc(&scores, &labels)
//!     },
//!     200,
//!     0.95,
//!     7,
//! )?;
//! assert_eq!(interval.estimate, 1.0);
//! # Ok::<(), medclip_stats::BootstrapError>(())
//! ```
//!
//! # Limits
//! Intervals are percentile intervals: with a handful of positives they are too narrow, and
//! [`Interval::undefined`] says how many resamples had no value at all. Where one patient decides whether there is a figure
//! at all, there is no interval ([`NoInterval`]).

pub mod auroc;
pub mod bootstrap;
pub mod calibration;
pub mod confusion;
pub mod groups;
pub mod logistic;
pub mod multiclass;
pub mod pointing;
pub mod precision;
pub mod projection;
pub mod ranks;
pub mod retrieval;
pub mod roc;
mod rows;

pub use auroc::auroc;
pub use bootstrap::{
    Averaged, BootstrapError, Interval, MacroIntervals, NoInterval, Setting, bootstrap_ci, bootstrap_macro,
    bootstrap_settings, median,
};
pub use calibration::{Calibration, calibration, wilson};
pub use confusion::{Confusion, accuracy, macro_f1, micro_f1};
pub use groups::{grouped_folds, grouped_order, grouped_share};
pub use logistic::{FitError, Logistic, cross_validate, fit_path};
pub use multiclass::{ConfusionMatrix, argmax};
pub use pointing::{Grid, Region, fixed_points};
pub use precision::average_precision;
pub use projection::{Projection, ProjectionError, principal_plane};
pub use ranks::Ranks;
pub use retrieval::{Rank, mean_precision_at_k, precision_at_k};
pub use roc::roc_curve;
pub use rows::annotated;
