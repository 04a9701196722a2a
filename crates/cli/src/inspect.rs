//! `medclip inspect`: what a bundle holds.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use medclip_runtime::{Bundle, BundleOutline};

use crate::Outcome;
use crate::models::shipped;
use crate::output::{ReportFormat, print_report};

/// Show what a model bundle holds, after verifying every file of it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  medclip inspect\n  medclip inspect models/medclip-edge --format json")]
pub(crate) struct InspectArgs {
    /// Bundle directory [default: the shipped model]
    bundle: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: ReportFormat,
}

pub(crate) fn run(args: InspectArgs) -> anyhow::Result<Outcome> {
    let directory = args.bundle.map_or_else(shipped, Ok)?;
    let bundle = Bundle::open(directory).context("cannot load the model")?;
    let outline = BundleOutline::of(&bundle)?;
    print_report(args.format, &outline)?;
    Ok(Outcome::Complete)
}
