//! Which prompts are evaluated.

use std::path::PathBuf;

use clap::Args;
use medclip_core::PromptPooling;
use medclip_protocols::PromptOptions;

use crate::values::one_of;

/// Prompts other than the bundle's own ensembles.
#[derive(Debug, Args)]
pub(crate) struct PromptSourceArgs {
    /// Prompts to evaluate in place of the bundle's, embedded by its text tower, each sentence alone
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// How a class's prompts become one logit: mean (the paper's) or max (the reference's) [default: the bundle's]
    #[arg(long, value_name = "HOW", value_parser = one_of(&PromptPooling::ALL, PromptPooling::name))]
    pooling: Option<PromptPooling>,
}

impl PromptSourceArgs {
    pub(crate) fn options(self) -> PromptOptions {
        PromptOptions { file: self.prompts, draws: None, pooling: self.pooling }
    }
}
