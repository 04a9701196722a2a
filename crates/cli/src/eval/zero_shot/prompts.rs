//! Which prompts, and the choice on a balanced set.

use std::num::NonZeroUsize;

use clap::Args;
use medclip_core::Finding;
use medclip_protocols::{BalancedOptions, DrawOptions, PromptOptions};

use crate::protocol::PromptSourceArgs;

/// Prompts other than the bundle's own ensembles.
#[derive(Debug, Args)]
pub(super) struct PromptArgs {
    #[command(flatten)]
    source: PromptSourceArgs,
    /// Draw the prompts this many times, and give mean and standard deviation over the draws
    ///
    /// Draw i of N is of seed S + i with `--seed S`, i from 0: what `[ensemble]` with that seed would draw.
    #[arg(long, value_name = "N")]
    draws: Option<NonZeroUsize>,
    /// Sentences of each side of each class in a draw; all of them where there are fewer
    #[arg(long, value_name = "N", default_value = "10", requires = "draws")]
    per_class: NonZeroUsize,
}

impl PromptArgs {
    /// True when figures are asked for as means over draws.
    pub(super) const fn are_drawn(&self) -> bool {
        self.draws.is_some()
    }

    pub(super) fn options(self) -> PromptOptions {
        let per_class = self.per_class;
        let draws = self.draws.map(|count| DrawOptions { count, per_class });
        PromptOptions { draws, ..self.source.options() }
    }
}

/// A choice among findings on a balanced set.
#[derive(Debug, Args)]
pub(super) struct BalancedArgs {
    /// Accuracy of choosing one of several findings, too, on this many films of each, drawn with the seed
    ///
    /// A film counts as a finding's where that one is annotated present and every other one of the classes absent. Where
    /// one of them has fewer films, all have as many as it has. The choice is the class with the largest logit of its
    /// positive prompts, the first named of equals.
    #[arg(long, value_name = "N")]
    balanced: Option<NonZeroUsize>,
    /// A class of `--balanced`; may be repeated [default: the five of CheXpert-5x200]
    #[arg(long, value_name = "FINDING", requires = "balanced")]
    class: Vec<Finding>,
}

impl BalancedArgs {
    pub(super) fn options(self) -> Option<BalancedOptions> {
        self.balanced.map(|per_class| BalancedOptions { per_class, classes: self.class })
    }
}
