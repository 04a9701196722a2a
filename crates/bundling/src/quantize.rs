//! A bundle's towers in further precisions, as far as they keep to the limits.

mod convert;
mod error;
mod films;
mod gate;
mod image;
mod labeled;
mod text;
mod words;

use std::collections::BTreeSet;
use std::path::Path;

use medclip_core::quantization::{GateLimits, QuantizedTower};
use medclip_export::quantize::{RangeMethod, add_towers};
use medclip_export::{BundleOptions, OnnxFile};
use medclip_files::check_vacant;
use medclip_runtime::{Bundle, ModelOptions, Precision, TowerKind};
use tracing::info_span;

use crate::observer::Observer;
pub use error::{QuantizeError, TowerError};
use films::Films;
pub use labeled::LabeledFilm;
pub use words::describe_quantized;

/// Which towers are quantized, how, and what they may cost.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizeOptions {
    /// Precisions to add, `fp16` or `int8`; by default `int8`.
    pub precisions: Vec<Precision>,
    /// Towers to quantize, each once; by default that of images.
    pub towers: Vec<TowerKind>,
    /// How ranges of activations are chosen.
    pub ranges: RangeMethod,
    /// What a tower may cost at most.
    pub limits: GateLimits,
    /// Layers that may stay in single precision; by default a third of them.
    pub max_kept: Option<usize>,
    /// What runs the graphs meanwhile.
    pub model: ModelOptions,
    /// Whether a bundle that is already there is replaced; not by default.
    pub replace: bool,
}

impl Default for QuantizeOptions {
    fn default() -> Self {
        Self {
            precisions: vec![Precision::Int8],
            towers: vec![TowerKind::Image],
            ranges: RangeMethod::default(),
            limits: GateLimits::default(),
            max_kept: None,
            model: ModelOptions::default(),
            replace: false,
        }
    }
}

impl QuantizeOptions {
    /// Layers of so many that may stay in single precision.
    fn max_kept(&self, layers: usize) -> usize {
        self.max_kept.unwrap_or(layers / 3)
    }
}

/// A quantized tower with its report, sums and sizes still to be filled in.
type Made = (QuantizedTower, OnnxFile);

/// Writes `bundle` to `target` with its towers in further precisions, if they all keep to the limits, and opens it again:
/// [`Bundle::quantization`] has what they cost.
///
/// A third of the patients of `films` is calibrated and tuned on, the others are for the gate. A text tower alone needs no
/// films: it is compared on the model's prompts. `target` may be the bundle itself, with [`QuantizeOptions::replace`].
///
/// # Errors
/// [`QuantizeError`]; nothing is written then.
pub fn quantize(
    bundle: &Bundle,
    films: &[LabeledFilm],
    target: &Path,
    options: &QuantizeOptions,
    observer: &mut dyn Observer,
) -> Result<Bundle, QuantizeError> {
    check_vacant(target, options.replace)?;
    bundle.require_text_tower().map_err(QuantizeError::Incomplete)?;
    if let Some(&own) = options.precisions.iter().find(|&&precision| precision == Precision::Fp32) {
        return Err(QuantizeError::Own(own));
    }
    options.model.engine.check()?;
    let films = if options.towers.contains(&TowerKind::Image) {
        Films::read(films, bundle, observer)?
    } else {
        Films::default()
    };
    let towers: BTreeSet<TowerKind> = options.towers.iter().copied().collect();
    let mut made: Vec<Made> = Vec::new();
    for &precision in &options.precisions {
        for &tower in &towers {
            let _span = info_span!("quantize", tower = %tower, precision = %precision).entered();
            let result = match tower {
                TowerKind::Image => image::quantize(bundle, precision, &films, options, observer),
                TowerKind::Text => text::quantize(bundle, precision, options, observer),
            };
            let refused = |source| match source {
                TowerError::Stopped(stopped) => stopped.into(),
                source => QuantizeError::Tower { tower, precision, source: Box::new(source) },
            };
            made.push(result.map_err(refused)?);
        }
    }
    let detach_from = BundleOptions::default().detach_from;
    add_towers(bundle, made, target, detach_from, options.replace).map_err(QuantizeError::Write)?;
    Bundle::open(target).map_err(QuantizeError::Reopen)
}
