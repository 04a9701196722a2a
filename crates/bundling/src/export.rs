//! A checkpoint as a bundle, checked against the forward pass it was trained with.

mod check;
mod error;

use std::error::Error;
use std::path::Path;

use medclip_core::bundle::BUNDLE;
use medclip_export::{BundleContents, BundleOptions, Checkpoint, write_bundle_if};
use medclip_files::{StagedDirectory, check_vacant};
use medclip_runtime::Bundle;
use tracing::info_span;

use crate::engine::embed;
use crate::observer::Observer;
use crate::quantize::{LabeledFilm, QuantizeOptions, quantize};
use crate::text;
pub use check::TowerDifference;
pub use error::{CheckError, ExportBundleError};

/// Writes the checkpoint in `directory` as the bundle `target`, unless it differs from the forward pass of training, and returns
/// by how much it differs.
///
/// The same phantoms and prompts go through both. Without `card`, name and description of the model are the card.
///
/// # Errors
/// [`ExportBundleError`], with a [`CheckError`] inside where the bundle differs; nothing is written then.
pub fn export_bundle(
    directory: &Path,
    target: &Path,
    prompts: &str,
    card: Option<&Path>,
    options: &BundleOptions,
) -> Result<Vec<TowerDifference>, ExportBundleError> {
    check_vacant(target, options.replace)?;
    let _span = info_span!("export").entered();
    let checkpoint = Checkpoint::open(directory)?;
    let card = text::card(card, checkpoint.config())?;
    let contents = BundleContents { prompts, card: &card };
    let mut differences = Vec::new();
    write_bundle_if(&checkpoint, contents, options, target, embed, |bundle| {
        differences = check::check(directory, &checkpoint, bundle)?;
        Ok(())
    })?;
    Ok(differences)
}

/// [`export_bundle`], with towers in further precisions beside the model's own: [`quantize`].
///
/// `films` gives the films to calibrate with, once the model and its classes are known.
///
/// # Errors
/// [`ExportBundleError`]; nothing is written then.
pub fn export_quantized(
    directory: &Path,
    target: &Path,
    prompts: &str,
    card: Option<&Path>,
    options: (&BundleOptions, &QuantizeOptions),
    films: impl FnOnce(&Bundle) -> Result<Vec<LabeledFilm>, Box<dyn Error + Send + Sync>>,
    observer: &mut dyn Observer,
) -> Result<(Bundle, Vec<TowerDifference>), ExportBundleError> {
    let (export, further) = options;
    check_vacant(target, further.replace)?;
    // Out of sight until its towers have passed the gate; it never takes this name.
    let staged = StagedDirectory::create(target, &BUNDLE)?;
    let single = staged.path().join("bundle");
    let differences = export_bundle(directory, &single, prompts, card, export)?;
    let single = Bundle::open(&single)?;
    let films = films(&single).map_err(ExportBundleError::Films)?;
    let bundle = quantize(&single, &films, target, further, observer)?;
    Ok((bundle, differences))
}
