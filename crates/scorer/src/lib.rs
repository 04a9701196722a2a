//! The scoring path: a film in, a report out. Internal; programs depend on `medclip`.
//!
//! ```no_run
//! use medclip_scorer::Scorer;
//!
//! let scorer = Scorer::open("models/medclip-edge")?;
//! let report = scorer.score_file("chest.dcm")?;
//! for finding in report.findings() {
//!     println!("{:<28} {:.3}", finding.name, finding.probability);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A film is decoded ([`medclip_decode`]), checked ([`medclip_qc`]), embedded and scored ([`medclip_runtime`]). All that is said of it
//! is in its [`Report`], whatever prints or stores that. [`Scorer::prepare_bytes`] and [`Scorer::score`] are the two halves, for
//! whoever decodes and scores on different threads or in batches.
//!
//! # Limits
//! Scores are not calibrated probabilities of disease. Research use only, not for diagnosis.

mod builder;
mod error;
mod failure;
mod locate;
mod maps;
mod prepared;
pub mod record;
mod report;
mod schema;
mod scorer;

pub use builder::ScorerBuilder;
pub use error::{OpenError, ScoreError};
pub use failure::Failure;
pub use maps::FilmMaps;
pub use prepared::Prepared;
pub use report::{Finding, Remark, Report, Scores};
pub use schema::Schema;
pub use scorer::Scorer;

#[cfg(test)]
mod tests {
    const fn is_shared<T: Send + Sync + Clone>() {}

    /// Programs share one scorer between threads.
    const _: () = is_shared::<super::Scorer>();
    const _: () = is_shared::<super::Report>();
}
