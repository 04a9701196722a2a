//! Commands that this build lacks.

use std::ffi::OsString;

use anyhow::bail;
use clap::Args;

use crate::Outcome;

/// Whatever was asked of a command that is not in this program.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct MissingArgs {
    /// Options and arguments of the command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _arguments: Vec<OsString>,
}

/// Says which feature of the program has `command`.
pub(crate) fn refuse(command: &str, feature: &str) -> anyhow::Result<Outcome> {
    bail!(
        "this program was built without `medclip {command}`; build it with `cargo build --release -p medclip-cli \
         --features {feature}`"
    )
}
