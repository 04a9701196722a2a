//! Charts as SVG, pages as HTML, maps over films as pixels: plain data in, texts and pixels out.
//!
//! | module | holds |
//! |---|---|
//! | [`roc`] | ROC curves |
//! | [`calibration`] | predicted probability against observed frequency |
//! | [`efficiency`] | a score against the share of the data |
//! | [`embedding`] | points of a plane, colored by class |
//! | [`curve`] | values over the epochs of a run |
//! | [`overlay`] | a film under the map of a class, as pixels |
//! | [`page`] | a page of charts, tables and text that opens offline |
//!
//! ```
//! use medclip_plot::{Curve, CurveChart};
//!
//! let chart = CurveChart {
//!     title: "Loss".to_owned(),
//!     x: "Epoch".to_owned(),
//!     y: "Loss (nats)".to_owned(),
//!     is_logarithmic: false,
//!     curves: vec![Curve { name: "train".to_owned(), points: vec![(0.0, 3.2), (1.0, 2.1)], is_faint: false }],
//! };
//! assert!(chart.draw()?.to_file().contains("<polyline"));
//! # Ok::<(), medclip_plot::PlotError>(())
//! ```
//!
//! The same data give the same bytes. Colors are those of Okabe and Ito (2008), whom color-blind readers can follow;
//! dashes and shapes of points tell series apart as well. Text and axes are drawn in the current color, so a chart
//! within a page suits its light and its dark form.
//!
//! # Limits
//! There is no font to measure text of charts with: widths are estimated, generously. The crate `plotters` was no fit: its SVG
//! backend rounds to whole pixels, has no dashes, fixes every color and gives a chart no title for screen readers.

pub mod calibration;
pub mod curve;
pub mod efficiency;
pub mod embedding;
mod error;
mod estimate;
mod figure;
mod mark;
pub mod overlay;
pub mod page;
mod panel;
pub mod roc;
mod scale;
mod style;
mod svg;

pub use calibration::{CalibrationBin, CalibrationChart, CalibrationPanel};
pub use curve::{Curve, CurveChart};
pub use efficiency::{EfficiencyChart, EfficiencyCurve, SharePoint};
pub use embedding::{EmbeddingClass, EmbeddingMap};
pub use error::PlotError;
pub use estimate::Estimate;
pub use overlay::{Overlay, OverlayError, Pixels};
pub use page::{Block, Page, Picture, Table};
pub use roc::{RocChart, RocCurve};
pub use svg::Svg;
