//! Data sets as they are distributed, made into manifests.
//!
//! | data set | tables and texts that are read | division | a label that is not listed is |
//! |---|---|---|---|
//! | CheXpert | `train.csv`, `valid.csv`, `test_labels.csv` | official | as the table has it |
//! | MIMIC-CXR-JPG | `mimic-cxr-2.0.0-{metadata,split,chexpert,negbio}.csv(.gz)`, reports | official | as the table has it |
//! | NIH ChestX-ray14 | `Data_Entry_2017_v2020.csv`, `train_val_list.txt`, `test_list.txt` | official, without validation | absent |
//! | PadChest | `PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv` | none | blank |
//! | VinDr-CXR | `image_labels_{train,test}.csv`, or `train.csv` of Kaggle | official, without validation | absent where no reader saw it |
//! | RSNA Pneumonia | `stage_2_train_labels.csv`, `stage_2_detailed_class_info.csv` | none | blank |
//! | Open-I | `ecgen-radiology/*.xml` | none | absent |
//! | COVID-19 Radiography | the four folders | none | blank |
//!
//! No image is opened. A film whose file is not there is counted and left out, or refused ([`MissingImages`]). Patients are
//! `source:patient`, so manifests of several data sets can be trained on together.
//!
//! Where labels of another vocabulary are mapped to the 14 findings, a finding below Lung Opacity in CheXpert's hierarchy
//! (Edema, Consolidation, Pneumonia, Lung Lesion, Atelectasis) also sets Lung Opacity. CheXpert's and MIMIC-CXR's own columns are
//! never changed.

#![allow(clippy::doc_markdown, reason = "names of data sets and their publishers are words")]

mod chexpert;
mod covid;
mod dataset;
mod error;
mod gather;
mod listed;
mod mimic;
mod nih;
mod openi;
mod options;
mod padchest;
mod prepared;
mod python;
mod rsna;
mod sections;
mod split;
mod summary;
mod tree;
mod vindr;
mod write;

use std::path::Path;

pub use dataset::{DataSet, UnknownDataSet};
pub use error::{PrepareError, SourcePlace};
pub use options::{
    MimicLabels, MissingImages, PrepareOptions, UncertainAs, Undivided, UnknownLabels, UnlistedAs,
};
pub use prepared::{FindingCounts, LeftOutReason, PreparedCounts, PreparedData, PreparedRow};

use gather::Gather;
use tree::Tree;

/// Reads a data set from the directory where it was unpacked.
///
/// Paths of the rows start from `directory`. Rows are in the order of the data set's tables, or in that of names where it has
/// no table, so the same files always give the same manifest.
///
/// # Errors
/// [`PrepareError`], which names the file, and the row and column where there are any.
pub fn prepare(
    data_set: DataSet,
    directory: &Path,
    options: &PrepareOptions,
) -> Result<PreparedData, PrepareError> {
    options.validate()?;
    let tree = Tree::open(data_set, directory)?;
    let mut gather = Gather::new(&tree, options);
    match data_set {
        DataSet::CheXpert => chexpert::read(&tree, &mut gather),
        DataSet::MimicCxrJpg => mimic::read(&tree, &mut gather),
        DataSet::ChestXray14 => nih::read(&tree, &mut gather),
        DataSet::PadChest => padchest::read(&tree, &mut gather),
        DataSet::VinDrCxr => vindr::read(&tree, &mut gather),
        DataSet::RsnaPneumonia => rsna::read(&tree, &mut gather),
        DataSet::OpenI => openi::read(&tree, &mut gather),
        DataSet::CovidRadiography => covid::read(&tree, &mut gather),
    }?;
    gather.finish()
}
