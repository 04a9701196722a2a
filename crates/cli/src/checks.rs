//! Intake checks beside the scores.

use anyhow::Context;
use clap::Args;
use medclip_decode::Note;
use medclip_qc::{Code, LearnedChecks, Policy, pixels};
use medclip_runtime::Model;

use crate::film::Film;

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

#[cfg(feature = "search")]
impl CheckArgs {
    /// Whether nothing was chosen.
    pub(crate) fn is_default(&self) -> bool {
        self.settings.is_empty()
    }

    /// The settings that [`Checks::recorded`] tells.
    pub(crate) fn from_recorded(recorded: &str) -> Self {
        let settings = recorded.split(',').filter(|setting| !setting.is_empty());
        Self { settings: settings.map(str::to_owned).collect() }
    }
}

/// The checks of a run.
pub(crate) struct Checks {
    policy: Policy,
    /// Those of the bundle; not every one has some.
    learned: Option<LearnedChecks>,
}

impl Checks {
    pub(crate) fn new(model: &Model, args: &CheckArgs) -> anyhow::Result<Self> {
        let mut policy = Policy::default();
        for setting in &args.settings {
            policy.set(setting).context("cannot use --qc")?;
        }
        let learned = model.bundle().intake().map(|head| LearnedChecks::new(head.clone())).transpose();
        let learned = learned.context("cannot use the model's intake checks")?;
        Ok(Self { policy, learned })
    }

    /// What header and pixels say.
    pub(crate) fn of_film(&self, film: &Film) -> Vec<Code> {
        if self.policy.is_silent() {
            return Vec::new();
        }
        let mut codes = film.header.check();
        codes.extend(pixels::check_colour(film.chroma));
        codes.extend(pixels::check_completeness(film.notes.contains(&Note::IncompleteScans)));
        codes.extend(pixels::check(&film.image));
        codes
    }

    /// What the embedding says.
    pub(crate) fn of_embedding(&self, embedding: &[f32]) -> Vec<Code> {
        self.learned.iter().flat_map(|learned| learned.check(embedding)).collect()
    }

    /// Names of what is to be told of `found`, each once, and why there are to be no scores, if so.
    pub(crate) fn judge(&self, found: &[Code]) -> (Vec<String>, Option<String>) {
        let (told, abstain) = self.policy.judge(found);
        let mut names: Vec<String> = Vec::new();
        for code in told {
            if !names.iter().any(|name| name == code.name()) {
                names.push(code.name().to_owned());
            }
        }
        let reason = abstain.then(|| format!("withheld by intake checks: {}", names.join(", ")));
        (names, reason)
    }

    /// The policy, for what is recorded of a run.
    #[cfg(feature = "archive")]
    pub(crate) fn recorded(&self) -> String {
        self.policy.to_string()
    }
}
