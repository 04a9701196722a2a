//! Operators as functions from typed values to typed values, one file a family.
//!
//! Every function names what it adds after its `name` argument, so a graph reads like the checkpoint.

pub(crate) mod activation;
pub(crate) mod attention;
pub(crate) mod cast;
pub(crate) mod conv;
pub(crate) mod embedding;
pub(crate) mod linear;
pub(crate) mod math;
pub(crate) mod norm;
pub(crate) mod pool;
pub(crate) mod shape;
pub(crate) mod window_attention;
