//! Choices of a scorer.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use medclip_decode::{DecodeOptions, Limits, PatientFields};
use medclip_qc::{Checks, Policy};
use medclip_runtime::{
    Bundle, EngineOptions, Head, LoadError, Model, ModelOptions, PrecisionChoice, PromptSet,
};

use tracing::info_span;

use crate::error::OpenError;
use crate::schema::Schema;
use crate::scorer::Scorer;

/// Choices of a [`Scorer`]. What is not chosen has its default.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ScorerBuilder {
    model: Option<Source>,
    options: ModelOptions,
    classes: Classes,
    policy: Policy,
    decoding: DecodeOptions,
    limits: Limits,
    embeddings: bool,
    maps: bool,
    patient: PatientFields,
}

#[derive(Debug, Clone)]
enum Source {
    Directory(PathBuf),
    Memory(BTreeMap<String, Vec<u8>>),
    Loaded(Arc<Model>),
}

/// What is scored.
#[derive(Debug, Clone, Default)]
enum Classes {
    /// The bundle's own prompts.
    #[default]
    Own,
    Prompts(PromptSet),
    Head(Head),
}

impl ScorerBuilder {
    /// The bundle in this directory.
    pub fn bundle(mut self, directory: impl AsRef<Path>) -> Self {
        self.model = Some(Source::Directory(directory.as_ref().to_owned()));
        self
    }

    /// A bundle in memory, its files by name: for programs that hold a model in themselves, or fetch it.
    pub fn bundle_bytes(mut self, files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        self.model = Some(Source::Memory(files.into_iter().collect()));
        self
    }

    /// A model that is loaded already; the choices of engine, precision, threads and self-test are those it was loaded with.
    pub fn model(mut self, model: Arc<Model>) -> Self {
        self.model = Some(Source::Loaded(model));
        self
    }

    /// What runs the model [default: tract].
    pub fn engine(mut self, engine: impl Into<EngineOptions>) -> Self {
        self.options.engine = engine.into();
        self
    }

    /// Precision of the model [default: the one that the engine runs fastest of those the bundle holds].
    pub fn precision(mut self, precision: PrecisionChoice) -> Self {
        self.options.precision = precision;
        self
    }

    /// Threads of one call [default: all the machine offers].
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.options.threads = threads;
        self
    }

    /// Whether the model must first reproduce the embeddings it was written with [default: no].
    pub fn self_test(mut self, is_wanted: bool) -> Self {
        self.options.self_test = is_wanted;
        self
    }

    /// Classes of these prompts in place of the bundle's own. The bundle's text tower is loaded for it.
    pub fn prompts(mut self, prompts: PromptSet) -> Self {
        self.classes = Classes::Prompts(prompts);
        self
    }

    /// Classes of a head that was fitted on this model's embeddings.
    pub fn head(mut self, head: Head) -> Self {
        self.classes = Classes::Head(head);
        self
    }

    /// What follows from the checks [default: all warn].
    pub fn checks(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// How files become gray images [default: as they want to be shown].
    pub fn decoding(mut self, options: DecodeOptions) -> Self {
        self.decoding = options;
        self
    }

    /// What files may ask for.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether reports have the film's embedding [default: no].
    pub fn embeddings(mut self, are_wanted: bool) -> Self {
        self.embeddings = are_wanted;
        self
    }

    /// Whether reports say where in the film their scores come from [default: no]. The image tower is then loaded with its
    /// second output too.
    pub fn maps(mut self, are_wanted: bool) -> Self {
        self.maps = are_wanted;
        self
    }

    /// Which personal fields of a DICOM header reports have [default: none].
    pub fn patient(mut self, fields: PatientFields) -> Self {
        self.patient = fields;
        self
    }

    /// Verifies and loads the bundle.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(self) -> Result<Scorer, OpenError> {
        let _span = info_span!("open").entered();
        let model = match self.model.ok_or(OpenError::NoBundle)? {
            Source::Directory(directory) => Arc::new(Model::open_with(directory, self.options)?),
            Source::Memory(files) => {
                let bundle = Bundle::from_bytes(files).map_err(LoadError::from)?;
                Arc::new(Model::from_bundle(bundle, self.options)?)
            }
            Source::Loaded(model) => model,
        };
        let classifier = match self.classes {
            Classes::Own => model.classifier(),
            Classes::Prompts(prompts) => model.prompt_classifier(&prompts).map_err(OpenError::Prompts)?,
            Classes::Head(head) => model.head_classifier(head).map_err(OpenError::Head)?,
        };
        if self.maps {
            model.load_maps().map_err(OpenError::Maps)?;
        }
        let bundle = model.bundle();
        let checks = Checks::new(self.policy, bundle.intake().cloned())?;
        let schema = Schema {
            model: model.name().to_owned(),
            model_id: bundle.id().to_owned(),
            engine: model.engine_label().to_owned(),
            classes: classifier.class_names().map(str::to_owned).collect(),
            embedding_dim: self.embeddings.then_some(bundle.config().architecture.embedding_dim),
            patient: self.patient,
        };
        #[allow(unused_mut, reason = "only DICOM files name patients")]
        let mut decoding = self.decoding;
        #[cfg(feature = "dicom")]
        {
            decoding.dicom.patient = self.patient;
        }
        Ok(Scorer {
            model,
            classifier: Arc::new(classifier),
            checks: Arc::new(checks),
            decoding,
            limits: self.limits,
            maps: self.maps,
            schema: Arc::new(schema),
        })
    }
}
