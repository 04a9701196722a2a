//! The command line as its users meet it, on a tiny model of random weights.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

#[cfg(feature = "archive")]
#[path = "cli/archive.rs"]
mod archive;
#[path = "cli/bench.rs"]
mod bench;
#[path = "cli/broken.rs"]
mod broken;
#[path = "cli/data.rs"]
mod data;
#[cfg(feature = "dicom")]
#[path = "cli/dicom.rs"]
mod dicom;
#[cfg(feature = "dicom")]
#[path = "../../decode/tests/support/mod.rs"]
#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod dicom_file;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/engine.rs"]
mod engine;
#[cfg(feature = "eval")]
#[path = "cli/eval.rs"]
mod eval;
#[path = "cli/formats.rs"]
mod formats;
#[path = "cli/golden.rs"]
mod golden;
#[cfg(feature = "import")]
#[path = "cli/import.rs"]
mod import;
#[cfg(feature = "search")]
#[path = "cli/index.rs"]
mod index;
#[path = "cli/inspect.rs"]
mod inspect;
#[cfg(all(unix, feature = "eval", feature = "import"))]
#[path = "cli/interrupt.rs"]
mod interrupt;
#[path = "cli/label.rs"]
mod label;
#[path = "cli/label_sections.rs"]
mod label_sections;
#[path = "cli/log.rs"]
mod log;
#[path = "cli/manual.rs"]
mod manual;
#[path = "cli/maps.rs"]
mod maps;
#[cfg(all(feature = "archive", feature = "dicom", feature = "search"))]
#[path = "cli/memory.rs"]
mod memory;
#[path = "cli/missing.rs"]
mod missing;
#[path = "cli/model.rs"]
mod model;
#[cfg(feature = "archive")]
#[path = "cli/private.rs"]
mod private;
#[cfg(feature = "import")]
#[path = "cli/quantize.rs"]
mod quantize;
#[path = "cli/raster.rs"]
mod raster;
#[cfg(all(feature = "archive", feature = "dicom"))]
#[path = "cli/records.rs"]
mod records;
#[cfg(feature = "candle-onnx")]
#[path = "cli/restore.rs"]
mod restore;
#[path = "cli/setting.rs"]
mod setting;
#[cfg(all(unix, feature = "search"))]
#[path = "cli/shared.rs"]
mod shared;
#[cfg(feature = "archive")]
#[path = "cli/simultaneous.rs"]
mod simultaneous;
#[cfg(all(unix, feature = "archive"))]
#[path = "cli/special.rs"]
mod special;
#[cfg(feature = "archive")]
#[path = "cli/spreadsheet.rs"]
mod spreadsheet;
#[cfg(feature = "archive")]
#[path = "cli/terminal.rs"]
mod terminal;
#[cfg(feature = "train")]
#[path = "cli/train.rs"]
mod train;
#[path = "cli/verify.rs"]
mod verify;
