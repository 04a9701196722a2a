//! `medclip score --maps`.

use std::path::PathBuf;

use clap::Args;
use medclip_archive::{MapClasses, MapWriter};
use medclip_scorer::Schema;

/// Where in the films scores come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Maps")]
pub(super) struct MapArgs {
    /// Also write to this directory where in each film its scores come from: NAME.CLASS.png, the film under the map of a
    /// class, and NAME.npy, the maps of all classes as numbers
    ///
    /// NAME is the film's name with a part of its checksum, so that films of one name have files of their own. Values are in
    /// logits: a map averages to the logit of its class. A map says what the model looked at, not where disease is.
    #[arg(long, value_name = "DIR")]
    maps: Option<PathBuf>,
    /// Draw the map of this class; may be repeated [default: the three classes with the highest scores]
    #[arg(long, value_name = "CLASS", requires = "maps")]
    maps_of: Vec<String>,
}

impl MapArgs {
    /// Whether maps were asked for.
    pub(super) const fn are_wanted(&self) -> bool {
        self.maps.is_some()
    }

    /// What writes them, where they were asked for.
    pub(super) fn open(&self, schema: &Schema) -> anyhow::Result<Option<MapWriter>> {
        let Some(directory) = &self.maps else { return Ok(None) };
        Ok(Some(MapWriter::new(directory, MapClasses::of(&self.maps_of), schema)?))
    }
}
