//! `medclip data prepare`: a data set as it was distributed becomes a manifest.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use medclip_data::{DataSet, is_manifest, prepare};

use super::choices::ChoiceArgs;
use crate::target::TargetArgs;
use crate::values::named;
use crate::{Outcome, say};

/// Make a manifest (CSV) of a public data set as it was distributed
///
/// Reads tables and reports in the directory where the data set was unpacked; no image is opened, nothing is downloaded. Paths
/// in the manifest start from that directory. A missing column, an unknown label, or a patient in two parts of the official
/// division ends the command with its name, and nothing is written.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PrepareArgs {
    /// Data set
    #[arg(value_name = "NAME", value_parser = named::<DataSet>(&DataSet::ALL.map(DataSet::name)))]
    data_set: DataSet,
    /// Directory where it was unpacked
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    choices: ChoiceArgs,
}

const EXAMPLES: &str = "\
Examples:
  medclip data prepare chexpert CheXpert -o chexpert.csv --uncertain uncertain
  medclip data prepare nih ChestX-ray14 -o nih.csv --val-share 0.1
  medclip data prepare rsna rsna-pneumonia -o rsna.csv --split test";

pub(crate) fn run(args: &PrepareArgs) -> anyhow::Result<Outcome> {
    let PrepareArgs { data_set, directory, target, choices } = args;
    choices.check(*data_set)?;
    let output = target.check()?;
    let is_ours = !output.exists() || is_manifest(output);
    ensure!(is_ours, "{} is not a manifest, so --replace leaves it alone", output.display());
    let prepared = prepare(*data_set, directory, &choices.options())?;
    choices.check_division(&prepared)?;
    prepared.save(output).context("cannot write the manifest")?;
    prepared.to_string().lines().for_each(say);
    Ok(Outcome::Complete)
}
