//! Rewritten operators against direct computations, and whole towers against PyTorch and other engines.

#[cfg(feature = "make")]
mod golden;
mod operators;
mod towers;
