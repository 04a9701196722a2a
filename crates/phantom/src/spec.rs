//! What a phantom shows.

use crate::condition::Condition;

/// What to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhantomSpec {
    /// Decides patient, exposure and where within their places the conditions lie. Phantoms that differ in their
    /// conditions only show the same patient.
    pub seed: u64,
    /// Side of the square image in pixels, 1 to [`Phantom::MAX_SIZE`](crate::Phantom::MAX_SIZE). From 128 up every condition is visible.
    pub size: u32,
    /// What is abnormal; empty for a normal film.
    pub conditions: Vec<Condition>,
}
