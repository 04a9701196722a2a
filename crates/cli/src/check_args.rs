//! What follows from the checks of a film, as the command line says it.

use anyhow::Context;
use clap::Args;
use medclip_qc::Policy;

/// What follows from each check.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// What follows from an intake check, `all` for every one: `pass` leaves it out, `warn` (the default) names it beside the
    /// scores, `abstain` gives no scores
    ///
    /// Checks: modality, `body_part`, lateral, inverted, `rotated_90`, `rotated_180`, `rotated_270`, cropped, `not_a_chest_film`,
    /// colour, blank, `over_exposed`, `under_exposed`, `low_resolution`, border, `burned_in_text`,
    /// `incomplete_scan`. May be repeated; later ones win.
    #[arg(long = "qc", value_name = "CHECK=ACTION")]
    settings: Vec<String>,
}

impl CheckArgs {
    /// # Errors
    /// When a setting is none.
    pub(crate) fn policy(&self) -> anyhow::Result<Policy> {
        let mut policy = Policy::default();
        for setting in &self.settings {
            policy.set(setting).context("cannot use --qc")?;
        }
        Ok(policy)
    }
}
