//! What tests across crates share: models small enough to make in a moment, and checkpoints to make them from.

mod bundle;
mod checkpoint;
mod engines;

pub use bundle::{CLASSES, PROMPTS, embed, tiny_bundle, tiny_bundle_of};
pub use checkpoint::{random_checkpoint, tiny_config, tiny_published_configs};
pub use engines::engines;
