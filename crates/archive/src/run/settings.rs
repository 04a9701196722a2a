//! What a run is of, its inputs aside.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroUsize};

use serde::{Deserialize, Serialize};

use crate::portion::Portion;
use crate::table::Format;
use medclip_scorer::{Schema, Scorer};

/// Rows of a file where nobody says otherwise.
const SHARD_SIZE: NonZeroU32 = NonZeroU32::new(512).unwrap();

/// All that decides what rows of given inputs look like. A run goes on only under the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// What a row has, and of which model.
    pub schema: Schema,
    /// Options by name, whatever else moves a score.
    pub options: BTreeMap<String, String>,
    /// How rows are written.
    pub format: Format,
    /// Rows of a file, but for the last.
    pub shard_size: NonZeroU32,
    /// The machine's part of the inputs.
    pub portion: Option<Portion>,
    /// Bytes that the run may use at once, where there is a limit. It decides no score: a run goes on under another limit, and
    /// under a larger one it scores the films again that alone took more than before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
}

impl Settings {
    /// Name of the option that says which program began the run.
    pub const PROGRAM: &str = "program";
    /// Name of the option that says how many images went through the model at once.
    pub const BATCH: &str = "batch";

    /// Those of rows of a scorer that takes so many images at once and may use `memory` bytes: all inputs, in Parquet files of 512
    /// rows. `program` names the program and its version.
    pub fn of(scorer: &Scorer, batch: NonZeroUsize, memory: u64, program: &str) -> Self {
        let mut options = scorer.record();
        options.insert(Self::PROGRAM.to_owned(), program.to_owned());
        options.insert(Self::BATCH.to_owned(), batch.to_string());
        let schema = (**scorer.schema()).clone();
        let (format, memory) = (Format::Parquet, Some(memory));
        Self { schema, options, format, shard_size: SHARD_SIZE, portion: None, memory }
    }

    /// Rows of file `number` of a run of `inputs`.
    pub(crate) fn rows_of(&self, number: u64, inputs: u64) -> u64 {
        let size = u64::from(self.shard_size.get());
        inputs.saturating_sub(number.saturating_mul(size)).min(size)
    }

    /// What `wanted` has otherwise, each with both values.
    pub(crate) fn differences(&self, wanted: &Self) -> Vec<String> {
        let (there, wanted) = (self.named(), wanted.named());
        let names: BTreeSet<&String> = there.keys().chain(wanted.keys()).collect();
        let differs = names.into_iter().filter(|name| there.get(*name) != wanted.get(*name));
        let value = |of: &BTreeMap<String, String>, name: &String| {
            of.get(name).cloned().unwrap_or_else(|| "none".to_owned())
        };
        differs
            .map(|name| {
                format!("its {name} is {}, but {} was given", value(&there, name), value(&wanted, name))
            })
            .collect()
    }

    fn named(&self) -> BTreeMap<String, String> {
        let columns = &self.schema;
        let patient = columns.patient;
        let fields = [
            (patient.id, "patient_id"),
            (patient.study_date, "study_date"),
            (patient.sex, "sex"),
            (patient.age, "age"),
        ];
        let fields: Vec<&str> =
            fields.iter().filter(|(is_there, _)| *is_there).map(|(_, name)| *name).collect();
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
        let mut named: BTreeMap<String, String> = self.options.clone();
        named.extend(
            [
                ("model", columns.model.clone()),
                ("model id", columns.model_id.clone()),
                ("engine", columns.engine.clone()),
                ("classes", columns.classes.join(", ")),
                ("width of embeddings", or_none(columns.embedding_dim.map(|dim| dim.to_string()))),
                ("personal columns", or_none((!fields.is_empty()).then(|| fields.join(", ")))),
                ("format", self.format.extension().to_owned()),
                ("shard size", self.shard_size.to_string()),
                ("part of the inputs", or_none(self.portion.map(|portion| portion.to_string()))),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        named
    }
}
