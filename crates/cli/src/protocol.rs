//! What `medclip eval`, `fit` and `runs` share: arguments, values, the bar, and how results are printed.

mod bar;
mod films;
mod prompts;
mod report;
#[cfg(feature = "train")]
mod tuning;
mod values;

pub(crate) use bar::Bar;
pub(crate) use films::{FilmArgs, ManifestArgs, ShareArgs};
pub(crate) use prompts::PromptSourceArgs;
pub(crate) use report::{FormatArgs, PlotArgs, ReportArgs};
#[cfg(feature = "train")]
pub(crate) use tuning::TuningArgs;
pub(crate) use values::split;
