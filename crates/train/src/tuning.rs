//! A trained model fitted to annotated findings: its image tower with a linear head, or words in front of its prompts.
//!
//! | module | holds |
//! |---|---|
//! | [`films`] | films decoded once, and embedded |
//! | [`targets`] | what films say of the findings that have enough of both outcomes |
//! | [`loss`] | masked binary cross-entropy |
//! | [`head`] | the linear classifiers that both ways end in |
//! | [`finetune`](mod@finetune) | image tower and head together |
//! | [`context`] | vectors in front of the words of a class, both towers frozen |
//!
//! A blank or uncertain annotation has no part in the loss and is never read as absent. Every draw derives from (seed,
//! epoch, visit), as in training.

pub mod context;
pub mod films;
pub mod finetune;
pub mod head;
pub mod loss;
mod order;
pub mod targets;

pub use context::{ClassTexts, ContextConfig, ContextPrompts, tune_context};
pub use films::{Films, TrainingFilms};
pub use finetune::{FinetuneConfig, finetune};
pub use head::LinearHead;
pub use loss::masked_cross_entropy;
pub use targets::{LeftOut, Targets};
