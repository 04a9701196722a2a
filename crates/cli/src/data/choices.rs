//! What a data set leaves open.

use anyhow::ensure;
use clap::Args;
use medclip_data::{
    DataSet, MimicLabels, MissingImages, PrepareOptions, PreparedData, Split, UncertainAs, Undivided,
    UnknownLabels, UnlistedAs,
};

use crate::values::{named, one_of};

/// What a data set leaves open.
#[derive(Debug, Args)]
pub(super) struct ChoiceArgs {
    /// Make uncertain labels (-1 of chexpert and mimic, a minority of vindr's readers) blank, 1 or 0, or keep them as -1
    #[arg(long, value_name = "VALUE", default_value = "blank", value_parser = named::<UncertainAs>(&["blank", "present", "absent", "uncertain"]))]
    uncertain: UncertainAs,
    /// What a finding is that a film's list of labels does not name [default: absent for nih and openi, blank for padchest]
    #[arg(long, value_name = "VALUE", value_parser = named::<UnlistedAs>(&["blank", "absent"]))]
    unlisted: Option<UnlistedAs>,
    /// Refuse the data set if the image of a row is missing; without it, such rows are left out and counted
    #[arg(long)]
    all_images: bool,
    /// Count labels that the data set's published list lacks; without it, the first is refused
    #[arg(long)]
    unknown_labels: bool,
    /// Part for all films of a data set without an official division [default: train]
    #[arg(long, value_name = "SPLIT", value_parser = one_of(&Split::ALL, Split::name))]
    split: Option<Split>,
    /// Draw this share of the patients for validation, where the official division has none [default: 0]
    #[arg(long, value_name = "SHARE", conflicts_with = "split")]
    val_share: Option<f64>,
    /// Draw this share of the patients for the test, of a data set without an official division [default: 0]
    #[arg(long, value_name = "SHARE", conflicts_with = "split")]
    test_share: Option<f64>,
    /// Seed of everything drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Labeler whose labels are read, of mimic [default: chexpert]
    #[arg(long, value_name = "LABELER", value_parser = named::<MimicLabels>(&["chexpert", "negbio"]))]
    labeler: Option<MimicLabels>,
    /// Leave out films that a network labeled, of padchest
    #[arg(long)]
    physicians_only: bool,
}

impl ChoiceArgs {
    /// Refuses what another data set leaves open.
    pub(super) fn check(&self, data_set: DataSet) -> anyhow::Result<()> {
        let is_mimic = data_set == DataSet::MimicCxrJpg;
        ensure!(self.labeler.is_none() || is_mimic, "--labeler is of mimic alone");
        let is_padchest = data_set == DataSet::PadChest;
        ensure!(!self.physicians_only || is_padchest, "--physicians-only is of padchest alone");
        Ok(())
    }

    /// Refuses parts other than the official ones.
    pub(super) fn check_division(&self, prepared: &PreparedData) -> anyhow::Result<()> {
        let is_asked_for = self.split.is_some() || self.test_share.is_some();
        ensure!(
            !(prepared.is_divided && is_asked_for),
            "{} has an official division, which is kept; leave out --split and --test-share",
            prepared.data_set
        );
        Ok(())
    }

    pub(super) fn options(&self) -> PrepareOptions {
        let [val, test] = [self.val_share, self.test_share].map(Option::unwrap_or_default);
        let are_drawn = self.val_share.is_some() || self.test_share.is_some();
        let all = Undivided::All(self.split.unwrap_or(Split::Train));
        PrepareOptions {
            uncertain: self.uncertain,
            unlisted: self.unlisted,
            missing: if self.all_images { MissingImages::Refuse } else { MissingImages::LeaveOut },
            unknown_labels: if self.unknown_labels { UnknownLabels::Count } else { UnknownLabels::Refuse },
            undivided: if are_drawn { Undivided::Drawn { val, test } } else { all },
            validation: val,
            seed: self.seed,
            mimic_labels: self.labeler.unwrap_or_default(),
            physicians_only: self.physicians_only,
        }
    }
}
